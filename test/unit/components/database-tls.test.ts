import { externalObjects } from '../../../components/external';
import { compute } from '../../../components/pod';
import { DatabaseTls, SslMode } from '../../../components/database-tls';
import type { StatefulDatabaseProps } from '../../../components/stateful-database';
import { StatefulDatabase } from '../../../components/stateful-database';
import { fullDatabase, minimalDatabase } from '../../support/props';
import { find, inventory, newChart, problemsOf } from '../../support/synth';

const everything: Partial<StatefulDatabaseProps> = {
  readReplicas: 1,
  replicationPassword: 'follow-the-leader',
  pooler: { image: 'registry.test/pgbouncer:1.18' },
};
const build = (tls: DatabaseTls | undefined, more: Partial<StatefulDatabaseProps> = {}, namespace?: string) => {
  const chart = newChart(namespace);
  const database = new StatefulDatabase(chart, 'postgres', {
    ...minimalDatabase,
    ...more,
    ...(tls === undefined ? {} : { tls }),
  });
  const pod = (name = 'postgres') => find(chart, 'apps/v1/StatefulSet', name).spec.template.spec;
  const access = () => find(chart, 'v1/ConfigMap', 'postgres-config').data['pg_hba.conf']?.split('\n') ?? [];
  const url = (key = 'DATABASE_URL') => find(chart, 'v1/Secret', 'postgres-secret').stringData[key] ?? '';
  return { chart, database, pod, access, url };
};

describe('self-signed', () => {
  test('each pod makes its key in its own memory before the server starts', () => {
    const { chart, pod } = build(DatabaseTls.selfSigned(), everything);
    const pooler = find(chart, 'apps/v1/Deployment', 'postgres-pooler').spec.template.spec;
    for (const [spec, host] of [
      [pod(), 'postgres-service'],
      [pod('postgres-replica'), 'postgres-replica-service'],
      [pooler, 'postgres-pooler-service'],
    ] as const) {
      const [first] = spec.initContainers ?? [];
      expect(first?.name).toBe('self-sign');
      expect(first?.env).toContainEqual({ name: 'TLS_NAME', value: host });
      expect(spec.volumes).toContainEqual({ name: 'tls', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } });
      expect(spec.containers[0]?.volumeMounts?.find(({ name }) => name === 'tls')).toMatchObject({ readOnly: true });
    }
  });

  test('clients encrypt, and verify nobody', () => {
    const { database, url } = build(DatabaseTls.selfSigned(), everything);
    for (const key of ['DATABASE_URL', 'DATABASE_DIRECT_URL', 'DATABASE_READ_ONLY_URL']) {
      expect(url(key)).toMatch(/:5432\/app\?sslmode=require$/);
    }
    expect(Object.keys(database.connectionEnv())).toEqual(['DATABASE_URL']);
  });
});

describe('issued by an authority', () => {
  test('one certificate names every Service, from within and from other namespaces', () => {
    const { chart } = build(DatabaseTls.issuedBy('authority'), everything, 'data');
    expect(find(chart, 'cert-manager.io/v1/Certificate', 'postgres-tls').spec).toEqual({
      secretName: 'postgres-tls',
      issuerRef: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'authority' },
      dnsNames: ['postgres-service', 'postgres-pooler-service', 'postgres-replica-service'].flatMap((name) => [
        name,
        `${name}.data`,
        `${name}.data.svc`,
      ]),
      usages: ['server auth', 'digital signature'],
      privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
    });
  });

  test('its Secret is cert-manager’s, and the server may read the key', () => {
    const { chart, pod } = build(DatabaseTls.issuedBy('authority'));
    expect(externalObjects(chart)).toEqual([{ kind: 'Secret', name: 'postgres-tls' }]);
    expect(pod().volumes).toContainEqual({ name: 'tls', secret: { secretName: 'postgres-tls', defaultMode: 0o440 } });
    expect(pod().initContainers).toBeUndefined();
  });

  test('clients verify it, with the authority’s certificate as a variable', () => {
    const { database, url } = build(DatabaseTls.issuedBy('authority'), everything);
    expect(url()).toMatch(/\?sslmode=verify-full$/);
    for (const way of [database, database.direct, database.readOnly]) {
      expect(way.connectionEnv('A_')['A_DATABASE_CA_CERT']).toMatchObject({
        valueFrom: { secretKeyRef: { name: 'postgres-tls', key: 'ca.crt' } },
      });
    }
  });
});

