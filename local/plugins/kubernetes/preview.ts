import type { Context } from '../shared/provider';
import type { PropertyMap, PropertyValue } from '../shared/values';
import { hasUnknown, isPropertyMap, unknown } from '../shared/values';
import { builtIn } from './discovery';
import { ApiError, KubernetesError, NoSuchKindError, UnreachableError } from './errors';
import { appliedByPulumi, editedByHand, withoutIgnored } from './managers';
import { apiVersionOf, display, nameOf, namespaceOf, pluck, withIn } from './objects';
import type { Gvk, KubeObject } from './objects';
import { explain } from './refusal';
import type { Session } from './session';
import { toState } from './state';
import { admitSize, adopts, isClaim, mustBeAnew } from './volumes';

/** How long a preview tries to reach the API server before it goes on without. */
const PREVIEW_PATIENCE_S = 3;

export interface PreviewInput {
  readonly context: Context;
  readonly gvk: Gvk;
  /** The object without secret marks; unknowns are kept. */
  readonly object: KubeObject;
  readonly inputs: PropertyMap;
  readonly fieldManager: string;
  readonly force: boolean;
}

/** What the API server fills in when it makes an object. A dry run makes values up for them. */
const ASSIGNED: readonly (readonly string[])[] = [
  ['metadata', 'creationTimestamp'],
  ['metadata', 'generation'],
  ['metadata', 'resourceVersion'],
  ['metadata', 'uid'],
  ['status'],
];
const ASSIGNED_BY_KIND: Readonly<Record<string, readonly (readonly string[])[]>> = {
  Service: [
    ['spec', 'clusterIP'],
    ['spec', 'clusterIPs'],
    ['spec', 'healthCheckNodePort'],
  ],
  PersistentVolumeClaim: [['spec', 'volumeName']],
  Pod: [['spec', 'nodeName']],
  Secret: [],
};
/** Kinds without a status: nothing is expected there. */
const WITHOUT_STATUS = new Set([
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
  'StorageClass',
  'NetworkPolicy',
  'LimitRange',
  'PriorityClass',
  'IngressClass',
]);

/** Server-assigned fields as unknown, save those that the program sets itself. */
export function withUnknowns(state: PropertyMap, gvk: Gvk, inputs: KubeObject): PropertyMap {
  const paths = [...ASSIGNED, ...(ASSIGNED_BY_KIND[gvk.kind] ?? [])].filter((path) => {
    if (path[0] === 'status' && WITHOUT_STATUS.has(gvk.kind)) return false;
    return pluck(inputs, ...path) === undefined;
  });
  const marked = paths.reduce((rest, path) => withIn<PropertyValue>(rest, path, unknown) as PropertyMap, state);
  return gvk.kind === 'Service' ? withUnknownNodePorts(marked, inputs) : marked;
}

function withUnknownNodePorts(state: PropertyMap, inputs: KubeObject): PropertyMap {
  const spec = state['spec'];
  if (!isPropertyMap(spec) || !Array.isArray(spec['ports'])) return state;
  const ports = (spec['ports'] as readonly PropertyValue[]).map((port, index) => {
    const assigned = isPropertyMap(port) && port['nodePort'] !== undefined;
    return assigned && pluck(inputs, 'spec', 'ports', index, 'nodePort') === undefined
      ? { ...port, nodePort: unknown }
      : port;
  });
  return { ...state, spec: { ...spec, ports } };
}

/** Why there can be no dry run: it is no reason to fail, the real run may well have what is missing. */
function excuse(
  error: unknown,
  object: KubeObject,
  gvk: Gvk,
): { severity: 'info' | 'warning'; text: string } | undefined {
  if (error instanceof UnreachableError) {
    return { severity: 'warning', text: `${error.message}; the preview shows the program's values, unchecked` };
  }
  if (error instanceof NoSuchKindError) {
    return {
      severity: 'info',
      text: `${apiVersionOf(gvk)}/${gvk.kind} is not served yet; shown as the program has it`,
    };
  }
  if (!(error instanceof ApiError)) return undefined;
  if (error.namespaceMissing) {
    return {
      severity: 'info',
      text: `namespace ${namespaceOf(object)} does not exist yet; its objects are shown as the program has them`,
    };
  }
  const verdict =
    [400, 409, 413, 422].includes(error.code) ||
    /violates PodSecurity|not declared in schema|failed to create typed|can be expanded|must support resize/.test(
      error.message,
    );
  if (verdict) return undefined;
  if (/exceeded quota/.test(error.message)) {
    // The same update may raise it.
    return { severity: 'info', text: `${display(object)} is more than the quota allows now: ${error.message}` };
  }
  return { severity: 'warning', text: `${display(object)} could not be checked: ${error.message}` };
}

