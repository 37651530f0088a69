import type { Duration } from 'cdk8s';
import { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Container, EnvVar, Labels, PodSpec, Probe, ResourceRequirements, Volume, VolumeMount } from './kube';
import type { PodSelector } from './network';
import { cpuMillis, millicores, sizeBytes, sizeQuantity } from './units';

/**
 * Scratch disk of a container: logs and `/tmp`.
 * Without a limit one pod can fill the node's disk, and the kubelet then evicts its neighbours.
 */
export const DEFAULT_EPHEMERAL = { request: Size.mebibytes(64), limit: Size.mebibytes(512) } as const;

/** What a container of the library is made of; everything else is hardened and not open to choice. */
export interface ContainerSpec {
  readonly name: string;
  /** Image reference; a token is allowed. */
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly port: number }[];
  readonly env?: readonly EnvVar[];
  readonly resources: ContainerResources;
  /** Devices such as `nvidia.com/gpu`, by resource name; Kubernetes wants request and limit equal. @default - none */
  readonly extendedResources?: Readonly<Record<string, number>>;
  readonly mounts?: readonly VolumeMount[];
  /** Numeric user and group of its processes, where they are somebody else than the pod's. @default - the pod's */
  readonly user?: number;
  /** Volume at `/tmp`: one of its own hides from it what the pod's other containers put there, such as a socket. @default "tmp" */
  readonly scratch?: string;
  readonly probes?: { readonly startup?: Probe; readonly liveness?: Probe; readonly readiness?: Probe };
  /** Seconds that the container keeps serving after it was told to stop, so that load balancers forget it first. @default 0 */
  readonly drainSeconds?: number;
  /** A command run before the container is stopped; not together with `drainSeconds`. */
  readonly preStopCommand?: readonly string[];
}

/** What a pod of the library is made of. */
export interface PodOptions {
  readonly labels: Labels;
  readonly serviceAccount: string;
  readonly containers: readonly ContainerSpec[];
  readonly initContainers?: readonly ContainerSpec[];
  readonly volumes?: readonly Volume[];
  /** Numeric user and group of the processes; above 10000 it meets no user of the node. */
  readonly user: number;
  /** Time from the request to stop until the kill; it must hold the drain. */
  readonly grace: Duration;
  /** @default - none */
  readonly nodeSelector?: Labels;
  /** @default - none */
  readonly tolerations?: PodSpec['tolerations'];
  /** @default - the cluster's default */
  readonly runtimeClass?: string;
  /**
   * Of which pods no zone may ever have two more than another: of all of them, or of each revision for itself, so that a roll-out ends as even
   * as it began. A zone whose nodes take no pods does not count.
   * @default - none: zones are a wish, since a cluster may have one only
   */
  readonly evenZones?: 'pods' | 'revision';
  /** Pods whose node this one must share. @default - none */
  readonly nodeOf?: PodSelector;
  /** Whether the processes get a token for the API server. @default false */
  readonly apiToken?: boolean;
}

/** CPU, memory and scratch disk as a container declares them; a missing scratch disk gets the library's default. */
export function resourceRequirements(
  resources: ContainerResources,
  extended: Readonly<Record<string, number>> = {},
): ResourceRequirements {
  const devices = Object.fromEntries(Object.entries(extended).map(([name, count]) => [name, String(count)]));
  const disk = scratchDisk(resources.ephemeralStorage);
  const side = (which: 'request' | 'limit'): Record<string, string> => {
    const cpu = resources.cpu?.[which];
    const memory = resources.memory?.[which];
    return {
      ...(cpu === undefined ? {} : { cpu: `${cpuMillis(cpu)}m` }),
      ...(memory === undefined ? {} : { memory: sizeQuantity(memory) }),
      'ephemeral-storage': sizeQuantity(disk[which]),
      ...devices,
    };
  };
  return { requests: side('request'), limits: side('limit') };
}

// A side that is missing gets the default, or the other side where the default would contradict it.
function scratchDisk(given: ContainerResources['ephemeralStorage'] = {}): Record<'request' | 'limit', Size> {
  const { request = DEFAULT_EPHEMERAL.request, limit = DEFAULT_EPHEMERAL.limit } = given;
  if (sizeBytes(request) <= sizeBytes(limit)) return { request, limit };
  return given.limit === undefined ? { request, limit: request } : { request: limit, limit };
}

/** Requests and limits in one line: CPU in millicores, memory in MiB. */
export const compute = (cpu: readonly [number, number], memory: readonly [number, number]): ContainerResources => ({
  cpu: { request: millicores(cpu[0]), limit: millicores(cpu[1]) },
  memory: { request: Size.mebibytes(memory[0]), limit: Size.mebibytes(memory[1]) },
});

