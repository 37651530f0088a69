import type { Category, Variable } from './variable';
import { ORIGIN } from './variable';

/** One system's part of the page. */
export interface SystemVariables {
  readonly title: string;
  /** A sentence or two below the title. */
  readonly about: string;
  readonly services: readonly string[];
  readonly categories: readonly Category[];
}

const HEAD = ['variable', 'services', 'value', 'default', 'meaning'];

/** The page of all environment variables, as prettier would write it. */
export const variablesPage = (systems: readonly SystemVariables[]): string =>
  [
    '# Environment variables',
    'Made from the tables in `charts/*/variables` by `npm run docs:variables`; a test fails where it differs from them.',
    ...systems.flatMap(system),
  ].join('\n\n') + '\n';

function system({ title, about, services, categories }: SystemVariables): readonly string[] {
  const count = categories.reduce((sum, { variables }) => sum + variables.length, 0);
  return [
    `## ${title}`,
    `${about} ${count} variables in ${categories.length} ${categories.length === 1 ? 'category' : 'categories'}.`,
    ...categories.flatMap(({ name, variables }) => [
      `### ${name}`,
      table([HEAD, ...variables.map((one) => row(one, services))]),
    ]),
  ];
}

function row(
  { name, services, type, origin, default: value, secret, doc }: Variable,
  all: readonly string[],
): string[] {
  const everywhere = all.every((one) => services.includes(one));
  const from = value === undefined ? `from ${ORIGIN[origin]}` : value === '' ? 'empty' : `\`${value}\``;
  return [
    `\`${name}\``,
    everywhere ? 'all' : services.join(', '),
    secret ? `${type.allowed}; secret` : type.allowed,
    from,
    doc,
  ];
}

function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join('\n');
}
