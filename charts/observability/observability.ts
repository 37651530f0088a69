import type { App } from 'cdk8s';
import { Chart } from 'cdk8s';
import type { MonitoredComponent } from '../../components/monitoring-rules';
import { collectMonitoring } from '../../components/monitoring-rules';
import { isMonitored } from '../../components/monitoring';
import { NamespaceAccess } from '../../components/namespace-access';
import { NamespaceBaseline } from '../../components/namespace-baseline';
import { Problems } from '../../components/validation';
import { addIngress } from '../edge';
import { Alertmanager } from './alertmanager';
import { Grafana } from './grafana';
import { LogCollection } from './log-collection';
import { Loki } from './loki';
import { Prometheus } from './prometheus';
import type { ObservabilityValues } from './values';

/**
 * What watches the systems of a cluster, once for all of them: Prometheus with what their components tell, Alertmanager, and where the
 * values have them Grafana behind a TLS ingress, Loki and the collection of logs. It is made after the systems, whose policies it opens for
 * Prometheus at the ports of the metrics alone.
 */
export class Observability extends Chart {
  public readonly prometheus: Prometheus;
  public readonly alertmanager: Alertmanager;
  /** Nothing where the values have none. */
  public readonly grafana: Grafana | undefined;
  public readonly loki: Loki | undefined;
  /** All that is watched, the stack itself included. */
  public readonly watched: readonly MonitoredComponent[];

  /**
   * @param systems charts whose components are watched
   * @throws ValidationError where the values do not fit together, or a component refuses them
   */
  public constructor(
    scope: App,
    id: string,
    private readonly values: ObservabilityValues,
    private readonly systems: readonly Chart[],
  ) {
    super(scope, id, { namespace: values.namespace, labels: { 'app.kubernetes.io/part-of': 'observability' } });
    this.check();
    const { removalPolicy, largestNode, images, receiverUrl } = values;
    const baseline = new NamespaceBaseline(this, 'baseline', { removalPolicy, largestNode });
    const access = new NamespaceAccess(this, 'access', values.access);
    this.alertmanager = new Alertmanager(this, 'alertmanager', {
      ...{ image: images.alertmanager, values: values.alertmanager, receiverUrl, removalPolicy },
    });
    const { alertmanager } = this;
    this.prometheus = new Prometheus(this, 'prometheus', {
      ...{ image: images.prometheus, values: values.prometheus, alertmanager, removalPolicy },
      namespaces: this.namespaces,
    });
    this.watched = this.watch();
    const { loki } = values;
    this.loki =
      loki === undefined ? undefined : new Loki(this, 'loki', { image: images.loki, values: loki, removalPolicy });
    this.grafana = this.addGrafana();
    this.addLogs();
    for (const part of [access, alertmanager, this.prometheus, this.loki, this.grafana]) {
      part?.node.addDependency(baseline);
    }
  }

  /** Where what is watched may be. */
  private get namespaces(): readonly string[] {
    return [...this.systems, this].flatMap(({ namespace }) => namespace ?? []);
  }

  private check(): void {
    const { logs, loki, prometheus, namespace } = this.values;
    new Problems(this)
      .require(logs === undefined || loki !== undefined, 'logs: they are sent to Loki, and loki is not enabled')
      .require(
        logs?.namespace !== namespace,
        `logs.namespace: '${namespace}' is the stack's own, where Pod Security stays restricted`,
      )
      .size('prometheus.storage', prometheus.storage, prometheus.retention.size)
      .raise();
  }

  private watch(): readonly MonitoredComponent[] {
    const charts = [...this.systems, this];
    for (const construct of charts.flatMap((chart) => chart.node.findAll())) {
      if (isMonitored(construct)) construct.allowScraping(this.prometheus);
    }
    const watched = charts.flatMap((chart) => collectMonitoring(chart).components);
    this.prometheus.watches(watched);
    return watched;
  }

  private addGrafana(): Grafana | undefined {
    const { values, prometheus, alertmanager, loki, watched } = this;
    if (values.grafana === undefined) return undefined;
    const { host, images, secrets, removalPolicy } = values;
    const grafana = new Grafana(this, 'grafana', {
      ...{ image: images.grafana, values: values.grafana, password: secrets.grafanaPassword, host, removalPolicy },
      sources: { prometheus, alertmanager, loki },
      scrapeInterval: values.prometheus.scrapeInterval,
      components: watched,
    });
    addIngress(this, values, { routes: [{ host, path: '/', to: grafana }] });
    return grafana;
  }

  private addLogs(): void {
    const { logs, images, removalPolicy, largestNode } = this.values;
    if (logs === undefined || this.loki === undefined) return;
    const { namespaces } = this;
    const app = this.node.root as App;
    new LogCollection(app, 'log-collection', {
      ...{ image: images.fluentBit, logs, loki: this.loki, namespaces, removalPolicy, largestNode },
    });
  }
}
