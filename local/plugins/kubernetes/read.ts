import { InitializationError } from '../shared/provider';
import type { Context, DeleteRequest, ReadRequest, ReadResponse } from '../shared/provider';
import { plain } from '../shared/values';
import { ruleFor, untilGone } from './await';
import { diagnose } from './await/diagnosis';
import type { Propagation } from './cluster';
import { builtIn } from './discovery';
import { ApiError, KubernetesError, NoSuchKindError, UnreachableError } from './errors';
import { importedInputs, liveInputs } from './live-inputs';
import { fieldManagerFor } from './naming';
import { annotation, annotationTrue, apiVersionOf, asObject, display, parseId, text, withIn } from './objects';
import type { Gvk, KubeObject } from './objects';
import { explain } from './refusal';
import { seal } from './secrets';
import type { Session } from './session';
import { fromState, toState } from './state';
import { relinquish } from './write';

const GONE: ReadResponse = { id: '', outputs: {}, inputs: {} };
const HINT = 'If the cluster is gone for good, set PULUMI_K8S_DELETE_UNREACHABLE=true to forget its objects.';

/** Kinds whose readiness a refresh tells, as the vendor's does. */
const TOLD = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'Pod', 'Service', 'Ingress']);

/** Refresh, import and `get`: the object as it is, and the program's fields as they are now. */
export async function read(session: Session, request: ReadRequest, context: Context): Promise<ReadResponse> {
  session.redactor.learn(request.inputs, request.state);
  const checkpoint = fromState(request.state);
  const given = asObject(plain(request.inputs));
  const before = Object.keys(given).length > 0 ? given : checkpoint.inputs;
  const gvk = session.gvk(context, before);
  const { namespace, name } = parseId(request.id);
  let live: KubeObject | undefined;
  try {
    live = await session.cluster.get(gvk, namespace || session.namespace, name, { signal: context.signal });
  } catch (error) {
    if (error instanceof NoSuchKindError) return GONE;
    return unreachableRead(session, request, context, error);
  }
  if (live === undefined) return GONE;
  const known = text(before, 'kind') !== undefined;
  const now = known ? liveInputs(before, checkpoint.live, live) : importedInputs(live);
  const inputs = seal(now, request.inputs);
  session.redactor.learn(inputs);
  const manager = annotation(before, 'pulumi.com/patchFieldManager') ?? checkpoint.fieldManager;
  const outputs = toState(
    live,
    inputs,
    manager ?? fieldManagerFor(context.urn),
    checkpoint.initialApiVersion ?? apiVersionOf(gvk),
  );
  if (known) await tellReadiness(session, context, gvk, before, live, { id: request.id, outputs, inputs });
  return { id: request.id, outputs, inputs };
}

function unreachableRead(session: Session, request: ReadRequest, context: Context, error: unknown): ReadResponse {
  if (error instanceof ApiError) throw new KubernetesError(`${context.name} (${request.id}): ${error.message}`);
  if (!(error instanceof UnreachableError)) throw error;
  if (session.settings.deleteUnreachable) {
    session.sayOnce(context, 'warning', `${error.message}; its objects are forgotten (deleteUnreachable)`);
    return GONE;
  }
  if (session.settings.skipUpdateUnreachable) {
    session.sayOnce(
      context,
      'warning',
      `${error.message}; its objects are kept as they were last known (skipUpdateUnreachable)`,
    );
    return { id: request.id, outputs: request.state, inputs: request.inputs };
  }
  throw new KubernetesError(`${error.message}\n${HINT}`);
}

/** One look, no waiting: what is not ready is recorded, so that the next update waits for it again. */
async function tellReadiness(
  session: Session,
  context: Context,
  gvk: Gvk,
  inputs: KubeObject,
  live: KubeObject,
  state: ReadResponse,
): Promise<void> {
  if (!TOLD.has(gvk.kind) || !builtIn(gvk)) return;
  const { cluster } = session;
  const verdict = await ruleFor(gvk, inputs)?.rule(live, { cluster, gvk, elapsed: Infinity, signal: context.signal });
  if (verdict === undefined || verdict.ready) return;
  const problems = await diagnose(cluster, gvk, live, context.signal);
  const reasons = [`${display(live)} is not ready: ${verdict.status}`, ...problems].map((line) =>
    session.redactor.text(line),
  );
  throw new InitializationError(state.id, state.outputs, state.inputs, reasons);
}

