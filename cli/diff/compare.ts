import type { FieldChange, SameText } from './fields';
import { fieldChanges } from './fields';
import { isSum } from './footprint';
import { masked } from './mask';
import { forcesNew } from './replacement';

type Json = Readonly<Record<string, unknown>>;

/** One object of a side. */
export interface Rendered {
  /** Construct path; nothing where the side can't say. */
  readonly path?: string;
  readonly manifest: Json;
}

/** One of the two sides. */
export interface Side {
  /** As it was asked for, such as `dev` or `main`. */
  readonly name: string;
  /** Environment that it was rendered for. */
  readonly environment: string;
  readonly objects: readonly Rendered[];
}

/** One object that one side lacks, or that differs. */
export interface ObjectChange {
  /** `replaced`: of one environment, an object that is made anew, since a field of it can't change. */
  readonly change: 'added' | 'removed' | 'changed' | 'replaced';
  /** Construct path, or the namespace where there is none. */
  readonly path: string;
  readonly kind: string;
  /** Of the left side where it is there. */
  readonly name: string;
  /** Of a changed or replaced object only. */
  readonly fields: readonly FieldChange[];
}

/** Two sides, compared. */
export interface Comparison {
  /** Where both sides are of one environment. */
  readonly environment?: string;
  readonly left: string;
  readonly right: string;
  /** Namespaces that stand for each other though their names differ. */
  readonly namespaces: readonly { readonly left: string; readonly right: string }[];
  readonly objects: readonly ObjectChange[];
  /** Quotas that differ only since they are the sums of what is in `objects`. */
  readonly following: readonly ObjectChange[];
  /** How many objects are the same on both sides. */
  readonly equal: number;
}

/** Annotations that only follow from other fields, which show by themselves. */
const DERIVED: ReadonlySet<string> = new Set([
  'trellis.dev/reads',
  'trellis.dev/kube-score-reason',
  'kube-score/ignore',
]);

const metadataOf = ({ manifest }: Rendered): { readonly name?: string; readonly namespace?: string } =>
  manifest.metadata ?? {};
const kindOf = ({ manifest }: Rendered): string => String(manifest.kind);
const nameOf = (object: Rendered): string => String(metadataOf(object).name ?? '');

/**
 * Compares two sides object by object. An object of one side belongs to that of the other with the same construct path, whatever its name
 * and namespace are; without paths, to the one of the same kind, namespace and name. A namespace's name counts once, at the namespace.
 */
export function compare(left: Side, right: Side): Comparison {
  const paths = [left, right].every(({ objects }) => objects.every(({ path }) => path !== undefined));
  const key = (object: Rendered): string =>
    paths
      ? `${object.path ?? ''} ${kindOf(object)}`
      : `${String(object.manifest.apiVersion).replace(/\/[^/]*$/, '')} ${kindOf(object)} ${metadataOf(object).namespace ?? ''} ${nameOf(object)}`;
  const [lefts, rights] = [left, right].map(({ objects }) => new Map(objects.map((object) => [key(object), object])));
  const pairs = [...(lefts ?? [])].flatMap(([id, one]) => {
    const other = rights?.get(id);
    return other === undefined ? [] : [[one, other] as const];
  });
  const namespaces = renamed(pairs);
  const changes = (those: readonly Pair[]): readonly ObjectChange[] =>
    those.flatMap(([one, other]) => changeOf(one, other, left, right, namespaces));
  const sums = pairs.filter(([one, other]) => isSum(one, left) && isSum(other, right));
  const [changed, following] = [changes(pairs.filter((pair) => !sums.includes(pair))), changes(sums)];
  const lonely = (
    side: ReadonlyMap<string, Rendered> | undefined,
    other: typeof side,
    change: ObjectChange['change'],
  ) =>
    [...(side ?? [])]
      .filter(([id]) => other?.has(id) !== true)
      .map(([, object]) => ({ change, ...about(object), fields: [] }));
  const objects = [...lonely(lefts, rights, 'removed'), ...lonely(rights, lefts, 'added'), ...changed];
  return {
    ...(left.environment === right.environment ? { environment: left.environment } : {}),
    left: left.name,
    right: right.name,
    namespaces,
    objects: objects.sort((a, b) => compareText(`${a.path} ${a.kind} ${a.name}`, `${b.path} ${b.kind} ${b.name}`)),
    following,
    equal: pairs.length - changed.length - following.length,
  };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

const about = (object: Rendered) => ({
  path: object.path ?? metadataOf(object).namespace ?? '',
  kind: kindOf(object),
  name: nameOf(object),
});

type Pair = readonly [Rendered, Rendered];

function renamed(pairs: readonly Pair[]): Comparison['namespaces'] {
  const names = pairs.map(([one, other]) => [metadataOf(one).namespace, metadataOf(other).namespace] as const);
  const known = new Map(names.flatMap(([a, b]) => (a === undefined || b === undefined || a === b ? [] : [[a, b]])));
  return [...known].map(([a, b]) => ({ left: a, right: b }));
}

function changeOf(
  one: Rendered,
  other: Rendered,
  left: Side,
  right: Side,
  namespaces: Comparison['namespaces'],
): readonly ObjectChange[] {
  const external = kindOf(one) === 'ExternalSecret';
  // References of an external secret name the environment, as they should.
  const names = [...namespaces, ...(external ? [{ left: left.environment, right: right.environment }] : [])];
  // The one place where a namespace's own name is the difference.
  const same = kindOf(one) === 'Namespace' ? () => false : sameBut(names);
  const fields = fieldChanges(comparable(one), comparable(other), same);
  if (fields.length === 0) return [];
  // What stands in two environments are two objects: neither is made of the other.
  const replaced =
    left.environment === right.environment && fields.some(({ field }) => forcesNew(other.manifest, field));
  return [{ change: replaced ? 'replaced' : 'changed', ...about(one), fields }];
}

/** Texts are the same where each name on the left has its counterpart on the right. */
function sameBut(names: Comparison['namespaces']): SameText {
  const known = names.filter(({ left, right }) => left !== right).sort((a, b) => b.left.length - a.left.length);
  if (known.length === 0) return () => false;
  const counterpart = new Map(known.map(({ left, right }) => [left, right]));
  const pattern = new RegExp(`(?<![A-Za-z0-9-])(?:${known.map(({ left }) => left).join('|')})(?![A-Za-z0-9-])`, 'g');
  return (left, right) => left.replace(pattern, (name) => counterpart.get(name) ?? name) === right;
}

function comparable({ manifest }: Rendered): Json {
  return masked(without(manifest) as Json);
}

/** A copy without derived annotations, on the object and on its pod template. */
function without(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(without);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([key]) => !DERIVED.has(key));
  return Object.fromEntries(entries.map(([key, item]) => [key, without(item)]));
}
