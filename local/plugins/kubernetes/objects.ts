import type { PlainMap, PlainValue, PropertyMap, PropertyValue } from '../shared/values';
import { isPropertyMap } from '../shared/values';
import { KubernetesError } from './errors';

/** A Kubernetes object as JSON; unknowns can stand in for leaves during a preview. */
export type KubeObject = PlainMap;

export interface Gvk {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The value at a path, or undefined where the path ends early. */
export function pluck(value: PlainValue | undefined, ...path: readonly (string | number)[]): PlainValue | undefined {
  let current: PlainValue | undefined = value;
  for (const step of path) {
    if (Array.isArray(current)) current = (current as readonly PlainValue[])[Number(step)];
    else if (isPropertyMap(current)) current = current[String(step)];
    else return undefined;
  }
  return current;
}

export function text(value: PlainValue | undefined, ...path: readonly (string | number)[]): string | undefined {
  const found = pluck(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

export function count(value: PlainValue | undefined, ...path: readonly (string | number)[]): number | undefined {
  const found = pluck(value, ...path);
  return typeof found === 'number' ? found : undefined;
}

export function list(value: PlainValue | undefined, ...path: readonly (string | number)[]): readonly PlainValue[] {
  const found = pluck(value, ...path);
  return Array.isArray(found) ? (found as readonly PlainValue[]) : [];
}

export function record(value: PlainValue | undefined, ...path: readonly (string | number)[]): PlainMap {
  const found = pluck(value, ...path);
  return isPropertyMap(found) ? found : {};
}

/** A copy with one value set; the maps on the way are made where they lack. */
export function withIn<T extends PropertyValue>(
  object: Readonly<Record<string, T>>,
  path: readonly string[],
  value: T,
): Readonly<Record<string, T>> {
  const [head, ...rest] = path;
  if (head === undefined) return object;
  const inner = object[head];
  const child =
    rest.length === 0 ? value : withIn((isPropertyMap(inner) ? inner : {}) as Record<string, T>, rest, value);
  return { ...object, [head]: child as T };
}

/** A copy without the value at a path. */
export function withoutIn<T extends PropertyValue>(
  object: Readonly<Record<string, T>>,
  path: readonly string[],
): Readonly<Record<string, T>> {
  const [head, ...rest] = path;
  if (head === undefined || !Object.hasOwn(object, head)) return object;
  if (rest.length === 0) {
    return Object.fromEntries(Object.entries(object).filter(([key]) => key !== head));
  }
  const inner = object[head];
  if (!isPropertyMap(inner)) return object;
  return { ...object, [head]: withoutIn(inner as Record<string, T>, rest) as unknown as T };
}

/** A leaf as text. */
export const scalar = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? 'not set');

export const nameOf = (object: KubeObject): string => text(object, 'metadata', 'name') ?? '';
export const namespaceOf = (object: KubeObject): string => text(object, 'metadata', 'namespace') ?? '';
export const annotation = (object: KubeObject, key: string): string | undefined =>
  text(object, 'metadata', 'annotations', key);
export const annotationTrue = (object: KubeObject, key: string): boolean => annotation(object, key) === 'true';

/** The id that the vendor gives: `namespace/name`, or `name` for what has no namespace. */
export function idOf(object: KubeObject): string {
  const namespace = namespaceOf(object);
  return namespace === '' ? nameOf(object) : `${namespace}/${nameOf(object)}`;
}

export function parseId(id: string): { readonly namespace: string; readonly name: string } {
  const [first = '', second] = id.split('/');
  return second === undefined ? { namespace: '', name: first } : { namespace: first, name: second };
}

/** `Deployment noodle-core/api`: how messages call an object. */
export const display = (object: KubeObject): string => `${text(object, 'kind') ?? 'object'} ${idOf(object)}`;

/** Type and name out of a URN. The type is its innermost one. */
export function parseUrn(urn: string): { readonly type: string; readonly name: string } {
  const parts = urn.split('::');
  return { type: (parts[2] ?? '').split('$').at(-1) ?? '', name: parts.slice(3).join('::') };
}

/** Group, version and kind of a type token: `kubernetes:apps/v1:Deployment`. */
export function gvkOfType(type: string): Gvk {
  const [, module = '', kind = ''] = type.split(':');
  const [group, version] = module.split('/');
  // These are the vendor's inventions: no API server knows them.
  const foreign = ['helm.sh', 'yaml', 'kustomize'].includes(group ?? '');
  if (group === undefined || version === undefined || kind === '' || foreign) {
    throw new KubernetesError(
      `the embedded Kubernetes plugin serves no ${type}. ` +
        "Helm, YAML and Kustomize resources need the vendor's plugin (pulumi-resource-kubernetes).",
    );
  }
  return { group: group === 'core' ? '' : group, version, kind };
}

/** Group, version and kind that the object states; what it lacks comes from `fallback`. */
export function gvkOf(object: KubeObject, fallback: Gvk): Gvk {
  const apiVersion = text(object, 'apiVersion');
  const kind = text(object, 'kind') ?? fallback.kind;
  if (apiVersion === undefined) return { ...fallback, kind };
  const [first = '', second] = apiVersion.split('/');
  return second === undefined
    ? { group: '', version: first, kind }
    : { group: first === 'core' ? '' : first, version: second, kind };
}

export const apiVersionOf = ({ group, version }: Gvk): string => (group === '' ? version : `${group}/${version}`);

/** Secret and unknown wrappers gone or kept as they are: a property map seen as JSON. */
export const asObject = (map: PropertyMap): KubeObject => map;
