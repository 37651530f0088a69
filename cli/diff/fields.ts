import { MASK } from './mask';

/** One field that differs: a side without it is left out. */
export interface FieldChange {
  /** Such as `spec.template.spec.containers[web].image`; list items are named by what tells them apart. */
  readonly field: string;
  readonly left?: unknown;
  readonly right?: unknown;
}

/** Whether two texts mean the same though they read differently, such as the same namespace's names in two environments. */
export type SameText = (left: string, right: string) => boolean;

type Json = Readonly<Record<string, unknown>>;

// The first of these that every item of both lists has, each item another, names the items.
const IDENTITIES = ['mountPath', 'name', 'secretKey', 'key', 'host', 'path', 'topologyKey', 'type', 'port'];

const isObject = (value: unknown): value is Json =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** Every field in which two values differ, in the order of the left one; what only one side has is one change as a whole. */
export function fieldChanges(left: unknown, right: unknown, same: SameText, field = ''): readonly FieldChange[] {
  if (isObject(left) && isObject(right)) return objectChanges(left, right, same, field);
  if (Array.isArray(left) && Array.isArray(right)) return listChanges(left, right, same, field);
  if (typeof left === 'string' && typeof right === 'string') return textChanges(left, right, same, field);
  if (Object.is(left, right)) return [];
  return [{ field, ...side('left', left), ...side('right', right) }];
}

const side = (name: 'left' | 'right', value: unknown): Partial<FieldChange> =>
  value === undefined ? {} : { [name]: value };

function objectChanges(left: Json, right: Json, same: SameText, field: string): readonly FieldChange[] {
  const keys = [...Object.keys(left), ...Object.keys(right).filter((key) => !Object.hasOwn(left, key))];
  return keys.flatMap((key) => fieldChanges(left[key], right[key], same, joined(field, key)));
}

// A key with dots, such as that of a label, would read like several fields.
const joined = (field: string, key: string): string => {
  if (!/^[\w-]+$/.test(key)) return `${field}['${key}']`;
  return field === '' ? key : `${field}.${key}`;
};

function listChanges(
  left: readonly unknown[],
  right: readonly unknown[],
  same: SameText,
  field: string,
): readonly FieldChange[] {
  const identity = IDENTITIES.find((key) => [left, right].every((list) => identifies(list, key)));
  if (identity !== undefined) {
    const byName = (list: readonly unknown[]) =>
      new Map((list as readonly Json[]).map((item) => [item[identity], item]));
    const [lefts, rights] = [byName(left), byName(right)];
    const both = [...lefts.keys()].some((name) => rights.has(name));
    if (both || left.length !== right.length) {
      const names = [...lefts.keys(), ...[...rights.keys()].filter((name) => !lefts.has(name))];
      return names.flatMap((name) =>
        fieldChanges(lefts.get(name), rights.get(name), same, `${field}[${String(name)}]`),
      );
    }
  }
  if (left.length !== right.length && [...left, ...right].every((item) => typeof item === 'string')) {
    return textSetChanges(left as readonly string[], right as readonly string[], same, field);
  }
  const length = Math.max(left.length, right.length);
  return Array.from({ length }).flatMap((_, index) =>
    fieldChanges(left[index], right[index], same, `${field}[${index}]`),
  );
}

/** Of texts that are more on one side, which are there; a text that is there twice counts twice. */
function textSetChanges(
  left: readonly string[],
  right: readonly string[],
  same: SameText,
  field: string,
): readonly FieldChange[] {
  const rest = [...right];
  const gone = left.filter((one) => {
    const at = rest.findIndex((other) => one === other || same(one, other));
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
  return [
    ...gone.map((one) => ({ field: `${field}[]`, left: one })),
    ...rest.map((one) => ({ field: `${field}[]`, right: one })),
  ];
}

function identifies(list: readonly unknown[], key: string): boolean {
  const names = list.map((item) => (isObject(item) ? item[key] : undefined));
  return (
    names.every((name) => typeof name === 'string' || typeof name === 'number') && new Set(names).size === list.length
  );
}

/** Of a text of several lines, such as a configuration file, the lines that only one side has. */
function textChanges(left: string, right: string, same: SameText, field: string): readonly FieldChange[] {
  if (left === right || same(left, right)) return [];
  if (left === MASK || !(left.includes('\n') && right.includes('\n'))) return [{ field, left, right }];
  const changes: FieldChange[] = [];
  const [lefts, rights] = [left.split('\n'), right.split('\n')];
  let [i, j] = [0, 0];
  for (const [leftAt, rightAt] of [...common(lefts, rights, same), [lefts.length, rights.length] as const]) {
    // Between two lines that both have, the one's stand against the other's.
    while (i < leftAt || j < rightAt) {
      const change = { ...(i < leftAt ? { left: lefts[i] } : {}), ...(j < rightAt ? { right: rights[j] } : {}) };
      changes.push({ field: `${field} line ${(i < leftAt ? i : j) + 1}`, ...change });
      i = Math.min(i + 1, leftAt);
      j = Math.min(j + 1, rightAt);
    }
    [i, j] = [leftAt + 1, rightAt + 1];
  }
  return changes;
}

/** Positions of the longest sequence of lines that both have. */
function common(
  left: readonly string[],
  right: readonly string[],
  same: SameText,
): readonly (readonly [number, number])[] {
  const alike = (i: number, j: number): boolean => left[i] === right[j] || same(left[i] ?? '', right[j] ?? '');
  const longest = left.map(() => new Uint32Array(right.length + 1));
  longest.push(new Uint32Array(right.length + 1));
  const at = (i: number, j: number): number => longest[i]?.[j] ?? 0;
  for (let i = left.length - 1; i >= 0; i -= 1) {
    const row = longest[i] as Uint32Array;
    for (let j = right.length - 1; j >= 0; j -= 1) {
      row[j] = alike(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    if (alike(i, j)) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return pairs;
}
