import { pause } from '../client';
import type { Cluster } from '../cluster';
import { builtIn } from '../discovery';
import { CanceledError, KubernetesError, NotReadyError } from '../errors';
import { annotation, display, nameOf, namespaceOf, scalar, text } from '../objects';
import type { Gvk, KubeObject } from '../objects';
import { diagnose } from './diagnosis';
import * as others from './others';
import { judgedAt, READY } from './verdict';
import type { Rule, Verdict } from './verdict';
import * as workloads from './workloads';

interface Waiting {
  readonly rule: Rule;
  /** Seconds, where neither program nor annotation says otherwise: the vendor's. */
  readonly timeout: number;
}

const rules: Readonly<Record<string, Waiting>> = {
  '/Namespace': { rule: others.namespace, timeout: 60 },
  '/PersistentVolume': { rule: others.persistentVolume, timeout: 300 },
  '/PersistentVolumeClaim': { rule: others.persistentVolumeClaim, timeout: 300 },
  '/Pod': { rule: workloads.pod, timeout: 600 },
  '/ReplicationController': { rule: workloads.replicaSet, timeout: 600 },
  '/ResourceQuota': { rule: others.resourceQuota, timeout: 60 },
  '/Secret': { rule: others.secret, timeout: 30 },
  '/Service': { rule: others.service, timeout: 600 },
  'apiextensions.k8s.io/CustomResourceDefinition': { rule: others.definition, timeout: 60 },
  'apiregistration.k8s.io/APIService': { rule: others.apiService, timeout: 300 },
  'apps/DaemonSet': { rule: workloads.daemonSet, timeout: 600 },
  'apps/Deployment': { rule: workloads.deployment, timeout: 600 },
  'apps/ReplicaSet': { rule: workloads.replicaSet, timeout: 600 },
  'apps/StatefulSet': { rule: workloads.statefulSet, timeout: 600 },
  'batch/Job': { rule: workloads.job, timeout: 600 },
  'networking.k8s.io/Ingress': { rule: others.ingress, timeout: 600 },
};

const DELETE_TIMEOUT_S: Readonly<Record<string, number>> = { 'apps/Deployment': 600, 'apps/StatefulSet': 600 };
const DEFAULT_DELETE_TIMEOUT_S = 300;
const CUSTOM_TIMEOUT_S = 600;

/** First looks are frequent, so that what is ready at once costs nothing; later ones are cheap for the API server. */
const FIRST_POLL_MS = 150;
const LAST_POLL_MS = 1_500;

export interface AwaitRequest {
  readonly cluster: Cluster;
  readonly gvk: Gvk;
  /** What was applied: its annotations count. */
  readonly inputs: KubeObject;
  /** What the API server answered. */
  readonly live: KubeObject;
  /** Seconds from the resource's `customTimeouts`; 0 where the program sets none. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** Shows where it stands; replaced by the next. */
  readonly status: (line: string) => void;
}

/** Seconds to wait: from the program, else from the annotation, else the vendor's default. */
export function timeoutOf(custom: number, inputs: KubeObject, standard: number): number {
  if (custom > 0) return custom;
  const annotated = Number.parseInt(annotation(inputs, 'pulumi.com/timeoutSeconds') ?? '', 10);
  return Number.isNaN(annotated) ? standard : annotated;
}

function waitFor(source: string): Rule {
  let sources: string[];
  try {
    sources = [JSON.parse(source) as string | string[]].flat();
  } catch {
    sources = [source];
  }
  const wanted = sources.map((item) => {
    const rule = others.expression(item);
    if (rule === undefined) {
      throw new KubernetesError(`annotation pulumi.com/waitFor: "${item}" is neither condition=… nor jsonpath=…`);
    }
    return rule;
  });
  return async (live, surroundings) => {
    for (const rule of wanted) {
      const verdict = await rule(live, surroundings);
      if (!verdict.ready) return verdict;
    }
    return READY;
  };
}

