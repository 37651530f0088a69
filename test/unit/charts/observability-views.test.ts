import { parse } from 'yaml';
import type { RenderedObject } from '../../../bridge/render';
import type { Manifest } from '../../support/synth';
import { readSettings } from '../../../stacks/render';
import { environmentOf, first, IMAGES, pick, renderPlatform, renderSettings, storeOf } from './platform';

let prod: readonly RenderedObject[];
let staging: readonly RenderedObject[];
beforeAll(async () => {
  prod = await renderPlatform('prod');
  staging = await renderPlatform('staging');
}, 120_000);

const TOPICS = [
  'application-performance',
  'cache',
  'database-performance',
  'error-rate',
  'gpu-inference',
  'system-resources',
] as const;

interface Panel {
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos?: { readonly w: number; readonly x: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}
interface Dashboard {
  readonly uid: string;
  readonly editable: boolean;
  readonly panels: readonly Panel[];
}
const dashboard = (topic: string): Dashboard =>
  JSON.parse(pick(prod, 'v1/ConfigMap', `grafana-dashboard-${topic}`).data[`${topic}.json`] ?? '') as Dashboard;

describe('Grafana', () => {
  it('runs as the user of its image, answers probes, and keeps nothing', () => {
    const set = storeOf(prod, 'grafana');
    expect(set.spec.template.spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10_472 });
    expect(first(set)).toMatchObject({
      image: IMAGES.observability.grafana,
      ports: [{ containerPort: 3000 }],
      livenessProbe: { httpGet: { path: '/healthz' } },
      readinessProbe: { httpGet: { path: '/api/health' } },
    });
    expect(set.spec.volumeClaimTemplates).toBeUndefined();
  });

  it('reads its password from a file of a Secret, and asks nobody outside', () => {
    const environment = environmentOf(first(storeOf(prod, 'grafana')));
    expect(environment.GF_SECURITY_ADMIN_PASSWORD__FILE).toBe('/run/secrets/grafana/GRAFANA_PASSWORD');
    expect(environment).toMatchObject({
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
      GF_AUTH_ANONYMOUS_ENABLED: 'false',
      GF_SERVER_ROOT_URL: 'https://grafana.example.com/',
    });
    expect(Object.keys(pick(prod, 'v1/Secret', 'grafana-secret').stringData)).toEqual(['GRAFANA_PASSWORD']);
    const { egress = [] } = pick(prod, 'networking.k8s.io/v1/NetworkPolicy', 'grafana').spec;
    expect(egress.flatMap(({ ports = [] }) => ports.map(({ port }) => port)).sort()).toEqual([
      3100, 53, 53, 9090, 9093,
    ]);
  });

  it('has the stores that are there as data sources, under the ids that dashboards name', () => {
    interface Sources {
      readonly datasources: readonly { readonly uid: string; readonly url: string; readonly editable: boolean }[];
    }
    const text = pick(prod, 'v1/ConfigMap', 'grafana-data-sources').data['data-sources.yaml'] ?? '';
    expect((parse(text) as Sources).datasources.map(({ uid, url, editable }) => [uid, url, editable])).toEqual([
      ['prometheus', 'http://prometheus-service.observability.svc:9090', false],
      ['alertmanager', 'http://alertmanager-service.observability.svc:9093', false],
      ['loki', 'http://loki-service.observability.svc:3100', false],
    ]);
  });

  it('is behind the ingress, and nothing else of the stack is', () => {
    const ingress = prod.find(({ kind, path }) => kind === 'Ingress' && path.startsWith('observability/'));
    const { spec } = ingress?.manifest as unknown as Manifest<'networking.k8s.io/v1/Ingress'>;
    expect(spec.rules?.map(({ host, http }) => [host, http?.paths.map((one) => one.backend.service?.name)])).toEqual([
      ['grafana.example.com', ['grafana-service']],
    ]);
  });
});

