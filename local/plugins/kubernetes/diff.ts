import type { DiffKind } from '../shared/provider';
import type { Path, PlainMap, PlainValue } from '../shared/values';
import { formatPath, isPropertyMap } from '../shared/values';
import { equivalent } from './equivalence';
import { forceNewPaths, touches } from './force-new';
import type { Mutability } from './force-new';
import type { Gvk, KubeObject } from './objects';
import { annotationTrue, nameOf, namespaceOf, withIn, withoutIn } from './objects';

export interface Difference {
  readonly path: Path;
  readonly change: 'add' | 'delete' | 'update';
}

const isMap = (value: PlainValue | undefined): value is PlainMap => isPropertyMap(value);

/** Where two trees differ, as deep as both have something to compare. */
export function differences(
  old: PlainValue | undefined,
  next: PlainValue | undefined,
  path: Path = [],
): readonly Difference[] {
  if (equivalent(old, next, path.map(String))) return [];
  if (isMap(old) && isMap(next)) {
    return [...new Set([...Object.keys(old), ...Object.keys(next)])].flatMap((key) =>
      differences(old[key], next[key], [...path, key]),
    );
  }
  if (Array.isArray(old) && Array.isArray(next)) {
    const [a, b] = [old as readonly PlainValue[], next as readonly PlainValue[]];
    return Array.from({ length: Math.max(a.length, b.length) }).flatMap((_, index) =>
      differences(a[index], b[index], [...path, index]),
    );
  }
  if (old === undefined || old === null) return [{ path, change: 'add' }];
  if (next === undefined || next === null) return [{ path, change: 'delete' }];
  return [{ path, change: 'update' }];
}

export interface Plan {
  readonly changes: boolean;
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
  readonly detailed: Readonly<Record<string, DiffKind>>;
}

export interface PlanInput {
  readonly gvk: Gvk;
  readonly namespaced: boolean;
  readonly mutability: Mutability;
  /** Inputs of the last update, or what a refresh made of them. */
  readonly old: KubeObject;
  readonly next: KubeObject;
  /** Name and namespace of the object that exists. */
  readonly live: { readonly name: string; readonly namespace: string };
  readonly ignoreChanges: readonly string[];
}

/** What the API server ignores in what is sent: its own bookkeeping, and the namespace of what has none. */
const canonical = (object: KubeObject, namespaced: boolean): KubeObject =>
  namespaced
    ? withIn(object, ['metadata', 'namespace'], namespaceOf(object) || 'default')
    : withoutIn(object, ['metadata', 'namespace']);

const ignored = (path: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => path === pattern || path.startsWith(`${pattern}.`) || path.startsWith(`${pattern}[`));

/** Decides between nothing, update in place and replacement, for every property. */
export function plan({ gvk, namespaced, mutability, old, next, live, ignoreChanges }: PlanInput): Plan {
  // The name that the cluster knows counts: a program may spell out the name that was generated for it.
  const before = canonical(live.name === '' ? old : withIn(old, ['metadata', 'name'], live.name), namespaced);
  const after = canonical(next, namespaced);
  const forced = forceNewPaths(gvk, after, mutability);
  const detailed: Record<string, DiffKind> = {};
  const replaces: string[] = [];
  for (const { path, change } of differences(before, after)) {
    const name = formatPath(path);
    if (ignored(name, ignoreChanges)) continue;
    const replace = forced.some((pattern) => touches(path, pattern));
    detailed[name] = replace ? `${change}-replace` : change;
    if (replace) replaces.push(name);
  }
  return {
    changes: Object.keys(detailed).length > 0,
    replaces,
    detailed,
    deleteBeforeReplace: mustDeleteFirst(after, live, namespaced),
  };
}

/** A replacement under the same fixed name has to make room first; a generated name doesn't. */
export function mustDeleteFirst(next: KubeObject, live: PlanInput['live'], namespaced: boolean): boolean {
  if (annotationTrue(next, 'pulumi.com/autonamed')) return false;
  const namespace = namespaced ? live.namespace || 'default' : '';
  return nameOf(next) === live.name && (namespaced ? namespaceOf(next) || 'default' : '') === namespace;
}
