import { Duration, Yaml } from 'cdk8s';
import type { Construct } from 'constructs';
import { kubeObject } from '../../components/kube';
import type { Late, LateSecret } from '../../components/late';
import { LateTokens } from '../../components/late';
import type { DashboardTopic } from '../../components/monitoring';
import type { MonitoredComponent } from '../../components/monitoring-rules';
import type { RemovalPolicy } from '../../components/release-options';
import type { Alertmanager } from './alertmanager';
import { dashboardsOf } from './dashboards';
import { dataSources } from './data-sources';
import type { Loki } from './loki';
import type { Prometheus } from './prometheus';
import type { ServerFiles } from './server';
import { Server } from './server';
import type { GrafanaValues } from './values';

/** The image runs as any user; its own, 472, may be somebody's on a node. */
const USER = 10_472;
const PORT = 3000;
const PROVISIONING = '/etc/grafana/provisioning';
const DASHBOARDS = '/etc/grafana/dashboards';
const DATA = '/var/lib/grafana';
const SECRETS = '/run/secrets/grafana';
/** Name of the Secret, and of its key. */
const SECRET = 'grafana-secret';
const SECRET_KEY = 'GRAFANA_PASSWORD';

interface GrafanaOptions {
  readonly image: Late;
  readonly values: GrafanaValues;
  readonly password: LateSecret;
  /** Public host name. */
  readonly host: string;
  readonly sources: {
    readonly prometheus: Prometheus;
    readonly alertmanager: Alertmanager;
    readonly loki: Loki | undefined;
  };
  readonly scrapeInterval: Duration;
  readonly components: readonly MonitoredComponent[];
  readonly removalPolicy: RemovalPolicy;
}

/**
 * Grafana, made from the definition alone: data sources and dashboards are files, and its own database starts empty with each pod, so that
 * what is seen is what is defined, and a new password holds at once.
 */
export class Grafana extends Server {
  public constructor(scope: Construct, id: string, options: GrafanaOptions) {
    const { image, values, host, removalPolicy, components } = options;
    const dashboards = dashboardsOf(components);
    super(scope, id, {
      image,
      port: PORT,
      user: USER,
      resources: values.resources,
      args: [],
      env: settings(host),
      probes: { liveness: '/healthz', readiness: '/api/health' },
      // It makes its tables first.
      startup: Duration.minutes(3),
      files: filesOf([...dashboards.keys()]),
      data: { directory: DATA },
      removalPolicy,
    });
    const { prometheus, alertmanager, loki } = options.sources;
    this.connects(prometheus, alertmanager, ...(loki === undefined ? [] : [loki]));
    this.addConfiguration(options);
    for (const [topic, dashboard] of dashboards) {
      const data = { [`${topic}.json`]: `${JSON.stringify(dashboard, null, 2)}\n` };
      kubeObject(
        this,
        `Dashboard-${topic}`,
        'v1/ConfigMap',
        { name: dashboardMap(topic), labels: this.selector },
        { data },
      );
    }
  }

  private addConfiguration({ sources, scrapeInterval, password }: GrafanaOptions): void {
    const { prometheus, alertmanager, loki } = sources;
    const urls = { prometheus: prometheus.url, alertmanager: alertmanager.url, loki: loki?.url };
    const labels = this.selector;
    const scrapeSeconds = scrapeInterval.toSeconds();
    const config = (id: string, name: string, data: Readonly<Record<string, string>>) =>
      kubeObject(this, id, 'v1/ConfigMap', { name, labels }, { data });
    config('DataSources', 'grafana-data-sources', {
      'data-sources.yaml': Yaml.stringify(dataSources({ ...urls, scrapeSeconds })),
    });
    config('Providers', 'grafana-providers', { 'providers.yaml': Yaml.stringify(PROVIDERS) });
    const stringData = { [SECRET_KEY]: LateTokens.of(this).asSecret(this, password) };
    kubeObject(this, 'Secret', 'v1/Secret', { name: SECRET, labels }, { stringData });
  }
}

const dashboardMap = (topic: DashboardTopic): string => `grafana-dashboard-${topic}`;

const PROVIDERS = {
  apiVersion: 1,
  providers: [
    {
      ...{ name: 'trellis', type: 'file', folder: 'Trellis', disableDeletion: true, allowUiUpdates: false },
      options: { path: DASHBOARDS },
    },
  ],
};

const filesOf = (topics: readonly DashboardTopic[]): readonly ServerFiles[] => [
  {
    name: 'data-sources',
    directory: `${PROVISIONING}/datasources`,
    source: { configMap: { name: 'grafana-data-sources' } },
  },
  { name: 'providers', directory: `${PROVISIONING}/dashboards`, source: { configMap: { name: 'grafana-providers' } } },
  {
    name: 'dashboards',
    directory: DASHBOARDS,
    source: { projected: { sources: topics.map((topic) => ({ configMap: { name: dashboardMap(topic) } })) } },
  },
  { name: 'password', directory: SECRETS, source: { secret: { secretName: SECRET, defaultMode: 0o440 } } },
];

/** It asks nobody outside: no plugins, no updates, no pictures, no statistics. */
const settings = (host: string) =>
  Object.entries({
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
    GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
    GF_ANALYTICS_REPORTING_ENABLED: 'false',
    GF_AUTH_ANONYMOUS_ENABLED: 'false',
    GF_LOG_CONSOLE_FORMAT: 'json',
    GF_LOG_MODE: 'console',
    GF_NEWS_NEWS_FEED_ENABLED: 'false',
    GF_PATHS_PROVISIONING: PROVISIONING,
    GF_PLUGINS_PREINSTALL_DISABLED: 'true',
    GF_SECURITY_ADMIN_PASSWORD__FILE: `${SECRETS}/${SECRET_KEY}`,
    GF_SECURITY_COOKIE_SECURE: 'true',
    GF_SECURITY_DISABLE_GRAVATAR: 'true',
    GF_SERVER_ROOT_URL: `https://${host}/`,
    GF_USERS_ALLOW_SIGN_UP: 'false',
  }).map(([name, value]) => ({ name, value }));
