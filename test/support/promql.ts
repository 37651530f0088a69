import { parser } from '@prometheus-io/lezer-promql';
import type { Monitoring, MonitoredComponent } from '../../components';
import { alertsOf, recordingsOf } from '../../components';
import { metricNames, OF_PROMETHEUS } from '../../cli/alerts/exposition';

/** One selector of an expression. */
interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** Every selector of an expression; fails where it cannot be parsed. */
export function selectorsOf(expr: string): readonly Selector[] {
  const found: { metric: string; labels: string[] }[] = [];
  parser.parse(expr).iterate({
    enter({ name, type, from, to }) {
      const text = expr.slice(from, to);
      if (type.isError) throw new SyntaxError(`not PromQL from '${expr.slice(from, from + 20)}' on: ${expr}`);
      if (name === 'VectorSelector') found.push({ metric: /^[\w:]*/.exec(text)?.[0] ?? '', labels: [] });
      if (name === 'UnquotedLabelMatcher') found.at(-1)?.labels.push(/^\w+/.exec(text)?.[0] ?? '');
    },
  });
  return found;
}

/** What is wrong with the selectors of an expression: a name that nobody writes, or no matcher for namespace and job. */
export const selectorProblems = (expr: string, known: ReadonlySet<string>): readonly string[] =>
  selectorsOf(expr).flatMap(({ metric, labels }) => [
    ...(known.has(metric) ? [] : [`${metric} is no metric of its exporter`]),
    ...['namespace', 'job']
      .filter((label) => !labels.includes(label))
      .map((label) => `${metric} has no matcher for ${label}`),
  ]);

/** Every expression of a component, with where it stands. */
export const expressionsOf = (monitoring: Monitoring): readonly (readonly [where: string, expr: string])[] => [
  ...alertsOf(monitoring).map(({ alert, expr }) => [alert, expr] as const),
  ...recordingsOf(monitoring).map(({ record, expr }) => [record, expr] as const),
  ...monitoring.panels.flatMap(({ title, queries }) => queries.map(({ expr }) => [title, expr] as const)),
];

/** Names that the exporters of a component write, and that its own rules record. */
export const knownTo = (monitoring: Monitoring): ReadonlySet<string> =>
  new Set([
    ...OF_PROMETHEUS,
    ...monitoring.targets.flatMap(({ exporter }) => metricNames(exporter).names),
    ...recordingsOf(monitoring).map(({ record }) => record),
  ]);

/** Problems of all expressions of a component, each with its place. */
export const monitoringProblems = ({ path, monitoring }: MonitoredComponent): readonly string[] =>
  expressionsOf(monitoring).flatMap(([where, expr]) =>
    selectorProblems(expr, knownTo(monitoring)).map((problem) => `${path}: ${where}: ${problem}`),
  );
