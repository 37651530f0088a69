import { Duration, Size } from 'cdk8s';
import { parse } from 'yaml';
import type { RenderedObject } from '../../../bridge/render';
import type { Container, PodSpec } from '../../../components/kube';
import { readSettings } from '../../../stacks/render';
import type { Settings } from '../../../stacks/schema';
import { environmentOf, IMAGES, pick, renderPlatform, renderSettings, storeOf } from './platform';

const ENVIRONMENTS = ['dev', 'staging', 'prod'] as const;
type Own = Settings['observability'];

const all = new Map<string, readonly RenderedObject[]>();
beforeAll(async () => {
  for (const name of ENVIRONMENTS) all.set(name, await renderPlatform(name));
}, 120_000);
const of = (environment: string): readonly RenderedObject[] => all.get(environment) ?? [];
/** What the stack itself has, its roles in other namespaces included. */
const stack = (environment: string): readonly RenderedObject[] =>
  of(environment).filter(({ path }) => path.startsWith('observability/'));

const podOf = (environment: string, name: string): PodSpec => storeOf(stack(environment), name).spec.template.spec;
const containerOf = (environment: string, name: string): Container =>
  podOf(environment, name).containers[0] as Container;
const file = <T>(environment: string, map: string, key: string): T =>
  parse(pick(stack(environment), 'v1/ConfigMap', map).data[key] ?? '') as T;

interface PrometheusFile {
  readonly global: Readonly<Record<string, string>>;
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly file_sd_configs?: readonly { readonly files: readonly string[] }[];
    readonly kubernetes_sd_configs?: readonly object[];
    readonly relabel_configs: readonly { readonly source_labels?: readonly string[]; readonly regex?: string }[];
  }[];
}
interface RuleFile {
  readonly groups: readonly { readonly rules: readonly { readonly alert?: string; readonly for?: string }[] }[];
}
const prometheusFile = (environment: string) =>
  file<PrometheusFile>(environment, 'prometheus-config', 'prometheus.yml');
const alertsIn = (environment: string) =>
  Object.values(pick(stack(environment), 'v1/ConfigMap', 'prometheus-rules').data)
    .flatMap((text) => (parse(text) as RuleFile).groups)
    .flatMap(({ rules }) => rules.filter(({ alert }) => alert !== undefined));

/** The definition of one environment with some of the stack's settings changed. */
async function changed(environment: string, change: (own: Own) => Partial<Own>): Promise<readonly RenderedObject[]> {
  const settings = await readSettings(environment);
  const observability = { ...settings.observability, ...change(settings.observability) };
  return renderSettings({ ...settings, observability });
}