test('a Secret that is there already is read, and nothing is asked for', () => {
  const { chart, pod } = build(DatabaseTls.fromSecret('wildcard'));
  expect(externalObjects(chart)).toEqual([{ kind: 'Secret', name: 'wildcard' }]);
  expect(inventory(chart).filter((name) => name.startsWith('Certificate/'))).toEqual([]);
  expect(pod().volumes).toContainEqual({ name: 'tls', secret: { secretName: 'wildcard', defaultMode: 0o440 } });
});

test.each([
  [undefined, 'host'],
  [DatabaseTls.selfSigned(), 'hostssl'],
])('%p: clients and replicas come in by %s', (tls, kind) => {
  const rules = build(tls, everything).access();
  expect(rules).toContain(`${kind} all all all scram-sha-256`);
  expect(rules).toContain(`${kind} replication replicator all scram-sha-256`);
  // Whatever its kind, no rule lets the superuser in.
  expect(rules).toContain('host all postgres all reject');
});

test('a dump verifies the server too', () => {
  const { chart } = build(DatabaseTls.issuedBy('authority'), { backup: { schedule: '@daily' } });
  const { spec } = find(chart, 'batch/v1/CronJob', 'postgres-backup').spec.jobTemplate.spec.template;
  expect(spec.containers[0]?.env).toEqual(
    expect.arrayContaining([
      { name: 'PGSSLMODE', value: 'verify-full' },
      { name: 'PGSSLROOTCERT', value: '/run/secrets/postgres-ca/ca.crt' },
    ]),
  );
  expect(spec.volumes).toContainEqual({
    name: 'ca',
    secret: { secretName: 'postgres-tls', items: [{ key: 'ca.crt', path: 'ca.crt' }] },
  });
});

test.each([
  [DatabaseTls.issuedBy('Not A Name'), /^tls: clusterIssuer must be/],
  [DatabaseTls.fromSecret('Not A Name'), /^tls: Secret must be/],
])('%p is refused', (tls, expected) => {
  expect(problemsOf(() => build(tls))).toEqual([expect.stringMatching(expected)]);
});

test('the way that clients verify is known', () => {
  expect(DatabaseTls.selfSigned().sslMode).toBe(SslMode.REQUIRE);
  expect(DatabaseTls.issuedBy('a').sslMode).toBe(SslMode.VERIFY_FULL);
});

