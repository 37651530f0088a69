import type { Duration } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { IClient } from './connections';
import type { Labels } from './kube';
import type { LateSecret } from './late';

/** Who has to act on an alert, and how soon. */
export enum Severity {
  /** Users notice, or are about to: somebody is woken up. */
  PAGE = 'page',
  /** Within the next working days. */
  TICKET = 'ticket',
}

/** What a series is measured in; how a panel shows it. */
export enum PanelUnit {
  NUMBER = 'short',
  /** 0 to 1. */
  RATIO = 'percentunit',
  SECONDS = 's',
  BYTES = 'bytes',
  PER_SECOND = 'reqps',
  BYTES_PER_SECOND = 'Bps',
}

/** The dashboard that a panel stands on. */
export enum DashboardTopic {
  APPLICATION = 'application-performance',
  ERRORS = 'error-rate',
  DATABASE = 'database-performance',
  CACHE = 'cache',
  INFERENCE = 'gpu-inference',
  SYSTEM = 'system-resources',
}

/** Pods whose metrics are scraped, and where they have them. Each series gets the labels `namespace`, `job` and `pod`. */
export interface ScrapeTarget {
  /** Value of the label `job`; unique within a namespace. */
  readonly job: string;
  /** Namespace of the pods. @default - the one that the chart is deployed to */
  readonly namespace?: string;
  /** Labels that all of the pods have. */
  readonly labels: Labels;
  /** Port of the container. */
  readonly port: number;
  /** @default '/metrics' */
  readonly path?: string;
  /** Program whose metrics these are: a key of the catalogue of metric names. */
  readonly exporter: string;
  /** Token that the pods want to see, `Authorization: Bearer …`; for a file that only the scraper reads. @default - none is needed */
  readonly bearerToken?: LateSecret;
}

/** A recording rule. */
export interface RecordingRule {
  /** Name of the series, `level:metric:operation`. */
  readonly record: string;
  readonly expr: string;
  readonly labels?: Labels;
}

/** An alert and what to do about it. */
export interface AlertRule {
  /** In CamelCase; unique within a namespace. */
  readonly alert: string;
  readonly expr: string;
  /** How long it must hold. @default - at once */
  readonly for?: Duration;
  readonly severity: Severity;
  /** One line; may hold Prometheus' templates. */
  readonly summary: string;
  /** What it means and where to look first; may hold Prometheus' templates. */
  readonly description: string;
  /** What an operator does, as Markdown; its heading is the alert's name. */
  readonly runbook: string;
}

/** A service level objective over 30 days. Its burn rates give recording rules and a pair of alerts, see `burn-rate.ts`. */
export interface ServiceLevelObjective {
  /** In kebab-case; unique within a namespace. */
  readonly name: string;
  /** Share of good events, such as 0.999. */
  readonly objective: number;
  /** Rate of bad events, with `$window` where the range is, such as `sum(rate(http_…{status=~"5.."}[$window]))`. */
  readonly bad: string;
  /** Rate of all events, with `$window` likewise. */
  readonly total: string;
  /**
   * Matchers without braces that stand in both and that their results keep as labels, such as `namespace="shop",job="api"`.
   * @default - the recorded series are told apart by the objective's name alone
   */
  readonly selector?: string;
  readonly summary: string;
  readonly runbook: string;
}

/** A panel of a dashboard. */
export interface DashboardPanel {
  readonly dashboard: DashboardTopic;
  readonly title: string;
  /** One sentence: what is seen, and what is bad. */
  readonly description: string;
  readonly unit: PanelUnit;
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
}

/** All that one component knows of how it is watched. Expressions select by `namespace` and `job`, so that two of a kind never mix. */
export interface Monitoring {
  readonly targets: readonly ScrapeTarget[];
  readonly recordings: readonly RecordingRule[];
  readonly alerts: readonly AlertRule[];
  readonly objectives: readonly ServiceLevelObjective[];
  readonly panels: readonly DashboardPanel[];
}

/** A component that is watched. */
export interface IMonitored extends IConstruct {
  /** What there is to watch; nothing where it has no metrics. */
  monitoring(): Monitoring;
  /** Lets who scrapes in, to the ports of the metrics alone. */
  allowScraping(...clients: readonly IClient[]): void;
}

/** Whether a construct is watched. */
export const isMonitored = (construct: IConstruct): construct is IMonitored =>
  'monitoring' in construct && typeof construct.monitoring === 'function';
