import type { Duration } from 'cdk8s';
import type { NetworkPolicyPeer } from '../../components/kube';
import type { LateSecret } from '../../components/late';
import type { ScrapeTarget } from '../../components/monitoring';
import type { MonitoredComponent } from '../../components/monitoring-rules';
import { prometheusDuration } from '../../components/promql';

/** What the configuration of Prometheus is made of. */
export interface PrometheusInput {
  readonly scrapeInterval: Duration;
  readonly evaluationInterval: Duration;
  /** Where it finds rule files. */
  readonly rules: string;
  /** Host and port. */
  readonly alertmanager: string;
  readonly components: readonly MonitoredComponent[];
  /** Folder with the tokens of targets that want one. */
  readonly tokens: string;
  /** Files with the pods of each namespace, by its name. @default - none: it asks the API server */
  readonly podFiles?: (namespace: string) => string;
}

type Placed = ScrapeTarget & { readonly namespace: string };

const placed = (components: readonly MonitoredComponent[]): readonly Placed[] =>
  components.flatMap(({ namespace: home = 'default', monitoring }) =>
    monitoring.targets.map((target) => ({ ...target, namespace: target.namespace ?? home })),
  );

/** Namespaces of all that is watched, each once. */
export const namespacesOf = (components: readonly MonitoredComponent[]): readonly string[] =>
  [...new Set(placed(components).map(({ namespace }) => namespace))].sort();

/** Where the pods are that are asked for metrics, for a NetworkPolicy. */
export const podsOf = (
  components: readonly MonitoredComponent[],
): readonly { readonly peer: NetworkPolicyPeer; readonly port: number }[] =>
  placed(components).map(({ namespace, labels, port }) => ({
    peer: {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      podSelector: { matchLabels: labels },
    },
    port,
  }));

/** Tokens that targets want to see, by the names of their files. */
export const tokensOf = (components: readonly MonitoredComponent[]): Readonly<Record<string, LateSecret>> =>
  Object.fromEntries(
    placed(components).flatMap((target) =>
      target.bearerToken === undefined ? [] : [[tokenFile(target), target.bearerToken] as const],
    ),
  );

const tokenFile = ({ namespace, job }: Placed): string => `${namespace}.${job}`;

/** `prometheus.yml`, one job a target. Jobs of one namespace share one discovery of its pods, since theirs is the same. */
export const prometheusConfiguration = (input: PrometheusInput): object => ({
  global: {
    scrape_interval: prometheusDuration(input.scrapeInterval),
    // A pod that takes longer is as good as gone, and the next question must not meet this one.
    scrape_timeout: prometheusDuration(input.scrapeInterval),
    evaluation_interval: prometheusDuration(input.evaluationInterval),
  },
  rule_files: [input.rules],
  alerting: { alertmanagers: [{ static_configs: [{ targets: [input.alertmanager] }] }] },
  scrape_configs: placed(input.components).map((target) => scrapeConfig(target, input)),
});

const discovery = (namespace: string, { podFiles, scrapeInterval }: PrometheusInput): object =>
  podFiles === undefined
    ? { kubernetes_sd_configs: [{ role: 'pod', namespaces: { names: [namespace] } }] }
    : // It follows changes of the files; where it missed one, it looks again.
      {
        file_sd_configs: [{ files: [podFiles(namespace)], refresh_interval: prometheusDuration(scrapeInterval) }],
      };

function scrapeConfig(target: Placed, input: PrometheusInput): object {
  const { job, namespace, labels, port, path = '/metrics', bearerToken } = target;
  const keep = (source: string, value: string) => ({ source_labels: [source], regex: value, action: 'keep' });
  const take = (source: string, target: string) => ({ source_labels: [source], target_label: target });
  return {
    job_name: `${namespace}/${job}`,
    metrics_path: path,
    ...(bearerToken === undefined
      ? {}
      : { authorization: { credentials_file: `${input.tokens}/${tokenFile(target)}` } }),
    ...discovery(namespace, input),
    relabel_configs: [
      ...Object.entries(labels).map(([name, value]) =>
        keep(`__meta_kubernetes_pod_label_${name.replaceAll(/[^A-Za-z0-9_]/g, '_')}`, value.replaceAll('.', '\\.')),
      ),
      keep('__meta_kubernetes_pod_container_port_number', String(port)),
      // A pod that has ended is still listed, with an address that may be another's by now.
      { source_labels: ['__meta_kubernetes_pod_phase'], regex: 'Succeeded|Failed', action: 'drop' },
      { target_label: 'job', replacement: job },
      take('__meta_kubernetes_namespace', 'namespace'),
      take('__meta_kubernetes_pod_name', 'pod'),
    ],
  };
}
