import type { IConstruct } from 'constructs';
import { burnAlerts, burnRecordings } from './burn-rate';
import { ValidationError } from './errors';
import type { Labels } from './kube';
import type { AlertRule, Monitoring, RecordingRule } from './monitoring';
import { isMonitored } from './monitoring';
import { namespaceOf, prometheusDuration } from './promql';

/** What one component of a tree tells. */
export interface MonitoredComponent {
  /** Path of the construct. */
  readonly path: string;
  /** @default - the chart leaves it open */
  readonly namespace?: string;
  readonly monitoring: Monitoring;
}

/** What all components below a construct tell, put together, and each by itself. */
export interface CollectedMonitoring extends Monitoring {
  /** In the order of the tree; none that has nothing to tell. */
  readonly components: readonly MonitoredComponent[];
}

/** A rule as Prometheus' rule files have it. */
export type PrometheusRule =
  | { readonly record: string; readonly expr: string; readonly labels?: Labels }
  | {
      readonly alert: string;
      readonly expr: string;
      readonly for?: string;
      readonly labels: Labels;
      readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string };
    };

/** Rules that are evaluated one after the other. */
export interface PrometheusRuleGroup {
  readonly name: string;
  readonly rules: readonly PrometheusRule[];
}

/** A rule file of Prometheus. */
export interface PrometheusRuleFile {
  readonly groups: readonly PrometheusRuleGroup[];
}

/**
 * All that the components below `scope` tell of how they are watched.
 * @throws ValidationError where two of one namespace have the same job, alert, objective or recorded series
 */
export function collectMonitoring(scope: IConstruct): CollectedMonitoring {
  const components = scope.node
    .findAll()
    .filter(isMonitored)
    .map((construct): MonitoredComponent => {
      const namespace = namespaceOf(construct);
      const monitoring = construct.monitoring();
      return { path: construct.node.path, ...(namespace === undefined ? {} : { namespace }), monitoring };
    })
    .filter(({ monitoring }) => Object.values(monitoring).some((part: readonly unknown[]) => part.length > 0));
  refuseDuplicates(scope, components);
  const all = <K extends keyof Monitoring>(key: K): Monitoring[K][number][] =>
    components.flatMap(({ monitoring }) => [...monitoring[key]] as Monitoring[K][number][]);
  return {
    components,
    targets: all('targets'),
    recordings: all('recordings'),
    alerts: all('alerts'),
    objectives: all('objectives'),
    panels: all('panels'),
  };
}

/** Alerts of a component, those on its objectives' budgets included. */
export const alertsOf = ({ alerts, objectives }: Monitoring): readonly AlertRule[] => [
  ...alerts,
  ...objectives.flatMap(burnAlerts),
];

/** Recording rules of a component, its objectives' included. */
export const recordingsOf = ({ recordings, objectives }: Monitoring): readonly RecordingRule[] => [
  ...recordings,
  ...objectives.flatMap(burnRecordings),
];

/** The rule file: one group a component, what is recorded before what reads it. A label tells an alert's severity. */
export function prometheusRules({ components }: Pick<CollectedMonitoring, 'components'>): PrometheusRuleFile {
  const groups = components.map(({ path, monitoring }) => ({
    name: path,
    rules: [...recordingsOf(monitoring).map(recordingRule), ...alertsOf(monitoring).map(alertRule)],
  }));
  return { groups: groups.filter(({ rules }) => rules.length > 0) };
}

const recordingRule = ({ record, expr, labels }: RecordingRule): PrometheusRule => ({
  record,
  expr,
  ...(labels === undefined ? {} : { labels }),
});

const alertRule = (rule: AlertRule): PrometheusRule => ({
  alert: rule.alert,
  expr: rule.expr,
  ...(rule.for === undefined ? {} : { for: prometheusDuration(rule.for) }),
  labels: { severity: rule.severity },
  annotations: { summary: rule.summary, description: rule.description, runbook: rule.runbook },
});

/** What has to be unique within a namespace, by what it is called in an error. */
const NAMES: Readonly<Record<string, (monitoring: Monitoring) => readonly string[]>> = {
  job: ({ targets }) => targets.map(({ job }) => job),
  alert: (monitoring) => alertsOf(monitoring).map(({ alert }) => alert),
  objective: ({ objectives }) => objectives.map(({ name }) => name),
  'recorded series': ({ recordings }) =>
    recordings.map(({ record, labels }) => (labels === undefined ? record : `${record}${JSON.stringify(labels)}`)),
};

function refuseDuplicates(scope: IConstruct, components: readonly MonitoredComponent[]): void {
  const problems = Object.entries(NAMES).flatMap(([what, namesOf]) => {
    const owners = new Map<string, string>();
    return components.flatMap(({ path, namespace = '', monitoring }) =>
      namesOf(monitoring).flatMap((name) => {
        const key = `${namespace}/${name}`;
        const owner = owners.get(key);
        owners.set(key, owner ?? path);
        return owner === undefined ? [] : [`${what} '${name}' is both of ${owner} and of ${path}`];
      }),
    );
  });
  if (problems.length > 0) throw new ValidationError(scope, problems);
}