/** The rule for an object; undefined where its existence is all there is to wait for. */
export function ruleFor(gvk: Gvk, inputs: KubeObject): Waiting | undefined {
  if (workloads.skipped(inputs)) return undefined;
  const asked = annotation(inputs, 'pulumi.com/waitFor');
  if (asked !== undefined) return { rule: waitFor(asked), timeout: CUSTOM_TIMEOUT_S };
  const rule = rules[`${gvk.group}/${gvk.kind}`];
  return rule ?? (builtIn(gvk) ? undefined : { rule: others.custom, timeout: CUSTOM_TIMEOUT_S });
}

/**
 * Waits until the object is ready.
 * @returns the object as it is then
 * @throws NotReadyError with what the cluster says, after the time-out or when waiting is of no use; CanceledError
 */
export async function untilReady(request: AwaitRequest): Promise<KubeObject> {
  const { cluster, gvk, inputs, signal, status } = request;
  const wait = ruleFor(gvk, inputs);
  if (wait === undefined) return request.live;
  const limit = timeoutOf(request.timeout, inputs, wait.timeout);
  const began = Date.now();
  let live = request.live;
  const stale = workloads.seen(live) ? undefined : judgedAt(live, 'Progressing');
  let shown = '';
  for (let poll = FIRST_POLL_MS; ; poll = Math.min(poll * 1.5, LAST_POLL_MS)) {
    const elapsed = (Date.now() - began) / 1000;
    const verdict: Verdict = await wait.rule(live, { cluster, gvk, elapsed, signal, stale });
    if (verdict.ready) {
      if (shown !== '') status('');
      return live;
    }
    if (verdict.fatal !== undefined || elapsed >= limit) {
      throw await notReady(request, live, verdict.fatal ?? `${verdict.status} after ${Math.round(elapsed)} s`);
    }
    if (verdict.status !== shown) status(verdict.status);
    shown = verdict.status;
    try {
      await pause(Math.min(poll, Math.max(20, (limit - elapsed) * 1000)), signal);
    } catch (error) {
      if (!(error instanceof CanceledError)) throw error;
      throw new NotReadyError(`canceled while waiting for ${display(live)}`, [verdict.status]);
    }
    const next = await cluster.get(gvk, namespaceOf(live), nameOf(live), { signal });
    if (next === undefined) throw new NotReadyError(`${display(live)} was deleted while it was waited for`, []);
    live = next;
  }
}

async function notReady(request: AwaitRequest, live: KubeObject, reason: string): Promise<NotReadyError> {
  const problems = await diagnose(request.cluster, request.gvk, live, request.signal);
  const more = problems.filter((problem) => !reason.includes(problem));
  return new NotReadyError(`${display(live)} did not become ready: ${reason}`, more);
}

/** Waits until the object is gone, or another one has its name. */
export async function untilGone(
  request: Omit<AwaitRequest, 'live'> & {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string | undefined;
  },
): Promise<void> {
  const { cluster, gvk, inputs, signal, status, name, namespace, uid } = request;
  const limit = timeoutOf(
    request.timeout,
    inputs,
    DELETE_TIMEOUT_S[`${gvk.group}/${gvk.kind}`] ?? DEFAULT_DELETE_TIMEOUT_S,
  );
  const began = Date.now();
  for (let poll = 50; ; poll = Math.min(poll * 2, LAST_POLL_MS)) {
    const live = await cluster.get(gvk, namespace, name, { signal });
    if (live === undefined || (uid !== undefined && text(live, 'metadata', 'uid') !== uid)) return;
    const elapsed = (Date.now() - began) / 1000;
    const finalizers = (live['metadata'] as KubeObject)['finalizers'];
    const held = Array.isArray(finalizers) && finalizers.length > 0 ? ` (finalizers: ${finalizers.join(', ')})` : '';
    if (elapsed >= limit) {
      throw new NotReadyError(
        `${display(live)} still exists ${Math.round(elapsed)} s after its deletion${held}`,
        remains(live),
      );
    }
    if (elapsed > 1) status(`waiting for the deletion${held}`);
    await pause(poll, signal);
  }
}

/** What a namespace says about what it still holds. */
function remains(live: KubeObject): string[] {
  const conditions = (live['status'] as KubeObject | undefined)?.['conditions'];
  if (!Array.isArray(conditions)) return [];
  return (conditions as readonly KubeObject[])
    .filter((item) => item['status'] === 'True' && typeof item['message'] === 'string')
    .map((item) => scalar(item['message']));
}
