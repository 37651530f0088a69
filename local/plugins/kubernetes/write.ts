import { InitializationError } from '../shared/provider';
import type { Context, CreateRequest, CreateResponse, UpdateRequest, UpdateResponse } from '../shared/provider';
import type { PropertyMap } from '../shared/values';
import { plain } from '../shared/values';
import { untilGone, untilReady } from './await';
import { pause } from './client';
import type { Applied } from './cluster';
import { ApiError, KubernetesError, messageOf, NoSuchKindError } from './errors';
import { appliedBy, takenOver, withoutIgnored } from './managers';
import { fieldManagerFor } from './naming';
import {
  annotation,
  annotationTrue,
  apiVersionOf,
  asObject,
  display,
  idOf,
  nameOf,
  namespaceOf,
  text,
} from './objects';
import type { Gvk, KubeObject } from './objects';
import { previewCreate, previewUpdate } from './preview';
import { alreadyExists, explain } from './refusal';
import type { Session } from './session';
import { fromState, toState } from './state';
import { admitSize, adopts, isClaim, makeRoom, mustBeAnew } from './volumes';

/** How long a namespace or kind that is not there may be on its way: other resources of the same update bring it. */
const ARRIVAL_S = 20;

interface Write {
  readonly session: Session;
  readonly context: Context;
  readonly gvk: Gvk;
  readonly object: KubeObject;
  readonly inputs: PropertyMap;
  readonly fieldManager: string;
  readonly initialApiVersion: string;
  readonly timeout: number;
}

const forced = (session: Session, object: KubeObject): boolean =>
  session.settings.patchForce || annotationTrue(object, 'pulumi.com/patchForce');

const managerOf = (object: KubeObject): string | undefined => annotation(object, 'pulumi.com/patchFieldManager');

/** Whether what is missing may come in a moment. */
const arriving = (error: unknown): boolean =>
  error instanceof NoSuchKindError ||
  (error instanceof ApiError &&
    (error.namespaceMissing ||
      (error.code === 403 && /error looking up service account|being terminated/.test(error.message))));

async function applyWhenPossible(write: Write): Promise<Applied> {
  const { session, context, gvk, object, fieldManager } = write;
  const began = Date.now();
  for (let wait = 250; ; wait = Math.min(wait * 2, 2_000)) {
    try {
      return await session.cluster.apply(gvk, object, {
        fieldManager,
        force: forced(session, object),
        dryRun: false,
        signal: context.signal,
      });
    } catch (error) {
      if (!arriving(error) || Date.now() - began > ARRIVAL_S * 1000) {
        throw error instanceof ApiError ? new KubernetesError(explain(error, object)) : error;
      }
      session.status(context)(`waiting: ${messageOf(error)}`);
      await pause(wait, context.signal);
    }
  }
}

/** Waits until what was applied is ready. Whatever goes wrong now, the object is there, and state has to know it. */
async function settle(write: Write, applied: Applied): Promise<PropertyMap> {
  const { session, context, gvk, object, inputs, fieldManager, initialApiVersion, timeout } = write;
  session.forward(context, applied.warnings);
  if (gvk.kind === 'CustomResourceDefinition') session.cluster.discovery.reset();
  const state = (live: KubeObject): PropertyMap => toState(live, inputs, fieldManager, initialApiVersion);
  try {
    const live = await untilReady({
      cluster: session.cluster,
      gvk,
      inputs: object,
      live: applied.object,
      timeout,
      signal: context.signal,
      status: session.status(context),
    });
    return state(live);
  } catch (error) {
    const live = await session.cluster
      .get(gvk, namespaceOf(object), nameOf(object), { patience: 1 })
      .catch(() => undefined);
    const reasons = [session.redactor.text(messageOf(error))];
    throw new InitializationError(idOf(applied.object), state(live ?? applied.object), inputs, reasons);
  }
}

/** Decides whether an object of that name may be taken for this resource's own. */
async function claim(write: Write): Promise<void> {
  const { session, context, gvk, object, fieldManager } = write;
  if (session.isPatch(context, gvk)) return;
  const find = async (): Promise<KubeObject | undefined> => {
    try {
      return await session.cluster.get(gvk, namespaceOf(object), nameOf(object), { signal: context.signal });
    } catch (error) {
      if (error instanceof NoSuchKindError) return undefined;
      throw error;
    }
  };
  const existing = await find();
  if (existing === undefined) return;
  if (text(existing, 'metadata', 'deletionTimestamp') !== undefined) {
    await untilGone({
      cluster: session.cluster,
      gvk,
      inputs: object,
      timeout: write.timeout,
      signal: context.signal,
      status: session.status(context),
      name: nameOf(object),
      namespace: namespaceOf(object),
      uid: text(existing, 'metadata', 'uid'),
    });
    return;
  }
  if (adopts(gvk, object, existing, fieldManager)) return await adopt(write, existing);
  if (session.settings.upsert) return;
  if (!appliedBy(existing, fieldManager)) throw alreadyExists(object);
  // The engine leaves one that was retained where it stands; its pods are its successor's.
  if (session.keepPods.has(context.urn)) {
    return await makeRoom(session, context, gvk, existing, { orphan: true, timeout: write.timeout });
  }
  context.log('info', `${display(object)} was made by an interrupted update of this stack; going on with it`);
}