describe('dashboards', () => {
  it('are one for each topic, and all are mounted', () => {
    const maps = prod.flatMap(({ kind, name }) =>
      kind === 'ConfigMap' && name.startsWith('grafana-dashboard-') ? [name.replace('grafana-dashboard-', '')] : [],
    );
    expect([...maps].sort()).toEqual([...TOPICS]);
    const volumes = storeOf(prod, 'grafana').spec.template.spec.volumes ?? [];
    const mounted = volumes.find(({ name }) => name === 'dashboards')?.projected?.sources ?? [];
    expect(mounted.map(({ configMap }) => configMap?.name).sort()).toEqual(
      TOPICS.map((topic) => `grafana-dashboard-${topic}`),
    );
  });

  it.each(TOPICS)('%s: every panel says what it shows, asks Prometheus, and stands within the page', (topic) => {
    const { uid, editable, panels } = dashboard(topic);
    expect([uid, editable]).toEqual([topic, false]);
    const shown = panels.filter(({ type }) => type !== 'row');
    expect(shown.length).toBeGreaterThan(0);
    for (const { title = '', description = '', datasource, targets = [], gridPos } of shown) {
      expect(title).not.toBe('');
      expect(description).not.toBe('');
      expect(datasource?.uid).toBe('prometheus');
      expect(targets.length).toBeGreaterThan(0);
      // Two of a kind never mix.
      for (const { expr } of targets) expect(expr).toMatch(/namespace=~?"/);
      expect((gridPos?.x ?? 24) + (gridPos?.w ?? 24)).toBeLessThanOrEqual(24);
    }
  });

  it('have a row for each component that has something to show', () => {
    const rows = dashboard('database-performance').panels.filter(({ type }) => type === 'row');
    expect(rows.map(({ title }) => title)).toEqual(
      ['noodle-core', 'noa-server'].flatMap((system) => [`${system}/backup-status`, `${system}/postgres`]),
    );
  });
});

describe('Loki', () => {
  it('keeps logs for as long as the file says, on a volume', async () => {
    const { loki } = (await readSettings('prod')).observability;
    const text = pick(prod, 'v1/ConfigMap', 'loki-config').data['loki.yaml'] ?? '';
    expect(parse(text)).toMatchObject({
      auth_enabled: false,
      limits_config: { retention_period: `${loki.retentionDays * 24}h` },
      compactor: { retention_enabled: true, delete_request_store: 'filesystem' },
      schema_config: { configs: [{ store: 'tsdb', schema: 'v13', object_store: 'filesystem' }] },
    });
    pick(prod, 'v1/PersistentVolumeClaim', 'data-loki-0');
  });

  it('takes logs from the collector and answers Grafana, and nobody else', () => {
    const { ingress = [] } = pick(prod, 'networking.k8s.io/v1/NetworkPolicy', 'loki').spec;
    const peers = ingress.flatMap(({ from = [] }) => from);
    expect(
      peers.map(({ namespaceSelector, podSelector }) => [
        namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'],
        podSelector?.matchLabels?.['app.kubernetes.io/name'],
      ]),
    ).toEqual([
      ['observability', 'grafana'],
      ['observability-logs', 'fluent-bit'],
    ]);
  });
});

describe('Fluent Bit', () => {
  const collection = (): readonly RenderedObject[] => prod.filter(({ path }) => path.startsWith('log-collection/'));
  const pod = () => pick(prod, 'apps/v1/DaemonSet', 'fluent-bit').spec.template.spec;

  it('has a namespace to itself, which states why it admits files of the node', () => {
    const { labels, annotations } = pick(prod, 'v1/Namespace', 'observability-logs').metadata;
    expect(labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'privileged',
      'pod-security.kubernetes.io/audit': 'restricted',
    });
    expect(annotations?.['trellis.dev/pod-security-reason']).toContain('/var/log/containers and /var/log/pods');
    const workloads = prod.filter(
      ({ kind, namespace }) => namespace === 'observability-logs' && /Set$|ment$/.test(kind),
    );
    expect(workloads.map(({ name }) => name)).toEqual(['fluent-bit']);
  });

  it('is as closed as every other pod but for two folders that it only reads', () => {
    expect(pod()).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 10_079, runAsGroup: 10_079, supplementalGroups: [0] },
      tolerations: [{ operator: 'Exists' }],
    });
    expect(pod().hostNetwork ?? pod().hostPid).toBeUndefined();
    const [container] = pod().containers;
    expect(container?.securityContext).toMatchObject({ readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
    const ofNode = (pod().volumes ?? []).filter(({ hostPath }) => hostPath !== undefined);
    expect(ofNode.map(({ hostPath }) => hostPath?.path)).toEqual(['/var/log/containers', '/var/log/pods']);
    for (const { name } of ofNode) {
      expect(container?.volumeMounts?.find((mount) => mount.name === name)?.readOnly).toBe(true);
    }
  });

  it('reads the watched namespaces alone, and sends lines to Loki with a label for namespace and container', () => {
    interface Pipeline {
      readonly pipeline: {
        readonly inputs: readonly { readonly path: string }[];
        readonly outputs: readonly { readonly host: string; readonly labels: string }[];
      };
    }
    const text = pick(prod, 'v1/ConfigMap', 'fluent-bit-config').data['fluent-bit.yaml'] ?? '';
    const { inputs, outputs } = (parse(text) as Pipeline).pipeline;
    expect(inputs[0]?.path.split(',')).toEqual(
      ['noodle-core', 'noa-server', 'observability'].map((name) => `/var/log/containers/*_${name}_*.log`),
    );
    expect(outputs).toMatchObject([{ name: 'loki', host: 'loki-service.observability.svc', port: 3100 }]);
    expect(outputs[0]?.labels).toContain('namespace=$namespace');
  });

  it('has a quota for one pod on each node that there may be', async () => {
    const { nodes } = (await readSettings('prod')).observability.logs;
    const quota = collection().find(({ kind }) => kind === 'ResourceQuota')?.manifest.spec as {
      hard: { pods: string };
    };
    expect(Number(quota.hard.pods)).toBe(Math.ceil(nodes * 1.25));
  });

  it('is left out where the file says so, with its namespace', async () => {
    const settings = await readSettings('staging');
    const { observability } = settings;
    const without = { ...observability, logs: { ...observability.logs, enabled: false } };
    const objects = renderSettings({ ...settings, observability: without });
    expect(staging.some(({ path }) => path.startsWith('log-collection/'))).toBe(true);
    expect(objects.filter(({ path }) => path.startsWith('log-collection/'))).toEqual([]);
  });
});
