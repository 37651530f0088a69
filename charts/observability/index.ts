export { Observability } from './observability';
export type {
  AlertmanagerValues,
  GrafanaValues,
  LogValues,
  LokiValues,
  ObservabilityValues,
  PrometheusValues,
  ReceiverValues,
} from './values';
