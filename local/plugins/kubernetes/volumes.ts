import type { Context } from '../shared/provider';
import { untilGone } from './await';
import { quantity } from './equivalence';
import { ApiError, KubernetesError } from './errors';
import { appliedBy, appliedByPulumi } from './managers';
import { annotationTrue, display, nameOf, namespaceOf, pluck, scalar, text } from './objects';
import type { Gvk, KubeObject } from './objects';
import type { Session } from './session';

/** On a claim: one of this name that exists already is the program's own, such as one that a StatefulSet's controller made. */
const ADOPT = 'trellis.dev/adopt';

const STORAGE_CLASS: Gvk = { group: 'storage.k8s.io', version: 'v1', kind: 'StorageClass' };
const SIZE = ['spec', 'resources', 'requests', 'storage'] as const;

export const isClaim = ({ group, kind }: Gvk): boolean => group === '' && kind === 'PersistentVolumeClaim';

/** Whether a claim that exists becomes this program's. What another stack applied stays that stack's. */
export const adopts = (gvk: Gvk, object: KubeObject, existing: KubeObject, fieldManager: string): boolean =>
  isClaim(gvk) && annotationTrue(object, ADOPT) && (appliedBy(existing, fieldManager) || !appliedByPulumi(existing));

/** Whether the claim has no volume yet, and so nothing that could be lost. */
const unbound = (live: KubeObject): boolean =>
  text(live, 'status', 'phase') !== 'Bound' && text(live, 'spec', 'volumeName') === undefined;

/** The API server takes no new size for a claim that has no volume; a new claim is the same then. */
export const mustBeAnew = (gvk: Gvk, live: KubeObject, object: KubeObject): boolean =>
  isClaim(gvk) && unbound(live) && quantity(pluck(live, ...SIZE)) !== quantity(pluck(object, ...SIZE));

/**
 * Refuses a size that a claim's volume can't have, before anything is changed.
 * @throws KubernetesError naming the resource, the field, what is asked for and what is allowed
 */
export async function admitSize(
  session: Session,
  context: Context,
  live: KubeObject,
  object: KubeObject,
  patience?: number,
): Promise<void> {
  const [had, wanted] = [quantity(pluck(live, ...SIZE)), quantity(pluck(object, ...SIZE))];
  if (had === undefined || wanted === undefined || wanted === had || unbound(live)) return;
  const field = `${context.name}: ${SIZE.join('.')}`;
  const got = scalar(pluck(object, ...SIZE));
  const capacity = pluck(live, 'status', 'capacity', 'storage') ?? pluck(live, ...SIZE);
  const allowed = scalar(capacity);
  if (wanted < had) {
    // Between the two lies an expansion that has not succeeded; the API server knows whether it may be given up.
    if (wanted >= (quantity(capacity) ?? had)) return;
    throw new KubernetesError(
      `${field} must be at least ${allowed}, got ${got}: the volume of ${display(live)} has that size, and a volume can't shrink`,
    );
  }
  const problem = await expansionProblem(session, context, live, patience);
  if (problem !== undefined) throw new KubernetesError(`${field} must stay ${allowed}, got ${got}: ${problem}`);
}

async function expansionProblem(
  session: Session,
  context: Context,
  live: KubeObject,
  patience?: number,
): Promise<string | undefined> {
  const name = text(live, 'spec', 'storageClassName') ?? '';
  if (name === '') return `${display(live)} has no StorageClass that could expand it`;
  const options = { signal: context.signal, ...(patience === undefined ? {} : { patience }) };
  try {
    const storageClass = await session.cluster.get(STORAGE_CLASS, '', name, options);
    if (pluck(storageClass, 'allowVolumeExpansion') === true) return undefined;
    const what = storageClass === undefined ? 'does not exist any more' : "can't expand volumes (allowVolumeExpansion)";
    return `StorageClass ${name} of ${display(live)} ${what}`;
  } catch (error) {
    // Whoever may not read classes leaves the verdict to the API server.
    if (error instanceof ApiError && error.code === 403) return undefined;
    throw error;
  }
}

/** Takes an object away so that one of its name can be made; what belongs to it stays where `orphan` says so. */
export async function makeRoom(
  session: Session,
  context: Context,
  gvk: Gvk,
  live: KubeObject,
  options: { readonly orphan: boolean; readonly timeout: number },
): Promise<void> {
  const { cluster } = session;
  const { signal } = context;
  const [name, namespace, uid] = [nameOf(live), namespaceOf(live), text(live, 'metadata', 'uid')];
  const policy = options.orphan ? 'Orphan' : 'Background';
  await cluster.delete(gvk, namespace, name, policy, uid === undefined ? { signal } : { signal, uid });
  const { timeout } = options;
  await untilGone({
    ...{ cluster, gvk, inputs: live, timeout, signal, status: session.status(context), name, namespace, uid },
  });
}