describe.each(ENVIRONMENTS)('in %s', (environment) => {
  const namespaces = { dev: '-dev', staging: '-staging', prod: '' };
  const suffix = namespaces[environment];

  it('Prometheus and Alertmanager run restricted, non-root and with a volume', () => {
    expect(pick(stack(environment), 'v1/Namespace', `observability${suffix}`).metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    for (const [name, user] of [
      ['prometheus', 10_076],
      ['alertmanager', 10_077],
    ] as const) {
      expect(podOf(environment, name).securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: user });
      expect(containerOf(environment, name)).toMatchObject({
        image: IMAGES.observability[name],
        livenessProbe: { httpGet: { path: '/-/healthy' } },
        readinessProbe: { httpGet: { path: '/-/ready' } },
        securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      });
      pick(stack(environment), 'v1/PersistentVolumeClaim', `data-${name}-0`);
    }
    expect(containerOf(environment, 'prometheus').ports).toMatchObject([{ containerPort: 9090 }]);
  });

  it('Prometheus keeps what the file says, and asks as often', async () => {
    const { prometheus } = (await readSettings(environment)).observability;
    expect(containerOf(environment, 'prometheus').args).toEqual(
      expect.arrayContaining([
        `--storage.tsdb.retention.time=${prometheus.retention.days * 24}h`,
        `--storage.tsdb.retention.size=${prometheus.retention.size.toMebibytes()}MB`,
        `--query.lookback-delta=${Math.max(60, 4 * prometheus.scrapeSeconds, 4 * prometheus.evaluationSeconds)}s`,
      ]),
    );
    const seconds = (name: string): number =>
      Duration.parse(`PT${(prometheusFile(environment).global[name] ?? '').toUpperCase()}`).toSeconds();
    expect(seconds('scrape_interval')).toBe(prometheus.scrapeSeconds);
    expect(seconds('evaluation_interval')).toBe(prometheus.evaluationSeconds);
  });

  it('finds pods through a role of each namespace that lets it look at pods and nothing else', () => {
    const names = ['noodle-core', 'noa-server', 'observability'].map((name) => `${name}${suffix}`);
    const readers = stack(environment).filter(({ name }) => name === 'prometheus-pod-reader');
    const roles = readers.filter(({ kind }) => kind === 'Role');
    expect(roles.map(({ namespace }) => namespace).sort()).toEqual([...names].sort());
    for (const { manifest } of roles) {
      expect(manifest.rules).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }]);
    }
    for (const { manifest } of readers.filter(({ kind }) => kind === 'RoleBinding')) {
      expect(manifest.subjects).toEqual([
        { kind: 'ServiceAccount', name: 'prometheus', namespace: `observability${suffix}` },
      ]);
    }
    expect(of(environment).filter(({ kind }) => kind.startsWith('Cluster') && kind.includes('Role'))).toEqual([]);
    expect(podOf(environment, 'prometheus').automountServiceAccountToken).toBe(true);
    expect(podOf(environment, 'alertmanager').automountServiceAccountToken).toBe(false);
  });

  it('watches both databases and both caches, and itself', () => {
    const jobs = prometheusFile(environment).scrape_configs.map(({ job_name: job }) => job);
    expect(jobs).toEqual(
      expect.arrayContaining([
        ...['noodle-core', 'noa-server'].flatMap((name) => [`${name}${suffix}/postgres`, `${name}${suffix}/redis`]),
        ...['prometheus', 'alertmanager'].map((name) => `observability${suffix}/${name}`),
      ]),
    );
    expect(new Set(jobs).size).toBe(jobs.length);
  });

  it('opens the exporter of a database to Prometheus, and the way there, and no other port', () => {
    const { spec } = pick(of(environment), 'networking.k8s.io/v1/NetworkPolicy', 'prometheus');
    const policyOf = (name: string, namespace: string) =>
      of(environment).find((one) => one.kind === 'NetworkPolicy' && one.name === name && one.namespace === namespace)
        ?.manifest.spec as typeof spec;
    const database = policyOf('postgres', `noodle-core${suffix}`);
    const fromPrometheus = (database.ingress ?? []).filter(({ from }) =>
      from?.some(({ podSelector }) => podSelector?.matchLabels?.['app.kubernetes.io/name'] === 'prometheus'),
    );
    expect(fromPrometheus.map(({ ports }) => ports)).toEqual([[{ protocol: 'TCP', port: 9187 }]]);
    const way = (spec.egress ?? []).find(({ ports }) => ports?.some(({ port }) => port === 9187));
    expect(way?.to).toContainEqual({
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': `noodle-core${suffix}` } },
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'postgres' } },
    });
  });

  it('counts its pods into the quota of its namespace', () => {
    const { hard = {} } = pick(stack(environment), 'v1/ResourceQuota', 'quota').spec;
    const sets = stack(environment).filter(({ kind }) => kind === 'StatefulSet');
    expect(Number(hard.pods)).toBeGreaterThanOrEqual(sets.length);
    expect(hard['requests.memory']).toMatch(/^\d+Mi$/);
  });
});

describe('dev', () => {
  it('is light, and does not pull what no registry of packages has', () => {
    expect(
      stack('dev')
        .filter(({ kind }) => kind === 'StatefulSet')
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['alertmanager', 'prometheus']);
    expect(of('dev').filter(({ path }) => path.startsWith('log-collection'))).toEqual([]);
    expect(containerOf('dev', 'prometheus').resources?.limits?.memory).toBe('256Mi');
    expect(containerOf('dev', 'alertmanager').resources?.limits?.memory).toBe('64Mi');
  });

  it('lets no alert wait longer than its file says, and prod each as long as it says', () => {
    const seconds = (text = '0s'): number =>
      [...text.matchAll(/(\d+)([dhms])/g)].reduce(
        (sum, [, count, unit]) => sum + Number(count) * ({ d: 86_400, h: 3600, m: 60, s: 1 }[unit as 's'] ?? 0),
        0,
      );
    const waits = (environment: string): readonly number[] => alertsIn(environment).map((rule) => seconds(rule.for));
    expect(Math.max(...waits('dev'))).toBe(10);
    expect(Math.max(...waits('prod'))).toBeGreaterThan(60);
  });
});

