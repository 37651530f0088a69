import { limitsOf, steadyTotals, type Manifest, type Totals } from '../../components/namespace-quota';
import type { Rendered, Side } from './compare';

/** What a namespace's workloads ask for. */
export interface Footprint {
  /** With autoscalers at their minimum, no roll-out, no job. */
  readonly minimum: Totals;
  /** The same with autoscalers at their maximum. */
  readonly maximum: Totals;
  /** What its ResourceQuota allows; empty without one. */
  readonly quota: Readonly<Record<string, string>>;
}

/** Namespaces that stand for each other; a name is missing where a side has none. */
export interface NamespacePair {
  readonly left?: string;
  readonly right?: string;
}

/** One sum of two sides. */
export interface SumChange {
  /** As a ResourceQuota names it, such as `limits.memory`. */
  readonly name: string;
  readonly minimum: readonly [left: number, right: number];
  readonly maximum: readonly [left: number, right: number];
  readonly quota: readonly [left: string | undefined, right: string | undefined];
}

const EMPTY: Footprint = { minimum: {}, maximum: {}, quota: {} };
const namespaceOf = ({ manifest }: Rendered): string | undefined =>
  (manifest.metadata as { readonly namespace?: string } | undefined)?.namespace;
const countedOf = (objects: readonly Rendered[]): readonly Manifest[] =>
  objects.map(({ manifest }) => manifest as unknown as Manifest);
const hardOf = ({ manifest }: Rendered): Readonly<Record<string, string>> =>
  (manifest.spec as { readonly hard?: Readonly<Record<string, string>> } | undefined)?.hard ?? {};

/** Each namespace of a side. */
export function footprints({ objects }: Side): ReadonlyMap<string, Footprint> {
  const names = new Set(objects.flatMap((object) => namespaceOf(object) ?? []));
  return new Map(
    [...names].map((name) => {
      const own = objects.filter((object) => namespaceOf(object) === name);
      const quotas = own
        .filter(({ manifest }) => manifest.kind === 'ResourceQuota')
        .flatMap((one) => Object.entries(hardOf(one)));
      const totals = (size: 'minimum' | 'maximum'): Totals => steadyTotals(countedOf(own), size);
      return [
        name,
        { minimum: totals('minimum'), maximum: totals('maximum'), quota: Object.fromEntries(quotas) },
      ] as const;
    }),
  );
}

/** Whether a ResourceQuota is the sum of its namespace's workloads, so that it says nothing that they don't. */
export function isSum(quota: Rendered, side: Side): boolean {
  if (quota.manifest.kind !== 'ResourceQuota') return false;
  const own = side.objects.filter((object) => namespaceOf(object) === namespaceOf(quota));
  const [sums, hard] = [limitsOf(countedOf(own)), hardOf(quota)];
  const names = new Set([...Object.keys(sums), ...Object.keys(hard)]);
  return [...names].every((name) => sums[name] === hard[name]);
}

/** Namespaces of two sides, those that were renamed beside each other. */
export function namespacePairs(
  lefts: Iterable<string>,
  rights: Iterable<string>,
  renamed: readonly { readonly left: string; readonly right: string }[],
): readonly NamespacePair[] {
  const now = new Map(renamed.map(({ left, right }) => [left, right]));
  const rest = new Set(rights);
  const pairs = [...lefts].map((left): NamespacePair => {
    const right = now.get(left) ?? left;
    return rest.delete(right) ? { left, right } : { left };
  });
  return [...pairs, ...[...rest].map((right) => ({ right }))];
}

/** The sums of two footprints that differ, in the order of their names. */
export function sumChanges(left: Footprint = EMPTY, right: Footprint = EMPTY): readonly SumChange[] {
  const names = [left, right].flatMap(({ minimum, maximum, quota }) => [minimum, maximum, quota].flatMap(Object.keys));
  return [...new Set(names)]
    .sort()
    .map((name): SumChange => ({
      name,
      minimum: [left.minimum[name] ?? 0, right.minimum[name] ?? 0],
      maximum: [left.maximum[name] ?? 0, right.maximum[name] ?? 0],
      quota: [left.quota[name], right.quota[name]],
    }))
    .filter(({ minimum, maximum, quota }) => [minimum, maximum, quota].some(([a, b]) => a !== b));
}

/** A sum in the unit that a person reads: `1.5` CPU, `320Mi`, `4`. */
export function amount(name: string, sum: number): string {
  if (name.endsWith('.cpu')) return String(sum / 1000);
  if (!/\.(memory|storage|ephemeral-storage)$/.test(name)) return String(sum);
  const mebibytes = sum / 1024 ** 2;
  return mebibytes >= 1024 && Number.isInteger(mebibytes / 128) ? `${mebibytes / 1024}Gi` : `${Math.ceil(mebibytes)}Mi`;
}
