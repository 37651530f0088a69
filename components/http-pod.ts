import { Duration } from 'cdk8s';
import type { EnvMap } from './connections';
import type { HttpProbes } from './http-props';
import type { HttpSettings } from './http-settings';
import type { EnvVar, PodSpec, Probe, Volume, VolumeMount } from './kube';
import { STARTUP_PERIOD_SECONDS, wholeSeconds } from './lifecycle';
import type { ContainerSpec, PodOptions } from './pod';
import { hardenedPod, startupProbe } from './pod';

/** Name of the port, on the container and on the Service. */
export const PORT_NAME = 'http';

/** What a component decides about its Deployment. */
export interface DeploymentShape {
  /** @default - not set, since an autoscaler owns the count */
  readonly replicas?: number;
  /** How many pods a rollout replaces one after the other. */
  readonly waves: number;
  /** Without a strategy every pod goes before the first new one starts. */
  readonly strategy: { readonly maxSurge: number; readonly maxUnavailable: number } | undefined;
  /** Set over the environment of the workload. @default - nothing */
  readonly env?: EnvMap;
  /** kube-score checks that the Deployment does not pass on purpose, each with its reason. @default - none */
  readonly ignored?: Readonly<Record<string, string>>;
  /** Adds to the container. @default - nothing */
  readonly container?: Partial<
    Pick<ContainerSpec, 'command' | 'args' | 'mounts' | 'extendedResources' | 'preStopCommand'>
  >;
  /** Adds to the pod. @default - nothing */
  readonly pod?: Partial<Omit<PodOptions, 'labels' | 'serviceAccount' | 'containers' | 'user' | 'grace'>>;
}

/** What does not depend on how pods are replaced. */
export type PodShape = Omit<DeploymentShape, 'strategy'>;

/** The pod of a workload, as it stands once all connections are made. */
export function httpPod(settings: HttpSettings, env: readonly EnvVar[], shape: PodShape): PodSpec {
  const { name, account, image, targetPort, resources, lifecycle, selector, user } = settings;
  const files = directories(settings);
  const container: ContainerSpec = {
    ...shape.container,
    name,
    image,
    ports: [{ name: PORT_NAME, port: targetPort }],
    env,
    resources,
    probes: httpProbes(settings.probes, lifecycle.startupSeconds),
    // A command of its own waits for as long by itself.
    drainSeconds: shape.container?.preStopCommand === undefined ? lifecycle.preStopSeconds : 0,
    mounts: [...files.mounts, ...(shape.container?.mounts ?? [])],
  };
  return hardenedPod({
    ...shape.pod,
    labels: selector,
    serviceAccount: account,
    containers: [container],
    volumes: [...files.volumes, ...(shape.pod?.volumes ?? [])],
    user,
    grace: lifecycle.grace,
  });
}

/** Scratch directories and configuration files, as volumes and where they are mounted. */
function directories(settings: HttpSettings): { volumes: readonly Volume[]; mounts: readonly VolumeMount[] } {
  const { scratch, configFiles, configName } = settings;
  const volumes: Volume[] = scratch.map((_, index) => ({ name: `scratch-${index}`, emptyDir: { sizeLimit: '256Mi' } }));
  const mounts: VolumeMount[] = scratch.map((mountPath, index) => ({ name: `scratch-${index}`, mountPath }));
  if (configFiles !== undefined) {
    volumes.push({ name: 'config', configMap: { name: configName } });
    mounts.push({ name: 'config', mountPath: configFiles.directory, readOnly: true });
  }
  return { volumes, mounts };
}

function httpProbes(probes: Required<HttpProbes>, startupSeconds: number): NonNullable<ContainerSpec['probes']> {
  const ask = (path: string): Probe => ({ httpGet: { path, port: PORT_NAME } });
  const every = (period: Duration, failureThreshold: number): Probe => {
    const periodSeconds = wholeSeconds(period);
    return { periodSeconds, timeoutSeconds: Math.min(periodSeconds, 5), failureThreshold };
  };
  return {
    startup: startupProbe(ask(probes.startup), Duration.seconds(startupSeconds), STARTUP_PERIOD_SECONDS),
    liveness: { ...ask(probes.liveness), ...every(probes.livenessPeriod, 3) },
    readiness: { ...ask(probes.readiness), ...every(probes.readinessPeriod, 2) },
  };
}
