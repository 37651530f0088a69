import { Duration } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { IClient } from '../../components/connections';
import type { IHttpService } from '../../components/http-workload';
import type { EnvVar, NetworkPolicyPeer, Volume, VolumeMount } from '../../components/kube';
import type { Late } from '../../components/late';
import { LateTokens } from '../../components/late';
import type { WorkloadPolicy } from '../../components/network';
import { podsPeer } from '../../components/network';
import type { ContainerSpec } from '../../components/pod';
import { hardenedPod, startupProbe } from '../../components/pod';
import type { RemovalPolicy } from '../../components/release-options';
import { DATA_VOLUME, serviceHost, statefulWorkload } from '../../components/stateful-workload';
import { sizeBytes } from '../../components/units';
import type { VolumeClaim } from '../../components/volume-claim';
import type { StorageValues } from '../values';

/** Files of a ConfigMap or Secret, and the folder where they are. */
export interface ServerFiles {
  readonly name: string;
  readonly directory: string;
  readonly source: Omit<Volume, 'name'>;
}

/** Programs in the same pod. */
export interface Beside {
  readonly containers: readonly ContainerSpec[];
  readonly volumes: readonly Volume[];
  /** What the server itself sees of the volumes. */
  readonly mounts: readonly VolumeMount[];
}

/** A program that answers HTTP and is there once. */
export interface ServerOptions {
  readonly image: Late;
  readonly port: number;
  /** Numeric user and group of the image's process. */
  readonly user: number;
  readonly args: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly resources: ContainerResources;
  /** Paths that say whether it lives, and whether it can answer. */
  readonly probes: { readonly liveness: string; readonly readiness: string };
  readonly startup: Duration;
  readonly files: readonly ServerFiles[];
  /** Folder that it writes to, with a volume; without a claim it is empty at every start. */
  readonly data: { readonly directory: string; readonly claim?: VolumeClaim };
  readonly removalPolicy: RemovalPolicy;
  /** What runs beside it. @default - nothing */
  readonly beside?: Beside;
  /** Whether its pod asks the API server. @default false */
  readonly apiToken?: boolean;
}

/** Name of the port, on the container and on the Services. */
const PORT_NAME = 'http';
/** Share of the memory limit that Go's collector keeps the heap below; the rest is for what it does not count. */
const HEAP_SHARE = 0.85;
/** Longest request, in seconds: a query over days. */
const LONGEST_REQUEST_SECONDS = 60;

/** What every program of the stack is made of: one pod that ends before its successor starts, since both write to one folder. */
export class Server extends Construct implements IHttpService, IClient {
  public readonly name: string;
  public readonly serviceName: string;
  public readonly host: string;
  public readonly port: number;
  public readonly peer: NetworkPolicyPeer;
  public readonly longestRequestSeconds = LONGEST_REQUEST_SECONDS;
  public readonly proxyTimeoutSeconds = LONGEST_REQUEST_SECONDS + 5;
  protected readonly policy: WorkloadPolicy;
  protected readonly selector: Readonly<Record<string, string>>;

  public constructor(scope: Construct, id: string, options: ServerOptions) {
    super(scope, id);
    this.name = id;
    this.serviceName = `${id}-service`;
    this.host = serviceHost(this, this.serviceName);
    this.port = options.port;
    this.selector = { 'app.kubernetes.io/name': id };
    this.peer = podsPeer(this, this.selector);
    const { claim } = options.data;
    this.policy = statefulWorkload(this, {
      name: id,
      selector: this.selector,
      labels: {},
      port: { name: PORT_NAME, port: options.port },
      pod: this.pod(options),
      ...(claim === undefined ? {} : { claim }),
      removalPolicy: options.removalPolicy,
      startupDeadline: options.startup,
    });
  }

  /** Address within the cluster. */
  public get url(): string {
    return `http://${this.host}:${this.port}`;
  }

  public allowFrom(...clients: readonly IClient[]): void {
    for (const client of clients) this.policy.allowFrom(client.peer, this.port);
  }

  /** Nobody gets it as environment: what connects here is told by files. */
  public connectionEnv(): Readonly<Record<string, never>> {
    return {};
  }

  /** Opens both policies, and starts this one after the other. */
  public connects(...backends: readonly Server[]): this {
    for (const backend of backends) {
      this.policy.allowTo(backend.peer, backend.port);
      backend.allowFrom(this);
      this.node.addDependency(backend);
    }
    return this;
  }

  private pod(options: ServerOptions) {
    const { image, port, user, args, env = [], resources, startup, data, files, beside, apiToken = false } = options;
    const { liveness, readiness } = probes(options);
    const limit = resources.memory?.limit;
    const heap =
      limit === undefined ? [] : [{ name: 'GOMEMLIMIT', value: String(Math.floor(sizeBytes(limit) * HEAP_SHARE)) }];
    return hardenedPod({
      labels: this.selector,
      serviceAccount: this.name,
      user,
      grace: Duration.seconds(60),
      apiToken,
      volumes: [
        ...files.map(({ name, source }): Volume => ({ name, ...source })),
        ...(data.claim === undefined ? [{ name: DATA_VOLUME, emptyDir: { sizeLimit: '256Mi' } }] : []),
        ...(beside?.volumes ?? []),
      ],
      containers: [
        {
          name: this.name,
          image: LateTokens.of(this).asString(this, image),
          args,
          ports: [{ name: PORT_NAME, port }],
          env: [...heap, ...env].sort((a, b) => (a.name < b.name ? -1 : 1)),
          resources,
          probes: { startup: startupProbe(readiness, startup), liveness, readiness },
          mounts: [
            { name: DATA_VOLUME, mountPath: data.directory },
            ...files.map(({ name, directory }): VolumeMount => ({ name, mountPath: directory, readOnly: true })),
            ...(beside?.mounts ?? []),
          ],
        },
        ...(beside?.containers ?? []),
      ],
    });
  }
}

function probes({ probes: paths }: ServerOptions) {
  const ask = (path: string, periodSeconds: number) => ({
    ...{ httpGet: { path, port: PORT_NAME }, periodSeconds },
    ...{ timeoutSeconds: 5, failureThreshold: 3 },
  });
  return { liveness: ask(paths.liveness, 20), readiness: ask(paths.readiness, 10) };
}

/** The volume of a store. */
export const claimOf = ({ storage, storageClass }: StorageValues): VolumeClaim => ({
  size: storage,
  ...(storageClass === undefined ? {} : { storageClass }),
});
