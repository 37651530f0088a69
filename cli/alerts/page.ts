import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { AlertRule } from '../../components';
import { alertsOf } from '../../components';
import { prometheusDuration } from '../../components/promql';
import type { Sample } from './samples';
import { NAMESPACE, samples } from './samples';

/** Where the page lies. */
export const PAGE = path.join(__dirname, '..', '..', 'docs', 'alerts.md');

const HEAD = ['alert', 'severity', 'for', 'means'];

const INTRODUCTION = `# Alerts and runbooks

Made from what the components tell by \`npm run docs:alerts\`; a test fails where it differs.

An alert's name begins with its component's: what stands here for the samples \`database\`, \`cache\` and \`service\` in the namespace
\`${NAMESPACE}\` is called \`PostgresDown\` for a database called \`postgres\`. Each alert carries its runbook, with the names of its own
objects, in the annotation \`runbook\`; here each stands once. \`page\` wakes somebody up; \`ticket\` has time until the next working days.`;

/** The page of all alerts, each runbook once, as prettier would write it. */
export function alertsPage(all: readonly Sample[] = samples()): string {
  const told = new Set<string>();
  const sections = all.flatMap(({ title, component }) => {
    const alerts = alertsOf(component.monitoring);
    const others = alerts.filter(({ description }) => !told.has(description));
    for (const { description } of others) told.add(description);
    return [
      `## ${title}`,
      table([HEAD, ...alerts.map(row)]),
      ...others.flatMap(({ alert, description, runbook }) => [`### ${alert}`, plain(description), runbook]),
    ];
  });
  return `${[INTRODUCTION, ...sections].join('\n\n')}\n`;
}

/** Without Prometheus' templates, which mean nothing on a page. */
const plain = (text: string): string =>
  text
    .replace(/^\{\{ \$labels\.namespace \}\}\/\{\{ \$labels\.job \}\}: /, '')
    .replaceAll(/\{\{ \$value[^}]*\}\}/g, '…')
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, '($1)');

const row = (rule: AlertRule): readonly string[] => [
  `\`${rule.alert}\``,
  rule.severity,
  rule.for === undefined ? '–' : prometheusDuration(rule.for),
  plain(rule.summary),
];

function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((each) => each.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = HEAD.map((_, column) => Math.max(...cells.map((each) => (each[column] ?? '').length)));
  const line = (each: readonly string[]): string =>
    `| ${each.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join('\n');
}

if (require.main === module) writeFileSync(PAGE, alertsPage());
