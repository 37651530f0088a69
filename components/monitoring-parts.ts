import type { IConstruct } from 'constructs';
import type { AlertRule, Monitoring } from './monitoring';
import { camelCase, namespaceOf } from './promql';

/** A component that tells nothing of itself. */
export const NO_MONITORING: Monitoring = { targets: [], recordings: [], alerts: [], objectives: [], panels: [] };

/** What several parts of a component tell, as one. */
export const joinMonitoring = (...parts: readonly Monitoring[]): Monitoring => ({
  targets: parts.flatMap(({ targets }) => targets),
  recordings: parts.flatMap(({ recordings }) => recordings),
  alerts: parts.flatMap(({ alerts }) => alerts),
  objectives: parts.flatMap(({ objectives }) => objectives),
  panels: parts.flatMap(({ panels }) => panels),
});

/** What an operator does about an alert. */
export interface RunbookSteps {
  /** What the alert means, and for whom: whole sentences. */
  readonly means: string;
  /** Where to look, the likeliest cause first: commands in backticks, with what they tell. */
  readonly look: readonly string[];
  /** How it is mended, in the order in which it is tried. */
  readonly mend: readonly string[];
}

/** The steps as Markdown. */
export const runbook = ({ means, look, mend }: RunbookSteps): string =>
  [
    means,
    ['**Look:**', '', ...look.map((line) => `- ${line}`)].join('\n'),
    ['**Mend:**', '', ...mend.map((line, index) => `${index + 1}. ${line}`)].join('\n'),
  ].join('\n\n');

/** An alert before its component has given it a name. */
export type AlertDraft = Omit<AlertRule, 'alert' | 'runbook'> & {
  /** What holds, in CamelCase: `Down` of the component `postgres` becomes `PostgresDown`. */
  readonly condition: string;
  readonly steps: RunbookSteps;
};

/** Alerts of the component called `name`. */
export const alertsNamed = (name: string, drafts: readonly AlertDraft[]): readonly AlertRule[] =>
  drafts.map(({ condition, steps, ...rest }) => ({
    ...rest,
    alert: `${camelCase(name)}${condition}`,
    runbook: runbook(steps),
  }));

/** `kubectl` in the namespace of a construct, for runbooks. */
export const kubectl = (scope: IConstruct): string => {
  const namespace = namespaceOf(scope);
  return namespace === undefined ? 'kubectl' : `kubectl -n ${namespace}`;
};

/** Aggregates over all series of a job; whatever else tells series apart is named in `more`. */
export const byJob = (operation: string, expr: string, ...more: readonly string[]): string =>
  `${operation} by (${['namespace', 'job', ...more].join(', ')}) (${expr})`;

/** The pods of one job, for the begin of an alert's summary. */
export const JOB = '{{ $labels.namespace }}/{{ $labels.job }}';
