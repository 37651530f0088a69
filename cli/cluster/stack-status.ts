import { setTimeout as sleep } from 'node:timers/promises';
import type * as Client from '@kubernetes/client-node';
import type { Rehearsal } from '../../local/index';
import { connect, unreachable, type Connection } from './client';
import { deploymentOf, type Deployment } from './deployment';

export interface PodStatus {
  readonly namespace: string;
  readonly name: string;
  /** `2/2`: containers that are Ready, of all. */
  readonly containers: string;
  readonly state: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly age: string;
  readonly image: string;
}

export interface StackStatus {
  readonly stack: string;
  readonly deployment: Deployment | undefined;
  readonly nodes: readonly { readonly name: string; readonly ready: boolean; readonly version: string }[];
  readonly pods: readonly PodStatus[];
  /** `Deployment noodle-runtime: 1 of 2 replicas are Ready`. */
  readonly short: readonly string[];
  /** `noodle-runtime: cpu 12 % of 75 %, 2 replicas (1 to 4)`. */
  readonly autoscalers: readonly string[];
  /** `https://noodle.trellis.localhost/ → noodle-runtime-service`. */
  readonly routes: readonly string[];
  /** Everything that should run is Ready. */
  readonly ready: boolean;
}

/** `41s`, `12m`, `5h`, `9d`. */
export function age(since: Date | string | undefined, now = Date.now()): string {
  if (since === undefined) return '?';
  const seconds = Math.max(0, Math.round((now - new Date(since).getTime()) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** Why a pod isn't running, in the container's own word where there is one. */
function stateOf(pod: Client.V1Pod): string {
  if (pod.metadata?.deletionTimestamp !== undefined) return 'Terminating';
  const all = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const waiting = all.map(({ state }) => state?.waiting?.reason).find((reason) => reason !== undefined);
  return waiting ?? pod.status?.phase ?? 'Unknown';
}

export function podStatus(pod: Client.V1Pod, now = Date.now()): PodStatus {
  const statuses = pod.status?.containerStatuses ?? [];
  const isReady = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  const leaving = pod.metadata?.deletionTimestamp !== undefined;
  // A Job's pod is never Ready for long; whether the Job did its work is told by the Job.
  const ofJob = pod.metadata?.ownerReferences?.some(({ kind }) => kind === 'Job') ?? false;
  return {
    namespace: pod.metadata?.namespace ?? '',
    name: pod.metadata?.name ?? '',
    containers: `${statuses.filter(({ ready }) => ready).length}/${pod.spec?.containers.length ?? 0}`,
    state: stateOf(pod),
    ready: isReady || leaving || ofJob || pod.status?.phase === 'Succeeded',
    restarts: statuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
    age: age(pod.metadata?.creationTimestamp, now),
    image: (pod.spec?.containers[0]?.image ?? '').replace(/@sha256:([0-9a-f]{12})[0-9a-f]*$/, '@$1'),
  };
}

/** Figures of an autoscaler as one line; a figure that wasn't measured yet is a question mark. */
export function autoscalerLine({ metadata, spec, status }: Client.V2HorizontalPodAutoscaler): string {
  const figures = (spec?.metrics ?? []).map(({ resource }) => {
    const current = status?.currentMetrics?.find((metric) => metric?.resource?.name === resource?.name);
    const measured = current?.resource?.current.averageUtilization ?? '?';
    return `${resource?.name ?? 'metric'} ${measured} % of ${resource?.target.averageUtilization ?? '?'} %`;
  });
  const range = `${spec?.minReplicas ?? 1} to ${spec?.maxReplicas ?? '?'}`;
  return `${metadata?.name ?? ''}: ${figures.join(', ')}, ${status?.currentReplicas ?? 0} replicas (${range})`;
}

interface Workload {
  readonly metadata?: { readonly name?: string };
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly readyReplicas?: number };
}

/** A workload whose pods were refused has none to look at: only its own figures show that. */
function shortOf(kind: string, items: readonly Workload[]): readonly string[] {
  return items.flatMap(({ metadata, spec, status }) => {
    const [wanted, there] = [spec?.replicas ?? 1, status?.readyReplicas ?? 0];
    return there >= wanted ? [] : [`${kind} ${metadata?.name ?? ''}: ${there} of ${wanted} replicas are Ready`];
  });
}

/** Autoscalers that haven't brought their workload to the smallest number yet: until then it isn't known whether that fits. */
export const belowMinimum = (scalers: readonly Client.V2HorizontalPodAutoscaler[]): readonly string[] =>
  scalers.flatMap(({ metadata, spec, status }) => {
    const [least, there] = [spec?.minReplicas ?? 1, status?.currentReplicas ?? 0];
    return there >= least ? [] : [`Autoscaler ${metadata?.name ?? ''}: ${there} of at least ${least} replicas`];
  });

function routesOf(ingresses: readonly Client.V1Ingress[]): readonly string[] {
  return ingresses.flatMap(({ spec }) =>
    (spec?.rules ?? []).flatMap(({ host, http }) =>
      (http?.paths ?? []).map(
        ({ path, backend }) => `https://${host ?? '*'}${path ?? '/'} → ${backend.service?.name ?? '?'}`,
      ),
    ),
  );
}

async function look(stack: string, deployment: Deployment | undefined, connection: Connection): Promise<StackStatus> {
  const { config, client } = connection;
  const core = config.makeApiClient(client.CoreV1Api);
  const apps = config.makeApiClient(client.AppsV1Api);
  const scaling = config.makeApiClient(client.AutoscalingV2Api);
  const network = config.makeApiClient(client.NetworkingV1Api);
  const spaces = deployment?.namespaces ?? [];
  const all = async <T>(list: (request: { namespace: string }) => Promise<{ items: T[] }>): Promise<readonly T[]> =>
    (await Promise.all(spaces.map((namespace) => list({ namespace })))).flatMap(({ items }) => items);
  const [nodes, pods, deployments, sets, scalers, ingresses] = await Promise.all([
    core.listNode(),
    all((request) => core.listNamespacedPod(request)),
    all((request) => apps.listNamespacedDeployment(request)),
    all((request) => apps.listNamespacedStatefulSet(request)),
    all((request) => scaling.listNamespacedHorizontalPodAutoscaler(request)),
    all((request) => network.listNamespacedIngress(request)),
  ]);
  const found = pods.map((pod) => podStatus(pod));
  const short = [...shortOf('Deployment', deployments), ...shortOf('StatefulSet', sets), ...belowMinimum(scalers)];
  const nodeList = nodes.items.map(({ metadata, status }) => ({
    name: metadata?.name ?? '',
    ready: status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false,
    version: status?.nodeInfo?.kubeletVersion ?? '?',
  }));
  return {
    stack,
    deployment,
    nodes: nodeList,
    pods: found,
    short,
    autoscalers: scalers.map(autoscalerLine),
    routes: routesOf(ingresses),
    ready:
      deployment !== undefined &&
      found.length > 0 &&
      short.length === 0 &&
      found.every(({ ready }) => ready) &&
      nodeList.some(({ ready }) => ready),
  };
}

export interface StatusQuery {
  readonly stack: string;
  /** Looks again until all is Ready, for so long. @default 0 */
  readonly waitMs?: number;
  readonly progress?: (line: string) => void;
  /** Where the environment is rehearsed. @default - the real one */
  readonly rehearsal?: Rehearsal;
}

/** What the stack's cluster says of its pods. @throws CliError where it doesn't answer */
export async function stackStatus(query: StatusQuery): Promise<StackStatus> {
  const connection = await connect(query.stack, query.rehearsal);
  const deployment = await deploymentOf(query.stack, query.rehearsal);
  const deadline = Date.now() + (query.waitMs ?? 0);
  for (;;) {
    const found = await look(query.stack, deployment, connection).catch((error: unknown) => {
      throw unreachable(connection.context, error);
    });
    if (found.ready || Date.now() >= deadline) return found;
    query.progress?.([...found.short, ...found.pods.filter(({ ready }) => !ready).map(({ name }) => name)].join(', '));
    await sleep(1_000);
  }
}
