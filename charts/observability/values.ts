import type { ContainerResources } from 'cdk8s-plus-28';
import type { Duration, Size } from 'cdk8s';
import type { Late, LateSecret } from '../../components/late';
import type { StorageValues, SystemValues } from '../values';

/** All that differs between two observability stacks: plain data, images and secrets. */
export interface ObservabilityValues extends SystemValues {
  readonly images: Readonly<Record<'prometheus' | 'alertmanager' | 'grafana' | 'loki' | 'fluentBit', Late>>;
  readonly secrets: {
    /** Of Grafana's user `admin`. */
    readonly grafanaPassword: LateSecret;
  };
  /** Address that alerts are sent to, where there is a receiver; such addresses often hold a key. */
  readonly receiverUrl: LateSecret;
  readonly prometheus: PrometheusValues;
  readonly alertmanager: AlertmanagerValues;
  /** Nothing where there is none. */
  readonly grafana: GrafanaValues | undefined;
  /** Nothing where there is none. */
  readonly loki: LokiValues | undefined;
  /** Nothing where logs are not collected, or the cluster collects them by itself. */
  readonly logs: LogValues | undefined;
}

/** Size and pace of Prometheus. */
export interface PrometheusValues extends StorageValues {
  /**
   * How it finds pods: it asks the API server itself, or reads files that a small program beside it writes, for builds without that, such as
   * Debian's. Targets and their labels are the same.
   */
  readonly discovery: 'kubernetes' | 'files';
  readonly retention: {
    /** What is older goes. */
    readonly time: Duration;
    /** What is more than that in all goes, the oldest first. */
    readonly size: Size;
  };
  readonly scrapeInterval: Duration;
  readonly evaluationInterval: Duration;
  /** Alerts wait no longer than that before they fire; nothing where they wait as long as they say. */
  readonly longestFor: Duration | undefined;
}

/** Size of Alertmanager, and who it tells. */
export interface AlertmanagerValues extends StorageValues {
  /** Nothing where alerts are only shown. */
  readonly receiver: ReceiverValues | undefined;
  /** How long until an alert that still fires is sent again; a page four times as often. */
  readonly repeat: Duration;
}

/** Where the receiver of alerts is found; the address itself is a secret. */
export interface ReceiverValues {
  /** Port that it listens on. */
  readonly port: number;
  /** Ranges of addresses (CIDR) that it may have. */
  readonly addresses: readonly string[];
}

export interface GrafanaValues {
  readonly resources: ContainerResources;
}

/** Size of the log store. */
export interface LokiValues extends StorageValues {
  /** What is older goes. */
  readonly retention: Duration;
}

/** Collection of logs, on every node. */
export interface LogValues {
  readonly namespace: string;
  /** Most nodes that the cluster may have. */
  readonly nodes: number;
  readonly resources: ContainerResources;
}
