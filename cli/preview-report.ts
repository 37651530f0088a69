import type { Plan, PlannedAction, PlannedChange, PlannedField } from '../local/index';
import { cell, fitted, table, type Section } from './markdown';

/** A stack's plan, or why there is none. */
export type Planning = { readonly stack: string } & ({ readonly plan: Plan } | { readonly reason: string });

const TITLES: readonly (readonly [PlannedAction, string])[] = [
  ['replace', 'Replaced: made anew'],
  ['delete', 'Deleted'],
  ['update', 'Changed'],
  ['create', 'Created'],
];
const MOST_FIELDS = 40;

const count = ({ changes }: Plan, action: PlannedAction): number =>
  changes.filter((change) => change.action === action).length;

/** What a plan does, in one line. */
export function planned(plan: Plan): string {
  const words = { create: 'to create', update: 'to change', replace: 'to replace', delete: 'to delete' } as const;
  const parts = TITLES.map(([action]) => [count(plan, action), words[action]] as const).filter(([sum]) => sum > 0);
  if (parts.length === 0) return `no changes, ${plan.unchanged} resources`;
  return [...parts, [plan.unchanged, 'unchanged'] as const].map(([sum, word]) => `${sum} ${word}`).join(', ');
}

/** Plans as Markdown for a comment: one section a stack, cut to what a comment can hold. Secrets are masked. */
export function previewReport(title: string, plannings: readonly Planning[], longest: number): string {
  const rows = plannings.map((planning) => [
    planning.stack,
    ...('plan' in planning
      ? [...TITLES.map(([action]) => count(planning.plan, action)), planning.plan.unchanged].map(String)
      : ["can't be previewed", '', '', '', '']),
  ]);
  const overview = table(['stack', 'replaced', 'deleted', 'changed', 'created', 'unchanged'], rows);
  return fitted(`## ${title}\n\n${overview}`, plannings.map(sectionOf), longest);
}

function sectionOf(planning: Planning): Section {
  const { stack } = planning;
  const note = (missing: number): string =>
    `_${missing} more are not shown here; all of them: \`./trellis preview -s ${stack} --diff\`_`;
  if ('plan' in planning) {
    return { head: `### ${stack}: ${planned(planning.plan)}`, details: detailsOf(planning.plan), note };
  }
  // Indented text is shown as it is, whatever is in it.
  const reason = planning.reason.slice(0, 4000).split('\n');
  return {
    head: `### ${stack} can't be previewed\n\n${reason.map((line) => `    ${line}`).join('\n')}`,
    details: [],
    note,
  };
}

function detailsOf({ changes }: Plan): readonly string[] {
  return TITLES.flatMap(([action, title]) => {
    const those = changes.filter((change) => change.action === action);
    if (those.length === 0) return [];
    const listed = those.filter(({ fields }) => fields.length === 0).map(({ resource }) => `- ${resource}`);
    const [first = '', ...rest] = [
      ...(listed.length === 0 ? [] : [listed.join('\n')]),
      ...those.filter(({ fields }) => fields.length > 0).map(fieldsOf),
    ];
    return [`**${title}**\n\n${first}`, ...rest];
  });
}

const named = ({ field, forces }: PlannedField): string => `${cell(field)}${forces ? ' **forces it**' : ''}`;

function fieldsOf({ resource, fields }: PlannedChange): string {
  const rows = fields.slice(0, MOST_FIELDS).map((field) => [named(field), cell(field.left), cell(field.right)]);
  const more = fields.length > MOST_FIELDS ? `\n\n… and ${fields.length - MOST_FIELDS} more fields` : '';
  const head = `<details><summary>${resource}: ${fields.length}</summary>`;
  return `${head}\n\n${table(['field', 'now', 'then'], rows)}${more}\n\n</details>`;
}