/** What `up` would make of a new object, asked of the API server without making it. */
export async function previewCreate(session: Session, input: PreviewInput): Promise<PropertyMap> {
  const { context, gvk, object, inputs, fieldManager } = input;
  const shown = (live: KubeObject): PropertyMap => {
    return withUnknowns(toState(live, inputs, fieldManager, apiVersionOf(gvk)), gvk, object);
  };
  if (hasUnknown(inputs)) return shown(object);
  const options = { signal: context.signal, patience: PREVIEW_PATIENCE_S };
  try {
    const existing = await session.cluster.get(gvk, namespaceOf(object), nameOf(object), options);
    const adopted = existing !== undefined && adopts(gvk, object, existing, fieldManager);
    if (adopted) await admitSize(session, context, existing, object, PREVIEW_PATIENCE_S);
    if (existing !== undefined && !session.isPatch(context, gvk) && !(adopted && !mustBeAnew(gvk, existing, object))) {
      if (!adopted && !appliedByPulumi(existing) && !session.settings.upsert) {
        session.sayOnce(
          context,
          'warning',
          `${display(object)} exists already and no Pulumi stack made it; an update will refuse to take it over`,
        );
      }
      // A successor of the object that is there: a patch of that one would be judged by what it can't change.
      await validateAsNew(session, input, namespaceOf(object));
      return shown(object);
    }
    const call = { fieldManager, force: true, dryRun: true, ...options };
    const applied = await session.cluster.apply(gvk, object, call);
    session.forward(context, applied.warnings);
    return shown(applied.object);
  } catch (error) {
    const reason = excuse(error, object, gvk);
    if (reason === undefined) throw error instanceof ApiError ? new KubernetesError(explain(error, object)) : error;
    session.sayOnce(context, reason.severity, reason.text);
    // Fields can be checked wherever there is a namespace.
    if (error instanceof ApiError && error.namespaceMissing) await validateAsNew(session, input, 'default');
    return shown(object);
  }
}

async function validateAsNew(
  session: Session,
  { context, gvk, object }: PreviewInput,
  namespace: string,
): Promise<void> {
  try {
    await session.cluster.validate(gvk, object, namespace, {
      strict: builtIn(gvk),
      signal: context.signal,
      patience: PREVIEW_PATIENCE_S,
    });
  } catch (error) {
    // Names are taken, quotas and accounts are others: only what is said about the fields counts.
    const verdict = error instanceof ApiError && [400, 422].includes(error.code);
    if (verdict) throw new KubernetesError(explain(error, object));
    if (!(error instanceof KubernetesError)) throw error;
  }
}

/** What `up` would make of the object that exists. */
export async function previewUpdate(
  session: Session,
  input: PreviewInput & { readonly live: KubeObject; readonly ignoreChanges: readonly string[] },
): Promise<PropertyMap> {
  const { context, gvk, object, inputs, fieldManager, force, live } = input;
  const version = apiVersionOf(gvk);
  const fromInputs = (): PropertyMap => {
    // What the API server has assigned stays: an address, a volume.
    const assigned = Object.fromEntries(
      ['metadata', 'spec'].flatMap((key) => {
        const [was, is] = [live[key], object[key]];
        return isPropertyMap(was) && isPropertyMap(is) ? [[key, { ...was, ...is }]] : [];
      }),
    );
    const status = live['status'] === undefined ? {} : { status: live['status'] };
    return toState({ ...object, ...status, ...assigned }, inputs, fieldManager, version);
  };
  if (hasUnknown(inputs)) return fromInputs();
  const options = { signal: context.signal, patience: PREVIEW_PATIENCE_S };
  try {
    const existing = await session.cluster.get(gvk, namespaceOf(object), nameOf(object), options);
    if (existing !== undefined && mustBeAnew(gvk, existing, object)) {
      await validateAsNew(session, input, namespaceOf(object));
      return fromInputs();
    }
    if (existing !== undefined && isClaim(gvk)) {
      await admitSize(session, context, existing, object, PREVIEW_PATIENCE_S);
    }
    const mayForce = force || existing === undefined || editedByHand(existing, fieldManager);
    const call = { fieldManager, force: mayForce, dryRun: true, ...options };
    const kept = existing === undefined ? object : withoutIgnored(object, existing, fieldManager, input.ignoreChanges);
    const applied = await session.cluster.apply(gvk, kept, call);
    session.forward(context, applied.warnings);
    const state = toState(applied.object, inputs, fieldManager, version);
    return withIn<PropertyValue>(state, ['metadata', 'resourceVersion'], unknown);
  } catch (error) {
    const reason = excuse(error, object, gvk);
    if (reason === undefined) throw error instanceof ApiError ? new KubernetesError(explain(error, object)) : error;
    session.sayOnce(context, reason.severity, reason.text);
    return fromInputs();
  }
}
