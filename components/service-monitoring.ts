import type { Construct } from 'constructs';
import type { Monitoring, ServiceLevelObjective } from './monitoring';
import { alertsNamed, kubectl, runbook } from './monitoring-parts';
import { jobSelector, namespaceOf, quoted, regex } from './promql';
import { serviceAlerts } from './service-alerts';
import type { ServiceMetrics } from './service-metrics';
import { servicePanels } from './service-panels';

/** What the alerts of a service depend on. */
export interface ServiceFacts {
  readonly scope: Construct;
  /** Of the pods, and the job's. */
  readonly name: string;
  readonly port: number;
  readonly metrics: NonNullable<ServiceMetrics['settings']>;
  /** Paths that are asked by probes, whose answers say nothing of users. */
  readonly probes: readonly string[];
}

/** How the pods of a service are watched, by the metrics that they serve themselves. */
export function serviceMonitoring(facts: ServiceFacts): Monitoring {
  const { scope, name, port, metrics } = facts;
  const namespace = namespaceOf(scope);
  const selector = jobSelector(scope, name);
  return {
    targets: [
      {
        job: name,
        ...(namespace === undefined ? {} : { namespace }),
        ...{ labels: { 'app.kubernetes.io/name': name }, port, path: metrics.path },
        exporter: 'reference-service',
      },
    ],
    recordings: [],
    alerts: alertsNamed(name, serviceAlerts(facts, selector)),
    objectives: [availability(facts, selector), promptness(facts, selector)],
    panels: servicePanels(name, metrics.histogram, selector, users(facts)),
  };
}

/** Leaves out the routes of probes and metrics, and those in `more`. */
function users({ metrics, probes }: ServiceFacts, more: readonly string[] = []): string {
  const routes = [...new Set([metrics.path, ...probes, ...more])].sort();
  return `route!~${quotedRegex(routes)}`;
}

const quotedRegex = (values: readonly string[]): string => `"${values.map(regex).join('|')}"`;

const requests = (series: string, selector: string, window = '$window'): string =>
  `sum by (namespace, job) (rate(${series}{${selector}}[${window}]))`;

const look = ({ scope, name }: ServiceFacts): readonly string[] => [
  '`./trellis status`: whether pods restart or wait.',
  `\`./trellis logs ${name}\`: errors, each with its request’s id.`,
  `\`${kubectl(scope)} rollout history deployment/${name}\`: whether it began with a release.`,
  'Alerts of the database, the cache and the services that it calls: they come first.',
];

function availability(facts: ServiceFacts, selector: string): ServiceLevelObjective {
  const { name, metrics } = facts;
  const series = `${metrics.histogram}_count`;
  const asked = `${selector},${users(facts)}`;
  return {
    name: `${name}-availability`,
    objective: metrics.availability,
    selector,
    bad: requests(series, `${asked},status=~"5.."`),
    total: requests(series, asked),
    summary: '{{ $labels.namespace }}/{{ $labels.job }}: too many requests end with an error of the server',
    runbook: runbook({
      means: `Of all requests, ${metrics.availability * 100} % should end without an error of the server over 30 days. They fail faster than that allows.`,
      look: look(facts),
      mend: [
        `A release: \`${kubectl(facts.scope)} rollout undo deployment/${name}\`, then the image in the environment’s file.`,
        'Something that it calls: mend that.',
        'Too much work: raise `maxReplicas`, or `resources`.',
      ],
    }),
  };
}

function promptness(facts: ServiceFacts, selector: string): ServiceLevelObjective {
  const { name, metrics } = facts;
  const { histogram, latency, slowRoutes } = metrics;
  const asked = `${selector},${users(facts, slowRoutes)}`;
  const seconds = latency.toSeconds({ integral: false });
  // Libraries and versions of Prometheus write the bound of one second as `1` or as `1.0`.
  const bound = Number.isInteger(seconds) ? `le=~"${seconds}(\\\\.0)?"` : `le=${quoted(String(seconds))}`;
  const total = requests(`${histogram}_count`, asked);
  return {
    name: `${name}-promptness`,
    objective: metrics.promptness,
    selector,
    bad: `${total} - ${requests(`${histogram}_bucket`, `${asked},${bound}`)}`,
    total,
    summary: `{{ $labels.namespace }}/{{ $labels.job }}: too many requests take longer than ${seconds} s`,
    runbook: runbook({
      means: `Of all requests, ${metrics.promptness * 100} % should be answered within ${seconds} s over 30 days. More of them are late.`,
      look: [
        ...look(facts),
        'Panels “Time to answer” and “Database pool”: which route, and whether requests wait for a connection.',
      ],
      mend: [
        'Pods at their CPU limit: raise `maxReplicas`, or `resources`.',
        'Waiting for the database: see its panels, and the slow statements in its log.',
        'A route that takes its time by its nature: name it in `metrics.slowRoutes`.',
      ],
    }),
  };
}
