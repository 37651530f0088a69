import type { PlainMap, PlainValue } from '../shared/values';
import { isPropertyMap } from '../shared/values';
import type { KubeObject } from './objects';
import { list, pluck, text, withIn, withoutIn } from './objects';

/** Managers whose edits by hand the program overrules, and earlier forms of this one: the vendor's list. */
const YIELDING = /^(kubectl|before-first-apply$|pulumi-kubernetes(\.exe)?$|pulumi-resource-kubernetes$)/;

const isMap = (value: PlainValue | undefined): value is PlainMap => isPropertyMap(value);

/** A union of two `fieldsV1` sets. */
function union(left: PlainValue | undefined, right: PlainValue | undefined): PlainValue {
  if (!isMap(left)) return right ?? {};
  if (!isMap(right)) return left;
  const merged: Record<string, PlainValue> = { ...left };
  for (const [key, value] of Object.entries(right)) merged[key] = union(merged[key], value);
  return merged;
}

const operation = (entry: PlainValue): string => text(entry, 'operation') ?? '';
const manager = (entry: PlainValue): string => text(entry, 'manager') ?? '';

function yields(entry: PlainValue, ours: string): boolean {
  if (text(entry, 'subresource') !== undefined || manager(entry) === ours) return false;
  const kubectlApply = operation(entry) === 'Apply' && manager(entry) === 'kubectl';
  return kubectlApply || (operation(entry) === 'Update' && YIELDING.test(manager(entry)));
}

/** Whether an object's fields were applied by this manager. */
export const appliedBy = (live: KubeObject, ours: string): boolean =>
  list(live, 'metadata', 'managedFields').some((entry) => manager(entry) === ours && operation(entry) === 'Apply');

/** Whether any Pulumi stack applied the object. */
export const appliedByPulumi = (live: KubeObject): boolean =>
  list(live, 'metadata', 'managedFields').some((entry) => manager(entry).startsWith('pulumi-'));

/** Whether somebody edited the object by hand. */
export const editedByHand = (live: KubeObject, ours: string): boolean =>
  list(live, 'metadata', 'managedFields').some((entry) => yields(entry, ours));

/** The member of a `fieldsV1` set at a path of map keys. */
const fieldAt = (entry: PlainValue, path: readonly string[]): PlainValue | undefined =>
  pluck(entry, 'fieldsV1', ...path.map((step) => `f:${step}`));

/**
 * What is to be applied where the program ignores changes of some fields: those that others own are left out, those that are
 * ours keep their live value. Paths into lists stay as the program has them.
 */
export function withoutIgnored(
  object: KubeObject,
  live: KubeObject,
  ours: string,
  ignored: readonly string[],
): KubeObject {
  const entries = list(live, 'metadata', 'managedFields');
  return ignored.reduce((rest, source) => {
    const path = source.replace(/\["([^"]*)"\]/g, '.$1').split('.');
    if (path.some((step) => /[[*]/.test(step))) return rest;
    const owners = entries.filter((entry) => fieldAt(entry, path) !== undefined).map(manager);
    if (owners.length > 0 && !owners.includes(ours)) return withoutIn(rest, path);
    const value = pluck(live, ...path);
    return value === undefined ? rest : withIn(rest, path, value);
  }, object);
}

/**
 * The object's managed fields after ours has taken over what was edited by hand; undefined where there is nothing to take.
 */
export function takenOver(live: KubeObject, ours: string): readonly PlainValue[] | undefined {
  const entries = list(live, 'metadata', 'managedFields');
  const theirs = entries.filter((entry) => yields(entry, ours));
  if (theirs.length === 0) return undefined;
  const mine = entries.find((entry) => manager(entry) === ours && operation(entry) === 'Apply');
  const rest = entries.filter((entry) => entry !== mine && !theirs.includes(entry));
  const first = mine ?? { ...(theirs[0] as PlainMap), manager: ours, operation: 'Apply' };
  const fields = theirs
    .map((entry) => (entry as PlainMap)['fieldsV1'])
    .reduce<PlainValue>((all, next) => union(all, next), (first as PlainMap)['fieldsV1'] ?? {});
  return [{ ...(first as PlainMap), fieldsV1: fields }, ...rest];
}
