import { Duration, Yaml } from 'cdk8s';
import type { Construct } from 'constructs';
import type { IClient } from '../../components/connections';
import { kubeObject } from '../../components/kube';
import type { Late } from '../../components/late';
import { LateTokens } from '../../components/late';
import type { IMonitored, Monitoring } from '../../components/monitoring';
import type { MonitoredComponent } from '../../components/monitoring-rules';
import { prometheusRules } from '../../components/monitoring-rules';
import { PodReader } from '../../components/pod-reader';
import type { RemovalPolicy } from '../../components/release-options';
import { apiServerEdges } from '../../components/service-role';
import { sizeBytes } from '../../components/units';
import type { Alertmanager } from './alertmanager';
import { prometheusMonitoring } from './own-monitoring';
import { podDiscovery, podFile } from './pod-discovery';
import { namespacesOf, podsOf, prometheusConfiguration, tokensOf } from './prometheus-configuration';
import { claimOf, Server } from './server';
import type { PrometheusValues } from './values';

/** User that the image of Prometheus runs as. */
const USER = 10_076;
const PORT = 9090;
const FOLDER = '/etc/prometheus';
const RULES = '/etc/prometheus-rules';
const TOKENS = '/etc/prometheus-tokens';
const DATA = '/prometheus';

/**
 * How long the last sample of a series counts that nobody has ended. Those of pods that went while Prometheus was away are such, and would
 * hide for five minutes, the default, that their successors are down. Four rounds, so that some may be missed, and a minute at least.
 */
const lookbackSeconds = ({ scrapeInterval, evaluationInterval }: PrometheusValues): number =>
  Math.max(60, 4 * Math.max(scrapeInterval.toSeconds(), evaluationInterval.toSeconds()));

interface PrometheusOptions {
  readonly image: Late;
  readonly values: PrometheusValues;
  readonly alertmanager: Alertmanager;
  readonly removalPolicy: RemovalPolicy;
  /** Where what it watches may be. */
  readonly namespaces: readonly string[];
}

/**
 * Prometheus: asks every pod that it is told of for its metrics, keeps them for a while, and tells Alertmanager what is wrong. Configuration
 * and rules are ConfigMaps; its pod rolls when one of them changes, and what waits to fire goes on waiting from where it was.
 */
export class Prometheus extends Server implements IMonitored {
  private components: readonly MonitoredComponent[] = [];

  public constructor(
    scope: Construct,
    id: string,
    private readonly options: PrometheusOptions,
  ) {
    const { image, values, removalPolicy, namespaces } = options;
    super(scope, id, {
      image,
      port: PORT,
      user: USER,
      resources: values.resources,
      args: [
        `--config.file=${FOLDER}/prometheus.yml`,
        `--storage.tsdb.path=${DATA}`,
        `--storage.tsdb.retention.time=${values.retention.time.toHours()}h`,
        // Its megabytes are binary.
        `--storage.tsdb.retention.size=${Math.floor(sizeBytes(values.retention.size) / 1024 ** 2)}MB`,
        `--query.lookback-delta=${lookbackSeconds(values)}s`,
        '--log.format=json',
      ],
      probes: { liveness: '/-/healthy', readiness: '/-/ready' },
      // It reads what it had not yet written into blocks.
      startup: Duration.minutes(10),
      files: [
        { name: 'config', directory: FOLDER, source: { configMap: { name: `${id}-config` } } },
        { name: 'rules', directory: RULES, source: { configMap: { name: `${id}-rules` } } },
        // There is one where a target wants to know who asks.
        {
          name: 'tokens',
          directory: TOKENS,
          source: { secret: { secretName: `${id}-tokens`, defaultMode: 0o440, optional: true } },
        },
      ],
      data: { directory: DATA, claim: claimOf(values) },
      removalPolicy,
      apiToken: true,
      ...(values.discovery === 'files'
        ? { beside: podDiscovery(LateTokens.of(scope).asString(scope, image), namespaces, values.scrapeInterval) }
        : {}),
    });
    this.connects(options.alertmanager);
    for (const { peer, port } of apiServerEdges()) this.policy.allowTo(peer, port);
    this.addConfiguration();
  }

  /** Watches components: it may find their pods and reach their metrics. Their own policies are opened by them. */
  public watches(components: readonly MonitoredComponent[]): void {
    this.components = components;
    this.addTokens();
    for (const { peer, port } of podsOf(components)) this.policy.allowTo(peer, port);
    for (const namespace of namespacesOf(components)) {
      new PodReader(this, `Reader-${namespace}`, { namespace, account: this.name, labels: this.selector });
    }
  }

  public monitoring(): Monitoring {
    return prometheusMonitoring(this, { labels: this.selector, port: this.port });
  }

  public allowScraping(...clients: readonly IClient[]): void {
    this.allowFrom(...clients);
  }

  private addConfiguration(): void {
    const { values, alertmanager } = this.options;
    const { scrapeInterval, evaluationInterval, discovery } = values;
    const data = () => ({
      'prometheus.yml': Yaml.stringify(
        prometheusConfiguration({
          ...{ scrapeInterval, evaluationInterval, components: this.components },
          ...(discovery === 'files' ? { podFiles: podFile } : {}),
          ...{ tokens: TOKENS, rules: `${RULES}/*.yml`, alertmanager: `${alertmanager.host}:${alertmanager.port}` },
        }),
      ),
    });
    const labels = this.selector;
    kubeObject(this, 'Config', 'v1/ConfigMap', { name: `${this.name}-config`, labels }, () => ({ data: data() }));
    kubeObject(this, 'Rules', 'v1/ConfigMap', { name: `${this.name}-rules`, labels }, () => ({
      data: this.rules(),
    }));
  }

  private addTokens(): void {
    const tokens = LateTokens.of(this);
    const entries = Object.entries(tokensOf(this.components));
    if (entries.length === 0) return;
    const stringData = Object.fromEntries(entries.map(([name, token]) => [name, tokens.asSecret(this, token)]));
    const metadata = { name: `${this.name}-tokens`, labels: this.selector };
    kubeObject(this, 'Tokens', 'v1/Secret', metadata, { stringData });
  }

  /** A file a namespace: two systems may have alerts of one name. */
  private rules(): Readonly<Record<string, string>> {
    const components = this.capped();
    const namespaces = [...new Set(components.flatMap(({ namespace }) => namespace ?? []))];
    return Object.fromEntries(
      namespaces.map((namespace) => {
        const own = components.filter((component) => component.namespace === namespace);
        return [`${namespace}.yml`, Yaml.stringify(prometheusRules({ components: own }))];
      }),
    );
  }

  /** Alerts with no wait longer than the values allow. */
  private capped(): readonly MonitoredComponent[] {
    const { longestFor } = this.options.values;
    if (longestFor === undefined) return this.components;
    return this.components.map((component) => ({
      ...component,
      monitoring: {
        ...component.monitoring,
        alerts: component.monitoring.alerts.map((alert) =>
          alert.for !== undefined && alert.for.toSeconds() > longestFor.toSeconds()
            ? { ...alert, for: longestFor }
            : alert,
        ),
      },
    }));
  }
}
