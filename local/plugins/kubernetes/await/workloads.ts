import { annotation, count, pluck, text } from '../objects';
import type { KubeObject } from '../objects';
import { condition, failed, judgedAt, READY, waiting } from './verdict';
import type { Rule, Verdict } from './verdict';

/** Whether the controller knows the object as it is now. */
export const seen = (live: KubeObject): boolean =>
  (count(live, 'status', 'observedGeneration') ?? 0) >= (count(live, 'metadata', 'generation') ?? 0);

const status = (live: KubeObject, field: string): number => count(live, 'status', field) ?? 0;

/** A pod that admission refuses stays refused: nothing that runs later mends the template. */
function refused(live: KubeObject): Verdict | undefined {
  const failure = condition(live, 'ReplicaFailure');
  if (failure?.status !== 'True' || !failure.message.includes('violates PodSecurity')) return undefined;
  return failed(failure.message);
}

export const deployment: Rule = (live, { stale }) => {
  if (pluck(live, 'spec', 'paused') === true) return READY;
  if (!seen(live)) return waiting('waiting for the deployment controller');
  const progressing = condition(live, 'Progressing');
  // A failed roll-out that is undone is judged anew only once a pod has come or gone.
  const fresh = stale === undefined || judgedAt(live, 'Progressing') !== stale;
  if (progressing?.status === 'False' && fresh) return failed(`${progressing.reason}: ${progressing.message}`);
  const refusal = refused(live);
  if (refusal !== undefined) return refusal;
  const wanted = count(live, 'spec', 'replicas') ?? 1;
  const [updated, available, all] = [
    status(live, 'updatedReplicas'),
    status(live, 'availableReplicas'),
    status(live, 'replicas'),
  ];
  if (updated < wanted) return waiting(`${updated}/${wanted} replicas updated`);
  if (available < wanted) return waiting(`${available}/${wanted} replicas available`);
  if (all > updated) return waiting(`${all - updated} old replicas to end`);
  return READY;
};

export const statefulSet: Rule = (live) => {
  if (!seen(live)) return waiting('waiting for the stateful set controller');
  const wanted = count(live, 'spec', 'replicas') ?? 1;
  const ready = status(live, 'readyReplicas');
  if (ready < wanted) return waiting(`${ready}/${wanted} replicas ready`);
  if (text(live, 'spec', 'updateStrategy', 'type') === 'OnDelete') return READY;
  const partition = count(live, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const due = Math.max(0, wanted - partition);
  const same = text(live, 'status', 'currentRevision') === text(live, 'status', 'updateRevision');
  // The controller leaves `updatedReplicas` out once every pod has the current revision. A StatefulSet that took over another's pods
  // has one revision from the start, and pods of an older one.
  const updated = status(live, same && status(live, 'updatedReplicas') === 0 ? 'currentReplicas' : 'updatedReplicas');
  return updated < due ? waiting(`${updated}/${due} replicas updated`) : READY;
};

export const daemonSet: Rule = (live) => {
  if (!seen(live)) return waiting('waiting for the daemon set controller');
  const wanted = status(live, 'desiredNumberScheduled');
  const updated = status(live, 'updatedNumberScheduled');
  const available = status(live, 'numberAvailable');
  if (text(live, 'spec', 'updateStrategy', 'type') !== 'OnDelete' && updated < wanted) {
    return waiting(`${updated}/${wanted} pods updated`);
  }
  return available < wanted ? waiting(`${available}/${wanted} pods available`) : READY;
};

export const replicaSet: Rule = (live) => {
  if (!seen(live)) return waiting('waiting for the replica controller');
  const wanted = count(live, 'spec', 'replicas') ?? 1;
  const available = status(live, 'availableReplicas');
  return refused(live) ?? (available < wanted ? waiting(`${available}/${wanted} replicas available`) : READY);
};

export const job: Rule = (live) => {
  const over = condition(live, 'Failed');
  if (over?.status === 'True') return failed(`${over.reason}: ${over.message}`);
  if (condition(live, 'Complete')?.status === 'True') return READY;
  // A suspended job waits for a person; so does not the update.
  if (pluck(live, 'spec', 'suspend') === true) return READY;
  const wanted = count(live, 'spec', 'completions') ?? 1;
  return waiting(`${status(live, 'succeeded')}/${wanted} completions, ${status(live, 'active')} active`);
};

export const pod: Rule = (live) => {
  const phase = text(live, 'status', 'phase');
  if (phase === 'Succeeded' || condition(live, 'Ready')?.status === 'True') return READY;
  if (phase === 'Failed') return failed(text(live, 'status', 'message') ?? 'the pod failed');
  return waiting(condition(live, 'PodScheduled')?.status === 'True' ? 'starting' : 'waiting for a node');
};

/** Whether the user asks not to wait at all. */
export const skipped = (object: KubeObject): boolean => annotation(object, 'pulumi.com/skipAwait') === 'true';
