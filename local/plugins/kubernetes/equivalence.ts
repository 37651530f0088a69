import type { PlainMap, PlainValue, PropertyValue } from '../shared/values';
import { isPropertyMap, same } from '../shared/values';

const SUFFIX: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a Kubernetes quantity (`250m`, `1Gi`, `1e3`) stands for; undefined where it is none. */
export function quantity(value: PlainValue | undefined): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(value);
  if (match === null) return undefined;
  const [, digits = '', exponent, suffix = ''] = match;
  return Number(digits + (exponent ?? '')) * (SUFFIX[suffix] ?? NaN);
}

/** Maps whose values are quantities, and single fields that are, by the name of the last key that isn't free. */
const QUANTITY_MAPS = new Set([
  'limits',
  'requests',
  'capacity',
  'hard',
  'overhead',
  'podFixed',
  'max',
  'min',
  'default',
  'defaultRequest',
  'maxLimitRequestRatio',
]);
const QUANTITY_FIELDS = new Set(['sizeLimit', 'averageValue', 'targetAverageValue', 'divisor']);

const isQuantityPath = (path: readonly string[]): boolean =>
  QUANTITY_MAPS.has(path.at(-2) ?? '') ||
  QUANTITY_FIELDS.has(path.at(-1) ?? '') ||
  (path.at(-1) === 'value' && path.at(-2) === 'target');

/** `0`, `""`, `false` and empty collections are what the API server may leave out. */
const nothing = (value: PlainValue | undefined): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) && value.length === 0) ||
  (isPropertyMap(value as PropertyValue) && Object.keys(value as PlainMap).length === 0);

/**
 * Whether the API server would take two values for the same: quantities by their number, empty collections as absent.
 * Unknowns equal nothing.
 */
export function equivalent(
  left: PlainValue | undefined,
  right: PlainValue | undefined,
  path: readonly string[] = [],
): boolean {
  if (nothing(left) && nothing(right)) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    const [a, b] = [left as readonly PlainValue[], right as readonly PlainValue[]];
    return a.length === b.length && a.every((item, index) => equivalent(item, b[index], [...path, '*']));
  }
  if (isPropertyMap(left) && isPropertyMap(right)) {
    const [a, b] = [left, right];
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) =>
      equivalent(a[key], b[key], [...path, key]),
    );
  }
  if (same(left, right)) return true;
  if (!isQuantityPath(path)) return false;
  const [a, b] = [quantity(left), quantity(right)];
  return a !== undefined && b !== undefined && Math.abs(a - b) <= Math.abs(a) * 1e-12;
}
