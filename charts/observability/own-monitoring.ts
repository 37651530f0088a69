import { Duration } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { Labels } from '../../components/kube';
import type { AlertRule, DashboardPanel, Monitoring } from '../../components/monitoring';
import { DashboardTopic, PanelUnit, Severity } from '../../components/monitoring';
import { jobSelector } from '../../components/promql';

/** Pods of a program of the stack, and the port of its metrics. */
interface Pods {
  readonly labels: Labels;
  readonly port: number;
}

const panel = (
  title: string,
  description: string,
  unit: PanelUnit,
  ...queries: DashboardPanel['queries']
): DashboardPanel => ({ dashboard: DashboardTopic.SYSTEM, title, description, unit, queries });

/** How Prometheus itself is watched: by itself, as far as it can. */
export function prometheusMonitoring(scope: IConstruct, pods: Pods): Monitoring {
  const job = 'prometheus';
  const own = jobSelector(scope, job);
  return {
    targets: [{ job, ...pods, exporter: 'prometheus' }],
    recordings: [],
    alerts: prometheusAlerts(own),
    objectives: [],
    panels: [
      panel(
        'Series in memory',
        'Prometheus’ memory grows with them; a jump means a label with too many values.',
        PanelUnit.NUMBER,
        { expr: `prometheus_tsdb_head_series{${own}}`, legend: '{{pod}}' },
      ),
      panel(
        'Memory of Prometheus',
        'Resident memory of the process; at its limit it is ended and starts anew.',
        PanelUnit.BYTES,
        { expr: `process_resident_memory_bytes{${own}}`, legend: '{{pod}}' },
      ),
    ],
  };
}

const prometheusAlerts = (own: string): readonly AlertRule[] => [
  {
    alert: 'PrometheusRuleFails',
    expr: `increase(prometheus_rule_evaluation_failures_total{${own}}[15m]) > 0`,
    for: Duration.minutes(5),
    severity: Severity.TICKET,
    summary: 'A rule cannot be evaluated',
    description: 'Rules of group {{ $labels.rule_group }} fail: what they would alert on goes unseen.',
    runbook: [
      '1. Look at the rule and its error: `/rules` of Prometheus, or its log.',
      '2. "many-to-many matching" or "duplicate series" means that two components have the same labels; each expression has to select by namespace and job.',
      '3. After a change of the definition: take it back.',
    ].join('\n'),
  },
  {
    alert: 'PrometheusCannotAlert',
    expr: `increase(prometheus_notifications_dropped_total{${own}}[15m]) > 0 or prometheus_notifications_alertmanagers_discovered{${own}} < 1`,
    for: Duration.minutes(5),
    severity: Severity.PAGE,
    summary: 'Alerts do not reach Alertmanager',
    description: 'Prometheus drops alerts or knows no Alertmanager: nobody is told what else is wrong.',
    runbook: [
      '1. Is the pod `alertmanager-0` Ready? Look at its log.',
      '2. Does the NetworkPolicy of Alertmanager let Prometheus in, on its port?',
      '3. Until it works again look at `/alerts` of Prometheus itself.',
    ].join('\n'),
  },
  {
    alert: 'PrometheusDropsSamples',
    expr: `increase(prometheus_target_scrapes_exceeded_sample_limit_total{${own}}[15m]) > 0 or increase(prometheus_target_scrapes_sample_out_of_order_total{${own}}[15m]) > 0`,
    for: Duration.minutes(15),
    severity: Severity.TICKET,
    summary: 'Prometheus does not keep all that it is told',
    description: 'Samples are refused, so that panels have gaps and alerts may not fire.',
    runbook: [
      '1. Look for "out of order" in the log of Prometheus: it names the target.',
      '2. Two pods behind one set of labels do that: compare the labels of job and instance.',
    ].join('\n'),
  },
];

/** How Alertmanager is watched. */
export function alertmanagerMonitoring(scope: IConstruct, pods: Pods): Monitoring {
  const job = 'alertmanager';
  const own = jobSelector(scope, job);
  return {
    targets: [{ job, ...pods, exporter: 'alertmanager' }],
    recordings: [],
    alerts: [
      {
        alert: 'AlertmanagerDown',
        expr: `absent(up{${own}} == 1)`,
        for: Duration.minutes(5),
        severity: Severity.PAGE,
        summary: 'Alertmanager does not answer',
        description: 'Nobody is told what Prometheus finds. This alert is seen in Prometheus alone.',
        runbook: [
          '1. Look at the pod `alertmanager-0`: `kubectl describe pod`, then its log. A configuration that it cannot read ends it at once.',
          '2. Until it works again look at `/alerts` of Prometheus itself.',
        ].join('\n'),
      },
      {
        alert: 'AlertmanagerCannotNotify',
        expr: `increase(alertmanager_notifications_failed_total{${own}}[15m]) > 0`,
        for: Duration.minutes(5),
        severity: Severity.PAGE,
        summary: 'The receiver of alerts is not reached',
        description: 'Notifications by {{ $labels.integration }} fail.',
        runbook: [
          '1. The log of Alertmanager has the answer of the receiver.',
          '2. A timeout means that the NetworkPolicy or a firewall is in between: compare `alertmanager.receiver.addresses` and `port` with the receiver’s.',
          '3. 401, 403 or 404: the address was changed or withdrawn. Set the new one and deploy.',
        ].join('\n'),
      },
    ],
    objectives: [],
    panels: [
      panel(
        'Alerts',
        'Alerts that Alertmanager knows, by state; a number that stays high means that nobody looks.',
        PanelUnit.NUMBER,
        { expr: `alertmanager_alerts{${own}}`, legend: '{{state}}' },
      ),
    ],
  };
}
