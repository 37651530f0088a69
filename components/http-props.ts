import type { Duration } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { EnvMap } from './connections';
import type { Labels } from './kube';
import type { Late } from './late';
import type { LifecycleProps } from './lifecycle';

/** How a Service is reached. */
export enum ServiceType {
  /** From inside the cluster; what is public goes through an ingress. */
  CLUSTER_IP = 'ClusterIP',
  /** Also from outside, through a load balancer of the platform that the cluster runs on. */
  LOAD_BALANCER = 'LoadBalancer',
}

/**
 * Where and how often a pod is asked how it is.
 * There is no initial delay: the start-up probe holds the other two back for exactly as long as the start takes,
 * at the first start and at every restart.
 */
export interface HttpProbes {
  /** Answers 200 while the process can still help itself; the pod is restarted otherwise. @default "/health" */
  readonly liveness?: string;
  /** Answers 200 while requests may come; the pod leaves the Service otherwise. @default "/ready" */
  readonly readiness?: string;
  /** Answers 200 once the process has started. @default - the path of `liveness` */
  readonly startup?: string;
  /** Time between two questions; three misses restart the pod. @default Duration.seconds(10) */
  readonly livenessPeriod?: Duration;
  /** Time between two questions; two misses take the pod out of the Service. @default Duration.seconds(5) */
  readonly readinessPeriod?: Duration;
}

/** Files that a container reads, from a ConfigMap. */
export interface ConfigFiles {
  /** Absolute directory; all that the image has there is hidden. It is mounted read-only. */
  readonly directory: string;
  /** Content by file name; at most 1 MiB in all, the bound of a ConfigMap. */
  readonly files: Readonly<Record<string, Late>>;
}

/** What every HTTP workload of the library takes. */
export interface HttpWorkloadProps {
  /** Image reference, best with a digest. */
  readonly image: Late;
  /** Name of the objects and of the pods' `app.kubernetes.io/name` label; at most 63 characters. @default - the construct's id */
  readonly name?: string;
  /** Port that the container listens on; from 1024, since the pod has no privilege to bind below. @default 8080 */
  readonly port?: number;
  /** @default - none */
  readonly env?: EnvMap;
  /** Requests and limits of the container. @default - stated by each component */
  readonly resources?: ContainerResources;
  /** Longest time from the start of the container until it serves. @default Duration.minutes(2) */
  readonly startupDeadline?: Duration;
  /** @default - stated by each component */
  readonly probes?: HttpProbes;
  /** Times that drain, rollout and waiting follow from. @default - see LifecycleProps */
  readonly lifecycle?: LifecycleProps;
  /** @default ServiceType.CLUSTER_IP */
  readonly serviceType?: ServiceType;
  /** Port of the Service. @default 80 */
  readonly servicePort?: number;
  /** @default - `<name>-service` */
  readonly serviceName?: string;
  /** Addresses (CIDR) that may use the load balancer; for ServiceType.LOAD_BALANCER only. @default - every address */
  readonly sourceRanges?: readonly string[];
  /** Configuration that the container reads from files. @default - none */
  readonly configFiles?: ConfigFiles;
  /** Absolute directories that the container may write to, 256 MiB each and empty at every start; `/tmp` is one already. @default - none */
  readonly scratch?: readonly string[];
  /** Put on every object and on the pods, beside the label that selects them. @default - none */
  readonly labels?: Labels;
  /** Numeric user and group of the process, above 10000 so that it meets no user of the node. @default 10001 */
  readonly user?: number;
}
