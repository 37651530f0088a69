import type { PlainMap, PlainValue } from '../shared/values';
import { isPropertyMap } from '../shared/values';
import { equivalent } from './equivalence';
import type { KubeObject } from './objects';
import { record, text, withoutIn } from './objects';

const isMap = (value: PlainValue | undefined): value is PlainMap => isPropertyMap(value);

/** What tells the elements of a list apart, by preference: the keys that server-side apply merges by. */
const KEYS = [
  'name',
  'containerPort',
  'mountPath',
  'devicePath',
  'topologyKey',
  'ip',
  'uid',
  'port',
  'type',
  'key',
] as const;

type Items = readonly PlainValue[];

/** The first key under which every element of every list has its own value. */
function mergeKey(...lists: readonly Items[]): string | undefined {
  return KEYS.find((key) =>
    lists.every((items) => {
      const values = items.map((item) => (isMap(item) ? item[key] : undefined));
      return values.every((value) => value !== undefined) && new Set(values).size === items.length;
    }),
  );
}

function mergeLists(input: Items, before: Items, now: Items, path: readonly string[]): PlainValue {
  const key = input.length === 0 || !isMap(input[0]) ? undefined : mergeKey(input, before, now);
  if (key !== undefined) {
    // Elements that others added under a key of their own are theirs, and no drift.
    const of = (items: Items, item: PlainValue): PlainValue | undefined =>
      items.find((other) => (other as PlainMap)[key] === (item as PlainMap)[key]);
    return input.flatMap((item) => merge(item, of(before, item), of(now, item), [...path, '*']) ?? []);
  }
  if (input.length !== now.length || before.length !== now.length) return now;
  return input.map((item, index) => merge(item, before[index], now[index], [...path, '*']) ?? null);
}

/**
 * One value of what the inputs look like now. `before` is what the API server made of the input when it was applied: where
 * that is unchanged, so is the input, however it was spelled (`1000m` and `1`).
 */
function merge(
  input: PlainValue | undefined,
  before: PlainValue | undefined,
  now: PlainValue | undefined,
  path: readonly string[],
): PlainValue | undefined {
  if (equivalent(input, now, path)) return input;
  if (before !== undefined && now !== undefined && equivalent(before, now, path)) return input;
  if (before === undefined && now === undefined) return input;
  if (isMap(input) && isMap(now)) {
    const entries = Object.entries(input).map(([key, item]) => {
      return [key, merge(item, isMap(before) ? before[key] : undefined, now[key], [...path, key])] as const;
    });
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined)) as PlainMap;
  }
  if (Array.isArray(input) && Array.isArray(now)) {
    return mergeLists(input as Items, Array.isArray(before) ? (before as Items) : [], now as Items, path);
  }
  return now;
}

/** `stringData` is never returned: it is what `data` holds under the same keys. */
function withStringData(object: KubeObject, input: KubeObject): KubeObject {
  if (text(input, 'kind') !== 'Secret') return object;
  const keys = Object.keys(record(input, 'stringData'));
  if (keys.length === 0) return object;
  const decoded = keys.flatMap((key) => {
    const value = text(object, 'data', key);
    return value === undefined ? [] : [[key, Buffer.from(value, 'base64').toString('utf8')] as const];
  });
  return { ...object, stringData: Object.fromEntries(decoded) };
}

/**
 * The inputs as the cluster has them now: drift in the fields that the program sets, and nothing that the API server, a
 * controller or another tool set.
 * @param before the object as the last update left it; empty where that isn't known
 */
export function liveInputs(inputs: KubeObject, before: KubeObject, now: KubeObject): KubeObject {
  const merged = merge(inputs, withStringData(before, inputs), withStringData(now, inputs), []);
  return { ...(merged as PlainMap) };
}

const BOOKKEEPING: readonly (readonly string[])[] = [
  ['metadata', 'creationTimestamp'],
  ['metadata', 'deletionGracePeriodSeconds'],
  ['metadata', 'deletionTimestamp'],
  ['metadata', 'generation'],
  ['metadata', 'managedFields'],
  ['metadata', 'resourceVersion'],
  ['metadata', 'selfLink'],
  ['metadata', 'uid'],
];

/** Without what only the API server writes. */
export const withoutBookkeeping = (object: KubeObject): KubeObject =>
  BOOKKEEPING.reduce((rest, path) => withoutIn(rest, path), object);

/** Inputs for an object that is imported or read by id: all of it, save what no program would write. */
export function importedInputs(live: KubeObject): KubeObject {
  const drop = [
    ['status'],
    ['metadata', 'annotations', 'deployment.kubernetes.io/revision'],
    ['metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration'],
  ];
  const kept = drop.reduce((rest, path) => withoutIn(rest, path), withoutBookkeeping(live));
  return Object.keys(record(kept, 'metadata', 'annotations')).length > 0
    ? kept
    : withoutIn(kept, ['metadata', 'annotations']);
}
