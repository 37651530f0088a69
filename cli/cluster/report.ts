import { age, type StackStatus } from './stack-status';

/** Rows in columns, as wide as their longest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `  ${line.trimEnd()}\n`)
    .join('');
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `\n${title}\n${lines.map((line) => `  ${line}\n`).join('')}`;

/** The stack's part of `./trellis status`. */
export function report(status: StackStatus): string {
  const { deployment, stack } = status;
  if (deployment === undefined) return `Stack ${stack} was never deployed from here: ./trellis up -s ${stack}\n`;
  const head = `Stack ${stack}: ${deployment.resources} resources, last update ${age(deployment.updated)} ago (${deployment.updated ?? '?'})\n`;
  const rows = status.pods.map((pod) => [
    pod.ready ? '✔' : '✖',
    ...[pod.name, pod.containers, pod.state, `${pod.restarts} restarts`, pod.age, pod.image],
  ]);
  const nodes = status.nodes.map(({ name, ready, version }) => `${ready ? '✔' : '✖'} ${name}  ${version}`);
  const pods = rows.length === 0 ? '\nPods\n  none\n' : `\nPods in ${deployment.namespaces.join(', ')}\n${table(rows)}`;
  return [
    head,
    section('Nodes', nodes),
    pods,
    section('Not Ready', status.short),
    section('Autoscalers', status.autoscalers),
    section('Routes', status.routes),
  ].join('');
}