/**
 * A pod that Pod Security `restricted` admits: non-root, no capability, no privilege escalation, the runtime's seccomp profile,
 * a read-only root file system with `/tmp` in memory-less scratch, no API token, and no environment from other Services
 * (a Service named like the program would else inject `<NAME>_PORT=tcp://…` and break it).
 */
export function hardenedPod(options: PodOptions): PodSpec {
  return {
    serviceAccountName: options.serviceAccount,
    automountServiceAccountToken: options.apiToken ?? false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: options.grace.toSeconds(),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: options.user,
      runAsGroup: options.user,
      fsGroup: options.user,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    topologySpreadConstraints: spread(options),
    affinity: {
      ...(options.nodeOf === undefined ? {} : { podAffinity: sameNode(options.nodeOf) }),
      podAntiAffinity: antiAffinity(options.labels),
    },
    ...(options.nodeSelector === undefined ? {} : { nodeSelector: options.nodeSelector }),
    ...(options.tolerations === undefined ? {} : { tolerations: options.tolerations }),
    ...(options.runtimeClass === undefined ? {} : { runtimeClassName: options.runtimeClass }),
    ...(options.initContainers === undefined ? {} : { initContainers: options.initContainers.map(container) }),
    containers: options.containers.map(container),
    volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '256Mi' } }, ...(options.volumes ?? [])],
  };
}

function spread({ labels, evenZones }: PodOptions): NonNullable<PodSpec['topologySpreadConstraints']> {
  const wish = (topologyKey: string) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: labels },
  });
  const zone = wish('topology.kubernetes.io/zone');
  const demand = {
    whenUnsatisfiable: 'DoNotSchedule',
    // Nodes that are gone or drained would else count as an empty zone, and no pod could take the place of theirs.
    nodeTaintsPolicy: 'Honor',
    ...(evenZones === 'revision' ? { matchLabelKeys: ['pod-template-hash'] } : {}),
  };
  return [evenZones === undefined ? zone : { ...zone, ...demand }, wish('kubernetes.io/hostname')];
}

const sameNode = (labelSelector: PodSelector) => ({
  requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector }],
});

// Preferred, not required: a single-node cluster must still start the second replica.
const antiAffinity = (labels: Labels) => ({
  preferredDuringSchedulingIgnoredDuringExecution: [
    { weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } } },
  ],
});

function container(spec: ContainerSpec): Container {
  const { probes = {}, drainSeconds = 0 } = spec;
  const preStop =
    drainSeconds > 0
      ? { sleep: { seconds: drainSeconds } }
      : spec.preStopCommand && { exec: { command: spec.preStopCommand } };
  return {
    name: spec.name,
    image: spec.image,
    // Images are named by digest, so the node's copy is the right one; Always also proves the pull right at each start.
    imagePullPolicy: 'Always',
    ...(spec.command === undefined ? {} : { command: spec.command }),
    ...(spec.args === undefined ? {} : { args: spec.args }),
    ...(spec.ports === undefined
      ? {}
      : { ports: spec.ports.map(({ name, port }) => ({ name, containerPort: port, protocol: 'TCP' })) }),
    ...(spec.env === undefined || spec.env.length === 0 ? {} : { env: spec.env }),
    resources: resourceRequirements(spec.resources, spec.extendedResources),
    ...(probes.startup === undefined ? {} : { startupProbe: probes.startup }),
    ...(probes.liveness === undefined ? {} : { livenessProbe: probes.liveness }),
    ...(probes.readiness === undefined ? {} : { readinessProbe: probes.readiness }),
    ...(preStop === undefined ? {} : { lifecycle: { preStop } }),
    securityContext: {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      ...(spec.user === undefined ? {} : { runAsUser: spec.user, runAsGroup: spec.user }),
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [{ name: spec.scratch ?? 'tmp', mountPath: '/tmp' }, ...(spec.mounts ?? [])],
  };
}

/**
 * A start-up probe whose budget is at least `deadline`: it is asked every `period` seconds until then.
 * It replaces a liveness `initialDelaySeconds`, which delays every later restart too.
 */
export const startupProbe = (action: Probe, deadline: Duration, periodSeconds = 5): Probe => ({
  ...action,
  periodSeconds,
  timeoutSeconds: Math.min(periodSeconds, 5),
  failureThreshold: Math.max(1, Math.ceil(deadline.toSeconds() / periodSeconds)),
});