/** Goes on with a claim that exists; its size has to be possible. */
async function adopt({ session, context, gvk, object, timeout }: Write, existing: KubeObject): Promise<void> {
  if (mustBeAnew(gvk, existing, object)) {
    return makeRoom(session, context, gvk, existing, { orphan: false, timeout });
  }
  await admitSize(session, context, existing, object);
  context.log('info', `${display(object)} exists already; going on with it`);
}

export async function create(session: Session, request: CreateRequest, context: Context): Promise<CreateResponse> {
  const { inputs, preview, timeout } = request;
  session.redactor.learn(inputs);
  const object = asObject(plain(inputs));
  const gvk = session.gvk(context, object);
  const fieldManager = managerOf(object) ?? fieldManagerFor(context.urn);
  if (preview) {
    const force = forced(session, object);
    return { id: '', outputs: await previewCreate(session, { context, gvk, object, inputs, fieldManager, force }) };
  }
  const initialApiVersion = apiVersionOf(gvk);
  const write = { session, context, gvk, object, inputs, fieldManager, initialApiVersion, timeout };
  await claim(write);
  const applied = await applyWhenPossible(write);
  return { id: idOf(applied.object), outputs: await settle(write, applied) };
}

export async function update(session: Session, request: UpdateRequest, context: Context): Promise<UpdateResponse> {
  const { news: inputs, preview, timeout } = request;
  session.redactor.learn(inputs, request.olds, request.oldInputs);
  const object = asObject(plain(inputs));
  const gvk = session.gvk(context, object);
  const old = fromState(request.olds);
  const former = old.fieldManager ?? fieldManagerFor(context.urn);
  const fieldManager = managerOf(object) ?? former;
  const force = forced(session, object);
  if (preview) {
    const input = {
      context,
      gvk,
      object,
      inputs,
      fieldManager,
      force,
      live: old.live,
      ignoreChanges: request.ignoreChanges,
    };
    return { outputs: await previewUpdate(session, input) };
  }
  const initialApiVersion = old.initialApiVersion ?? apiVersionOf(gvk);
  const write = { session, context, gvk, object, inputs, fieldManager, initialApiVersion, timeout };
  const applied = await applyWhenPossible(await prepare(write, request.ignoreChanges));
  if (former !== fieldManager) await relinquish(session, context, gvk, object, former);
  return { outputs: await settle(write, applied) };
}

/**
 * What was edited by hand becomes ours before it is applied: a person with kubectl is no other owner. What the program
 * ignores is left to whoever owns it.
 */
async function prepare(write: Write, ignoreChanges: readonly string[]): Promise<Write> {
  const { session, context, gvk, object, fieldManager } = write;
  const options = { signal: context.signal };
  for (let attempt = 0; ; attempt++) {
    const live = await session.cluster.get(gvk, namespaceOf(object), nameOf(object), options);
    if (live === undefined) return write;
    if (mustBeAnew(gvk, live, object)) {
      await makeRoom(session, context, gvk, live, { orphan: false, timeout: write.timeout });
      return write;
    }
    if (isClaim(gvk)) await admitSize(session, context, live, object);
    const prepared = { ...write, object: withoutIgnored(object, live, fieldManager, ignoreChanges) };
    const fields = session.isPatch(context, gvk) ? undefined : takenOver(live, fieldManager);
    if (fields === undefined || attempt === 5) return prepared;
    try {
      await session.cluster.patchManagers(gvk, live, fields, options);
      return prepared;
    } catch (error) {
      // Somebody wrote in between: look again.
      if (!(error instanceof ApiError) || ![409, 422].includes(error.code)) throw error;
    }
  }
}

/** Gives up all fields of a manager: those that nobody else owns disappear. */
export async function relinquish(
  session: Session,
  context: Context,
  gvk: Gvk,
  object: KubeObject,
  fieldManager: string,
): Promise<void> {
  const empty = { metadata: { name: nameOf(object), namespace: namespaceOf(object) } };
  try {
    await session.cluster.apply(gvk, empty, { fieldManager, force: true, dryRun: false, signal: context.signal });
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return;
    throw error instanceof ApiError ? new KubernetesError(explain(error, object)) : error;
  }
}