describe('metrics', () => {
  const metrics = { image: 'registry.test/postgres-exporter:0.11' };

  test('come from an exporter beside each server, which asks over the loopback', () => {
    const { pod } = build(undefined, { ...everything, metrics });
    for (const name of ['postgres', 'postgres-replica']) {
      const exporter = pod(name).containers.find((container) => container.name === 'exporter');
      expect(exporter).toMatchObject({
        image: metrics.image,
        ports: [{ name: 'metrics', containerPort: 9187 }],
        securityContext: { runAsUser: 10074, runAsGroup: 10074 },
        resources: { limits: { memory: '96Mi' } },
      });
      expect(exporter?.env).toEqual([
        { name: 'DATA_SOURCE_PASS_FILE', value: '/run/secrets/monitoring/password' },
        { name: 'DATA_SOURCE_URI', value: '127.0.0.1:5432/app?sslmode=disable' },
        { name: 'DATA_SOURCE_USER', value: 'monitoring' },
      ]);
    }
  });

  test('the exporter sees neither the socket of the superuser nor the password of the database', () => {
    const { pod } = build(undefined, { metrics });
    const exporter = pod().containers.find((container) => container.name === 'exporter');
    expect(exporter?.volumeMounts).toEqual([
      { name: 'exporter-tmp', mountPath: '/tmp' },
      { name: 'monitoring', mountPath: '/run/secrets/monitoring', readOnly: true },
    ]);
  });

  test('its password follows from the database’s, for each pod alike', () => {
    const { pod } = build(undefined, { ...everything, metrics });
    for (const name of ['postgres', 'postgres-replica']) {
      const derive = pod(name).initContainers?.find((container) => container.name === 'derive-password');
      expect(derive?.args?.[2]).toContain('sha256sum');
      expect(derive?.env).toEqual([{ name: 'POSTGRES_PASSWORD_FILE', value: '/run/secrets/postgres/password' }]);
    }
    expect(pod().containers[0]?.env).toContainEqual({
      name: 'POSTGRES_MONITORING_PASSWORD_FILE',
      value: '/run/secrets/monitoring/password',
    });
  });

  test('its role comes in over the loopback and from nowhere else', () => {
    const rules = build(undefined, { metrics }).access();
    expect(rules.filter((rule) => rule.includes('monitoring'))).toEqual([
      'host all monitoring 127.0.0.1/32 scram-sha-256',
      'host all monitoring ::1/128 scram-sha-256',
      'host all replicator,monitoring all reject',
    ]);
    expect(
      build(undefined)
        .access()
        .filter((rule) => rule.includes('monitoring')),
    ).toHaveLength(1);
  });

  test('are found through the headless Service and opened for whom is named', () => {
    const { chart, database } = build(undefined, { ...everything, metrics });
    const ports = [{ protocol: 'TCP', port: 9187 }];
    const from = (name: string) =>
      find(chart, 'networking.k8s.io/v1/NetworkPolicy', name).spec.ingress?.filter(
        (rule) => rule.ports?.[0]?.port === 9187,
      );
    expect(find(chart, 'v1/Service', 'postgres-headless').spec.ports).toContainEqual({
      ...{ name: 'metrics', port: 9187, targetPort: 'metrics', protocol: 'TCP' },
    });
    expect(from('postgres')).toEqual([]);
    const prometheus = new StatefulDatabase(chart, 'prometheus', minimalDatabase);
    database.allowScraping(prometheus);
    expect(from('postgres')).toEqual([{ from: [prometheus.peer], ports }]);
    expect(from('postgres-replica')).toEqual([{ from: [prometheus.peer], ports }]);
    prometheus.allowScraping(database);
    expect(from('prometheus') ?? []).toEqual([]);
  });

  test('every option reaches the container', () => {
    const chart = newChart();
    new StatefulDatabase(chart, 'postgres', fullDatabase);
    const { containers } = find(chart, 'apps/v1/StatefulSet', 'main-db').spec.template.spec;
    expect(containers.find(({ name }) => name === 'exporter')).toMatchObject({
      image: fullDatabase.metrics.image,
      securityContext: { runAsUser: 20074 },
      resources: { limits: { cpu: '100m', memory: '64Mi' }, requests: { cpu: '20m', memory: '48Mi' } },
    });
  });
});

test('images and amounts of the exporter are checked', () => {
  const problems = (metrics: StatefulDatabaseProps['metrics']) =>
    problemsOf(() => build(undefined, metrics === undefined ? {} : { metrics }));
  expect(problems({ image: 'a b' })).toEqual([expect.stringMatching(/^metrics.image must be an image/)]);
  expect(problems({ image: 'a', user: 0 })).toEqual([expect.stringMatching(/^metrics.user must be/)]);
  expect(problems({ image: 'a', resources: compute([2, 1], [1, 2]) })).toEqual([
    expect.stringMatching(/^metrics.resources.cpu.request/),
  ]);
});
