import { cell, fitted, table, type Section } from '../markdown';
import type { Comparison, ObjectChange, Side } from './compare';
import {
  amount,
  footprints,
  namespacePairs,
  sumChanges,
  type Footprint,
  type NamespacePair,
  type SumChange,
} from './footprint';
import { monthly, type Prices } from './prices';
import { pairs, summary } from './print';

/** Two sides, and in what they differ. */
export interface Compared {
  readonly left: Side;
  readonly right: Side;
  readonly comparison: Comparison;
}

export interface ReportOptions {
  /** What was asked for, such as `main..HEAD`. */
  readonly range: string;
  /** @default - no cost is shown */
  readonly prices?: Prices | undefined;
  /** Characters that it may have. */
  readonly longest: number;
}

const MOST_FIELDS = 40;

/** The differences as Markdown for a comment: one section an environment, cut to what a comment can hold. */
export function report(compared: readonly Compared[], { range, prices, longest }: ReportOptions): string {
  const title = `## What \`${range}\` changes`;
  const sections = compared.map(({ left, right, comparison }): Section => {
    const stack = comparison.environment === undefined ? '' : ` -s ${comparison.environment}`;
    return {
      head: [headOf(comparison), ...sums({ left, right, comparison }, prices)].join('\n\n'),
      details: detailsOf(comparison),
      note: (missing) => `_${missing} more are not shown here; all of them: \`./trellis diff ${range}${stack}\`_`,
    };
  });
  return fitted(title, sections, longest);
}

function headOf(comparison: Comparison): string {
  const lines = [`### ${summary(comparison)}`];
  const { namespaces, environment } = comparison;
  if (namespaces.length > 0) lines.push('', `Namespaces: ${pairs(comparison)}`);
  if (namespaces.length > 0 && environment !== undefined) {
    lines.push('', '**Everything in a namespace of another name is made anew, volumes too.**');
  }
  return lines.join('\n');
}

function detailsOf(comparison: Comparison): readonly string[] {
  const { left, right, environment, objects } = comparison;
  const parts: readonly (readonly [ObjectChange['change'], string])[] =
    environment === undefined
      ? [
          ['added', `Only in ${right}`],
          ['removed', `Only in ${left}`],
          ['changed', 'Different'],
        ]
      : [
          ['replaced', 'Replaced: made anew'],
          ['removed', 'Deleted'],
          ['changed', 'Changed'],
          ['added', 'Added'],
        ];
  return parts.flatMap(([change, title]) => {
    const those = objects.filter((object) => object.change === change);
    if (those.length === 0) return [];
    const [first = '', ...rest] =
      change === 'added' || change === 'removed'
        ? [those.map(({ path, kind, name }) => `- ${kind} \`${name}\` (${path})`).join('\n')]
        : those.map((object) => fieldsOf(object, comparison));
    // With its first object, so that no title stands over nothing.
    return [`**${title}**\n\n${first}`, ...rest];
  });
}

function fieldsOf({ kind, name, path, fields }: ObjectChange, { left, right }: Comparison): string {
  const rows = fields.slice(0, MOST_FIELDS).map((field) => [cell(field.field), cell(field.left), cell(field.right)]);
  const more = fields.length > MOST_FIELDS ? `\n\n… and ${fields.length - MOST_FIELDS} more fields` : '';
  const head = `<details><summary>${kind} <code>${name}</code> (${path}): ${fields.length}</summary>`;
  return `${head}\n\n${table(['field', left, right], rows)}${more}\n\n</details>`;
}

/** What differs in the sums of each namespace, and in what they cost. */
function sums({ left, right, comparison }: Compared, prices: Prices | undefined): readonly string[] {
  const [lefts, rights] = [footprints(left), footprints(right)];
  const found = namespacePairs(lefts.keys(), rights.keys(), comparison.namespaces);
  const of = ({ left: one, right: other }: NamespacePair) => [lefts.get(one ?? ''), rights.get(other ?? '')] as const;
  const rows = found.flatMap((pair) =>
    sumChanges(...of(pair)).map((change) => [`${pair.right ?? pair.left ?? ''}`, ...sumCells(change)]),
  );
  const requests =
    rows.length === 0
      ? 'Requests, limits and quotas are the same.'
      : table(['namespace', 'sum', 'at minimum', 'at maximum', 'quota'], rows);
  return prices === undefined ? [requests] : [requests, cost(found.map(of), comparison, prices)];
}

const moved = (one: string, other: string): string => (one === other ? one : `${one} → ${other}`);

const sumCells = ({ name, minimum, maximum, quota }: SumChange): readonly string[] => [
  `\`${name}\``,
  ...[minimum, maximum].map(([one, other]) => moved(amount(name, one), amount(name, other))),
  moved(quota[0] ?? '–', quota[1] ?? '–'),
];

type Both = readonly [left: Footprint | undefined, right: Footprint | undefined];

function cost(both: readonly Both[], { left, right }: Comparison, prices: Prices): string {
  const sumOf = (side: 0 | 1, size: 'minimum' | 'maximum'): number =>
    both.reduce((sum, footprint) => sum + monthly(footprint[side]?.[size] ?? {}, prices), 0);
  const rows = (['minimum', 'maximum'] as const).map((size) => {
    const [one, other] = [sumOf(0, size), sumOf(1, size)];
    const difference = Math.round((other - one) * 100) / 100;
    return [
      `at ${size}`,
      one.toFixed(2),
      other.toFixed(2),
      `${difference > 0 ? '+' : ''}${Math.abs(difference) < 0.005 ? '0.00' : difference.toFixed(2)}`,
    ];
  });
  return table([`${prices.currency} a month, by your prices`, left, right, 'difference'], rows);
}