/** Kinds that own others: their parts go first, so that a successor meets nothing of them. */
const ownsOthers = (gvk: Gvk): boolean =>
  ['apps', 'batch'].includes(gvk.group) || !builtIn(gvk) || gvk.kind === 'ReplicationController';

/** The vendor skips the wait for the end of these kinds, and no others, where the annotation asks for it. */
const SKIPPABLE = new Set([
  'Namespace',
  'Pod',
  'ReplicationController',
  'DaemonSet',
  'Deployment',
  'StatefulSet',
  'Job',
]);
const unawaited = (inputs: KubeObject, gvk: Gvk): boolean =>
  annotationTrue(inputs, 'pulumi.com/skipAwait') && SKIPPABLE.has(gvk.kind);

function propagation(inputs: KubeObject, gvk: Gvk, keepPods: boolean): Propagation {
  switch (annotation(inputs, 'pulumi.com/deletionPropagationPolicy')?.toLowerCase()) {
    case 'orphan':
      return 'Orphan';
    case 'background':
      return 'Background';
    case 'foreground':
      return 'Foreground';
    default:
      if (keepPods) return 'Orphan';
      // Where nobody waits for the end, its parts need not go first, and the name is free at once.
      return ownsOthers(gvk) && !unawaited(inputs, gvk) ? 'Foreground' : 'Background';
  }
}

export async function remove(session: Session, request: DeleteRequest, context: Context): Promise<void> {
  session.redactor.learn(request.state, request.oldInputs);
  const { live, inputs: kept, fieldManager } = fromState(request.state);
  const given = asObject(plain(request.oldInputs));
  const inputs = Object.keys(given).length > 0 ? given : kept;
  const gvk = session.gvk(context, live);
  const { namespace, name } = parseId(request.id);
  try {
    if (session.isPatch(context, gvk)) {
      const target = withIn(withIn(live, ['metadata', 'name'], name), ['metadata', 'namespace'], namespace);
      return await relinquish(session, context, gvk, target, fieldManager ?? fieldManagerFor(context.urn));
    }
    await removeObject(session, context, gvk, { namespace, name, inputs, live, timeout: request.timeout });
  } catch (error) {
    if (error instanceof NoSuchKindError) return;
    if (!(error instanceof UnreachableError)) throw error;
    if (!session.settings.deleteUnreachable) throw new KubernetesError(`${error.message}\n${HINT}`);
    session.sayOnce(context, 'warning', `${error.message}; its objects are forgotten (deleteUnreachable)`);
  }
}

interface Target {
  readonly namespace: string;
  readonly name: string;
  readonly inputs: KubeObject;
  readonly live: KubeObject;
  readonly timeout: number;
}

async function removeObject(session: Session, context: Context, gvk: Gvk, target: Target): Promise<void> {
  const { namespace, name, inputs, live, timeout } = target;
  const { cluster } = session;
  const { signal } = context;
  const uid = text(live, 'metadata', 'uid');
  try {
    const policy = propagation(inputs, gvk, session.keepPods.has(context.urn));
    await cluster.delete(gvk, namespace, name, policy, uid === undefined ? { signal } : { signal, uid });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code !== 409) throw new KubernetesError(explain(error, live));
    const now = await cluster.get(gvk, namespace, name, { signal });
    if (now === undefined) return;
    if (text(now, 'metadata', 'uid') === uid) throw new KubernetesError(explain(error, live));
    context.log('warning', `${display(live)} was replaced by another object of that name, which is left alone`);
    return;
  }
  if (gvk.kind === 'CustomResourceDefinition') cluster.discovery.reset();
  if (unawaited(inputs, gvk)) return;
  await untilGone({ cluster, gvk, inputs, timeout, signal, status: session.status(context), name, namespace, uid });
}