describe('discovery', () => {
  it('by files has a program beside Prometheus that writes them, one a namespace', () => {
    const [, beside] = podOf('prod', 'prometheus').containers;
    expect(beside).toMatchObject({ name: 'pod-discovery', image: IMAGES.observability.prometheus });
    const { DISCOVERY_NAMESPACES: namespaces, DISCOVERY_DIR: folder } = environmentOf(beside as Container);
    const written = (namespaces ?? '').split(' ').map((namespace) => `${folder ?? ''}/${namespace}.json`);
    const read = prometheusFile('prod').scrape_configs.flatMap((one) => one.file_sd_configs?.[0]?.files ?? []);
    expect([...new Set(read)].sort()).toEqual([...written].sort());
    const mounted = containerOf('prod', 'prometheus').volumeMounts?.find(({ mountPath }) => mountPath === folder);
    expect(mounted?.readOnly).toBe(true);
  });

  it('by Prometheus itself needs nobody beside it, and selects the same pods', async () => {
    const objects = await changed('prod', ({ prometheus }) => ({
      prometheus: { ...prometheus, discovery: 'kubernetes' },
    }));
    expect(storeOf(objects, 'prometheus').spec.template.spec.containers).toHaveLength(1);
    const own = parse(
      pick(objects, 'v1/ConfigMap', 'prometheus-config').data['prometheus.yml'] ?? '',
    ) as PrometheusFile;
    const byFiles = prometheusFile('prod').scrape_configs;
    expect(own.scrape_configs.map((one) => one.relabel_configs)).toEqual(byFiles.map((one) => one.relabel_configs));
    expect(own.scrape_configs[0]?.kubernetes_sd_configs).toEqual([
      { role: 'pod', namespaces: { names: [expect.stringMatching(/^(noodle-core|noa-server|observability)$/)] } },
    ]);
  });
});

describe('the receiver of alerts', () => {
  const webhook = async () =>
    changed('prod', ({ alertmanager }) => ({
      alertmanager: {
        ...alertmanager,
        receiver: { kind: 'webhook', url: '', port: 8443, addresses: ['203.0.113.0/24'] },
      },
    }));

  it('is nobody where the file says none: Alertmanager has no way out of the cluster', () => {
    const text = pick(stack('prod'), 'v1/ConfigMap', 'alertmanager-config').data['alertmanager.yml'] ?? '';
    expect((parse(text) as { receivers: unknown }).receivers).toEqual([{ name: 'default' }]);
    expect(
      JSON.stringify(pick(stack('prod'), 'networking.k8s.io/v1/NetworkPolicy', 'alertmanager').spec),
    ).not.toContain('ipBlock');
  });

  it('has an address that stands in a Secret and nowhere else, and a way to it', async () => {
    const objects = await webhook();
    const { spec } = pick(objects, 'networking.k8s.io/v1/NetworkPolicy', 'alertmanager');
    expect(spec.egress).toContainEqual({
      to: [{ ipBlock: { cidr: '203.0.113.0/24' } }],
      ports: [{ protocol: 'TCP', port: 8443 }],
    });
    const secret = pick(objects, 'v1/Secret', 'alertmanager-config').stringData['alertmanager.yml'] ?? '';
    const [{ webhook_configs: configs } = { webhook_configs: [] }] = (
      parse(secret) as { receivers: { webhook_configs: { url: string }[] }[] }
    ).receivers;
    // A token until the bridge fills it in.
    expect(configs).toEqual([{ url: expect.stringMatching(/^xlate\d{6}x$/) as string, send_resolved: true }]);
    expect(storeOf(objects, 'alertmanager').spec.template.spec.volumes).toContainEqual({
      name: 'config',
      secret: { secretName: 'alertmanager-config', defaultMode: 0o440 },
    });
  });
});

describe('what does not fit together is refused', () => {
  it.each<readonly [string, (own: Own) => Partial<Own>, string]>([
    ['logs without a store', ({ loki }) => ({ loki: { ...loki, enabled: false } }), 'logs: they are sent to Loki'],
    [
      'collection in the namespace of the rest',
      ({ logs, namespace }) => ({ logs: { ...logs, namespace } }),
      "logs.namespace: 'observability' is the stack's own",
    ],
    [
      'more to keep than the volume holds',
      ({ prometheus }) => ({ prometheus: { ...prometheus, storage: Size.gibibytes(1) } }),
      'prometheus.storage must be a size of at least',
    ],
  ])('%s', async (_, change, expected) => {
    await expect(changed('prod', change)).rejects.toThrow(expected);
  });
});
