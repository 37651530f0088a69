import type { PlainValue } from '../../shared/values';
import type { Cluster } from '../cluster';
import { KubernetesError } from '../errors';
import { count, list, nameOf, namespaceOf, pluck, record, scalar, text } from '../objects';
import type { Gvk, KubeObject } from '../objects';
import { condition } from './verdict';

/** More pods than these say the same again. */
const PODS = 3;
const EVENTS = 3;

interface Scene {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/** A label selector as the API takes it in a query; undefined for an empty one, which would select everything. */
function labelSelector(selector: PlainValue | undefined): string | undefined {
  const labels = Object.entries(record(selector, 'matchLabels')).map(([key, value]) => `${key}=${scalar(value)}`);
  const expressions = list(selector, 'matchExpressions').map((item) => {
    const [key = '', operator = ''] = [text(item, 'key'), text(item, 'operator')];
    const values = `(${list(item, 'values').map(scalar).join(',')})`;
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'NotIn' ? 'notin' : 'in'} ${values}`;
  });
  const all = [...labels, ...expressions];
  return all.length === 0 ? undefined : all.join(',');
}

/** What warns about an object, newest first. */
async function warnings(scene: Scene, name: string, kind: string): Promise<string[]> {
  const events = await scene.cluster.list(
    `/api/v1/namespaces/${scene.namespace}/events`,
    { fieldSelector: `involvedObject.name=${name},involvedObject.kind=${kind},type=Warning` },
    scene,
  );
  const at = (event: KubeObject): string => text(event, 'lastTimestamp') ?? text(event, 'eventTime') ?? '';
  const sorted = [...events].sort((a, b) => at(b).localeCompare(at(a)));
  const lines = sorted.map((event) => `${text(event, 'reason') ?? ''}: ${text(event, 'message') ?? ''}`);
  return [...new Set(lines)].slice(0, EVENTS);
}

async function crash(
  scene: Scene,
  pod: string,
  status: PlainValue,
  exited: PlainValue,
  previous: boolean,
): Promise<string> {
  const name = text(status, 'name') ?? '';
  const restarts = count(status, 'restartCount') ?? 0;
  const code = count(exited, 'exitCode') ?? 0;
  const reason = text(exited, 'reason') ?? '';
  const why =
    code === 0 && reason === ''
      ? ''
      : ` with exit code ${code}${reason === '' || reason === 'Error' ? '' : ` (${reason})`}`;
  const log = await scene.cluster.logs(scene.namespace, pod, name, previous, scene);
  const lines = log === '' ? ['      (it wrote nothing)'] : log.split('\n').map((line) => `      | ${line}`);
  const message = text(exited, 'message');
  return [
    `pod ${pod}, container ${name}: ended${why}, ${restarts} restarts${message === undefined ? '' : `: ${message}`}; its last lines:`,
    ...lines,
  ].join('\n');
}

/** What keeps one container from running: undefined where nothing does. */
async function containerProblem(scene: Scene, pod: string, status: PlainValue): Promise<string | undefined> {
  const name = text(status, 'name') ?? '';
  const waitingReason = text(status, 'state', 'waiting', 'reason');
  const message = text(status, 'state', 'waiting', 'message');
  const ended = pluck(status, 'state', 'terminated');
  const before = pluck(status, 'lastState', 'terminated');
  if (ended !== undefined && (count(ended, 'exitCode') ?? 0) !== 0) return crash(scene, pod, status, ended, false);
  if (waitingReason === 'CrashLoopBackOff' && before !== undefined) return crash(scene, pod, status, before, true);
  if (
    waitingReason === 'ErrImagePull' ||
    waitingReason === 'ImagePullBackOff' ||
    waitingReason === 'InvalidImageName'
  ) {
    return `pod ${pod}, container ${name}: image ${text(status, 'image') ?? ''} can't be pulled (${waitingReason}): ${message ?? ''}`;
  }
  if (waitingReason !== undefined && !['ContainerCreating', 'PodInitializing'].includes(waitingReason)) {
    return `pod ${pod}, container ${name}: ${waitingReason}${message === undefined ? '' : `: ${message}`}`;
  }
  if (pluck(status, 'state', 'running') !== undefined && pluck(status, 'ready') === false && before !== undefined) {
    return crash(scene, pod, status, before, true);
  }
  return undefined;
}

/** What keeps one pod from being ready, in the words of the scheduler, the kubelet or the container itself. */
export async function podProblems(cluster: Cluster, pod: KubeObject, signal: AbortSignal): Promise<string[]> {
  const scene: Scene = { cluster, namespace: namespaceOf(pod), signal };
  const name = nameOf(pod);
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status === 'False')
    return [`pod ${name} can't be scheduled: ${scheduled.message || scheduled.reason}`];
  const statuses = [...list(pod, 'status', 'initContainerStatuses'), ...list(pod, 'status', 'containerStatuses')];
  const found: string[] = [];
  for (const status of statuses) {
    const problem = await containerProblem(scene, name, status);
    if (problem !== undefined) found.push(problem);
  }
  if (found.length > 0) return found;
  const events = await warnings(scene, name, 'Pod');
  if (events.length > 0) return events.map((line) => `pod ${name}: ${line}`);
  const reason = text(pod, 'status', 'message') ?? text(pod, 'status', 'phase') ?? 'no status';
  const idle = statuses.filter((status) => pluck(status, 'ready') !== true).map((status) => text(status, 'name') ?? '');
  return [`pod ${name}: ${reason}${idle.length === 0 ? '' : `; not ready: ${idle.join(', ')}`}`];
}

const isReady = (pod: KubeObject): boolean => condition(pod, 'Ready')?.status === 'True';

async function podsOf(scene: Scene, live: KubeObject): Promise<readonly KubeObject[]> {
  const selector = labelSelector(pluck(live, 'spec', 'selector'));
  if (selector === undefined) return [];
  const pods = await scene.cluster.list(
    `/api/v1/namespaces/${scene.namespace}/pods`,
    { labelSelector: selector },
    scene,
  );
  // The newest first: after a failed update they are the ones of the new template.
  const made = (pod: KubeObject): string => text(pod, 'metadata', 'creationTimestamp') ?? '';
  return pods
    .filter((pod) => !isReady(pod) && text(pod, 'metadata', 'deletionTimestamp') === undefined)
    .filter((pod) => text(pod, 'status', 'phase') !== 'Succeeded')
    .sort((a, b) => made(b).localeCompare(made(a)))
    .slice(0, PODS);
}

async function workloadProblems(scene: Scene, gvk: Gvk, live: KubeObject): Promise<string[]> {
  const found: string[] = [];
  const failure = condition(live, 'ReplicaFailure');
  if (failure?.status === 'True') found.push(failure.message);
  for (const pod of await podsOf(scene, live)) found.push(...(await podProblems(scene.cluster, pod, scene.signal)));
  found.push(...(await warnings(scene, nameOf(live), gvk.kind)));
  return found;
}

/**
 * Why an object is not ready. Never fails: a diagnosis that can't be made is an empty one.
 * The answers may hold what a container printed; who shows them masks secrets.
 */
export async function diagnose(cluster: Cluster, gvk: Gvk, live: KubeObject, signal: AbortSignal): Promise<string[]> {
  const scene: Scene = { cluster, namespace: namespaceOf(live), signal };
  try {
    const found =
      gvk.group === '' && gvk.kind === 'Pod'
        ? await podProblems(cluster, live, signal)
        : await workloadProblems(scene, gvk, live);
    return [...new Set(found)];
  } catch (error) {
    if (error instanceof KubernetesError) return [];
    throw error;
  }
}
