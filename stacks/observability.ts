import { Duration } from 'cdk8s';
import type { ObservabilityValues } from '../charts/observability';
import type { Settings } from './schema';
import type { ImageSource } from './schema-fields';
import { resources, storageValues, systemValues } from './system';

type Name = keyof ObservabilityValues['images'];
type Own = Settings['observability'];

/** Where each image of the observability stack comes from. */
export function observabilitySources({ observability }: Settings): Readonly<Record<Name, ImageSource>> {
  const { prometheus, alertmanager, grafana, loki, logs } = observability;
  return {
    prometheus: prometheus.source,
    alertmanager: alertmanager.source,
    grafana: grafana.source,
    loki: loki.source,
    fluentBit: logs.source,
  };
}

/** Settings of the observability stack as its chart takes them. */
export function observabilityValues(
  settings: Settings,
): Omit<ObservabilityValues, 'images' | 'secrets' | 'receiverUrl'> {
  const { observability: own } = settings;
  const { grafana, loki, logs } = own;
  return {
    ...systemValues(settings, own),
    prometheus: prometheusValues(own.prometheus),
    alertmanager: alertmanagerValues(own.alertmanager),
    grafana: grafana.enabled ? { resources: resources(grafana) } : undefined,
    loki: loki.enabled ? { ...storageValues(loki), retention: Duration.days(loki.retentionDays) } : undefined,
    logs: logs.enabled ? { namespace: logs.namespace, nodes: logs.nodes, resources: resources(logs) } : undefined,
  };
}

function prometheusValues(settings: Own['prometheus']): ObservabilityValues['prometheus'] {
  const { retention, discovery, scrapeSeconds, evaluationSeconds, longestForSeconds } = settings;
  return {
    ...storageValues(settings),
    discovery,
    retention: { time: Duration.days(retention.days), size: retention.size },
    scrapeInterval: Duration.seconds(scrapeSeconds),
    evaluationInterval: Duration.seconds(evaluationSeconds),
    longestFor: longestForSeconds === 0 ? undefined : Duration.seconds(longestForSeconds),
  };
}

function alertmanagerValues(settings: Own['alertmanager']): ObservabilityValues['alertmanager'] {
  const { receiver, repeatHours } = settings;
  const { kind, port, addresses } = receiver;
  return {
    ...storageValues(settings),
    receiver: kind === 'none' ? undefined : { port, addresses },
    repeat: Duration.hours(repeatHours),
  };
}

/** Where alerts are sent to; a deployment has it in plain text, and the chart makes a secret of it. */
export const receiverUrl = ({ observability }: Settings): string => {
  const { url } = observability.alertmanager.receiver;
  return typeof url === 'string' ? url : '';
};

/** Addresses and names that a user of the stack needs; those without TLS are within the cluster. */
export const observabilityOutputs = ({ observability: { namespace, host, grafana, loki } }: Settings) => ({
  ...(grafana.enabled ? { url: `https://${host}/`, secrets: { grafana: `${namespace}/grafana-secret` } } : {}),
  namespace,
  prometheus: `http://prometheus-service.${namespace}.svc:9090`,
  alertmanager: `http://alertmanager-service.${namespace}.svc:9093`,
  ...(loki.enabled ? { loki: `http://loki-service.${namespace}.svc:3100` } : {}),
});
