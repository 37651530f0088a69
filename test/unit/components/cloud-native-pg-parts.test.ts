import { Size } from 'cdk8s';
import { CloudNativePgBackup, PrimaryUpdate } from '../../../components/database-cloud-native-pg-options';
import { DatabaseEngine } from '../../../components/database-engine';
import { PoolMode } from '../../../components/database-pooler';
import { DatabaseTls } from '../../../components/database-tls';
import { LateTokens } from '../../../components/late';
import { totalsOf } from '../../../components/namespace-quota';
import { compute } from '../../../components/pod';
import type { StatefulDatabaseProps } from '../../../components/stateful-database';
import { build, image, inNamespace, pooler, tcp } from '../../support/cloud-native-pg';
import { find, inventory, objectsOf } from '../../support/synth';

describe('the pooler', () => {
  const settings = {
    ...pooler,
    replicas: 3,
    maxServerConnections: 30,
    maxClientConnections: 900,
    poolMode: PoolMode.SESSION,
  };
  const poolerOf = (props: Partial<StatefulDatabaseProps>) =>
    find(build(props).chart, 'postgresql.cnpg.io/v1/Pooler', 'postgres-pooler-rw').spec;

  test('every option reaches it, and a rollout never exceeds the connections', () => {
    const spec = poolerOf({ pooler: { ...settings, resources: compute([100, 500], [64, 256]) } });
    expect(spec).toMatchObject({
      ...{ cluster: { name: 'postgres' }, type: 'rw', instances: 3 },
      deploymentStrategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      pgbouncer: {
        poolMode: 'session',
        parameters: { max_client_conn: '900', default_pool_size: '10', max_db_connections: '10' },
      },
    });
    expect(spec.template?.spec?.containers).toMatchObject([
      {
        ...{ name: 'pgbouncer', image: pooler.image },
        resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '500m', memory: '256Mi' } },
        startupProbe: { tcpSocket: { port: 5432 } },
        livenessProbe: { tcpSocket: { port: 5432 } },
        readinessProbe: { tcpSocket: { port: 5432 } },
      },
    ]);
    // A quota admits no pod with a container, the operator's own first one included, that asks for nothing.
    expect(spec.template?.spec?.initContainers).toMatchObject([
      { name: 'bootstrap-controller', resources: { limits: { cpu: '500m', memory: '256Mi' } } },
    ]);
    expect(spec.template?.spec).toMatchObject({ enableServiceLinks: false, terminationGracePeriodSeconds: 40 });
  });

  test('one pod has a second beside it while a rollout replaces it', () => {
    const { instances: count, deploymentStrategy } = poolerOf({ pooler: { ...pooler, replicas: 1 } });
    expect([count, deploymentStrategy?.rollingUpdate]).toEqual([1, { maxSurge: 1, maxUnavailable: 0 }]);
  });

  test('a drain takes one pod at a time', () => {
    const { spec } = find(build({ pooler }).chart, 'policy/v1/PodDisruptionBudget', 'postgres-pooler-rw');
    expect(spec).toMatchObject({
      maxUnavailable: 1,
      selector: { matchLabels: { 'cnpg.io/poolerName': 'postgres-pooler-rw' } },
    });
  });

  test('it refuses clients without TLS where the database has a certificate', () => {
    expect(poolerOf({ pooler }).pgbouncer.parameters).not.toHaveProperty('client_tls_sslmode');
    expect(poolerOf({ pooler, tls: DatabaseTls.selfSigned() }).pgbouncer.parameters).toMatchObject({
      client_tls_sslmode: 'require',
    });
  });
});

describe('TLS', () => {
  test('from cert-manager: one certificate for all Services of the operator, read anew when it is renewed', () => {
    const { chart, spec, database, url } = build({ tls: DatabaseTls.issuedBy('authority'), pooler });
    const certificate = find(chart, 'cert-manager.io/v1/Certificate', 'postgres-tls').spec;
    for (const service of ['postgres-rw', 'postgres-ro', 'postgres-r', 'postgres-pooler-rw']) {
      expect(certificate.dnsNames).toEqual(
        expect.arrayContaining([service, `${service}.noodle-core`, `${service}.noodle-core.svc`]),
      );
    }
    expect(certificate.secretTemplate).toEqual({ labels: { 'cnpg.io/reload': 'true' } });
    expect(spec().certificates).toEqual({ serverTLSSecret: 'postgres-tls', serverCASecret: 'postgres-tls' });
    expect(spec().postgresql?.pg_hba).toContain('hostnossl all all all reject');
    expect(url('DATABASE_URL')).toMatch(/\?sslmode=verify-full$/);
    expect(database.connectionEnv()).toHaveProperty('DATABASE_CA_CERT');
  });

  test('from a Secret: it is the servers’, and no certificate is asked for', () => {
    const { chart, spec } = build({ tls: DatabaseTls.fromSecret('given') });
    expect(spec().certificates).toEqual({ serverTLSSecret: 'given', serverCASecret: 'given' });
    expect(inventory(chart)).not.toContain('Certificate/postgres-tls');
  });

  test('self-signed: the operator’s own authority, which clients do not verify', () => {
    const { spec, url } = build({ tls: DatabaseTls.selfSigned() });
    expect(spec()).not.toHaveProperty('certificates');
    expect(spec().postgresql?.pg_hba).toContain('hostnossl all all all reject');
    expect(url('DATABASE_URL')).toMatch(/\?sslmode=require$/);
  });
});

describe('every further prop', () => {
  test('replicas are servers like the primary, spread, and their settings let them follow', () => {
    const { spec, cluster } = build({ readReplicas: 2 });
    expect(spec()).toMatchObject({ instances: 3, enablePDB: true });
    expect(spec().postgresql?.parameters).toMatchObject({ max_standby_streaming_delay: '30000ms' });
    expect(spec().postgresql?.parameters).not.toHaveProperty('wal_sender_timeout');
    expect(spec().topologySpreadConstraints?.map(({ topologyKey }) => topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
    expect(cluster().metadata.annotations?.['pulumi.com/timeoutSeconds']).toBe('3000');
  });

  test('scripts run in the order of their names and as the owner, whatever they end in', () => {
    const { chart, spec } = build({
      username: 'owner',
      initScripts: { 'b.sql': 'select 2 -- two', 'a.sql': 'select 1;' },
    });
    expect(spec().bootstrap?.initdb?.postInitApplicationSQLRefs).toEqual({
      configMapRefs: [
        { name: 'postgres-init', key: 'a.sql' },
        { name: 'postgres-init', key: 'b.sql' },
      ],
    });
    expect(find(chart, 'v1/ConfigMap', 'postgres-init').data['b.sql']).toBe(
      'set role "owner";\nselect 2 -- two\n;\nreset role;\n',
    );
  });

  test('settings of the user win, and libraries go where the operator wants them', () => {
    const parameters = { jit: true, shared_preload_libraries: 'pg_stat_statements, pg_cron', wal_sender_timeout: '9s' };
    const { postgresql } = build({ readReplicas: 1, configuration: { parameters, maxConnections: 50 } }).spec();
    expect(postgresql?.parameters).toMatchObject({ jit: 'on', max_connections: '50', wal_sender_timeout: '9s' });
    expect(postgresql?.shared_preload_libraries).toEqual(['pg_cron']);
  });

  test('labels, class of the volumes and late images reach the Cluster', () => {
    const { chart, spec, cluster } = build({
      engine: DatabaseEngine.postgres('15', { image: Promise.resolve(image) }),
      storageClass: 'fast',
      storage: Size.gibibytes(20),
      labels: { 'example.com/team': 'data' },
    });
    expect(spec().storage).toMatchObject({ size: '20Gi', storageClass: 'fast' });
    expect(spec().inheritedMetadata).toEqual({ labels: { 'example.com/team': 'data' } });
    expect(cluster().metadata.labels).toEqual({
      'app.kubernetes.io/name': 'postgres',
      'example.com/team': 'data',
    });
    expect(LateTokens.of(chart).lookup(spec().imageName ?? '')).toMatchObject({ secret: false });
  });

  test.each([
    [PrimaryUpdate.RESTART, 'unsupervised', 'restart'],
    [PrimaryUpdate.SWITCHOVER, 'unsupervised', 'switchover'],
    [PrimaryUpdate.SUPERVISED, 'supervised', 'restart'],
  ])('the primary is updated by %s', (primaryUpdate, primaryUpdateStrategy, primaryUpdateMethod) => {
    expect(build({ readReplicas: 1 }, { primaryUpdate }).spec()).toMatchObject({
      primaryUpdateStrategy,
      primaryUpdateMethod,
    });
  });

  test('options of the operator: its namespace, the API server’s address, and how far replicas may be behind', () => {
    const { policy, spec } = build(
      { readReplicas: 1 },
      {
        operatorNamespace: 'operators',
        apiServer: ['10.0.0.1/32'],
        apiServerPorts: [7443],
        maximumLag: Size.mebibytes(16),
      },
    );
    expect(policy().ingress?.[0]?.from).toContainEqual(
      inNamespace({ 'app.kubernetes.io/name': 'cloudnative-pg' }, 'operators'),
    );
    expect(policy().egress?.at(-1)).toEqual({ to: [{ ipBlock: { cidr: '10.0.0.1/32' } }], ports: tcp(7443) });
    expect(spec().probes).toEqual({ readiness: { type: 'streaming', maximumLag: '16Mi' } });
  });
});

describe('backups', () => {
  const backed = (backup: CloudNativePgBackup, props: Partial<StatefulDatabaseProps> = {}) => {
    const built = build({ backup: { schedule: '30 2 * * *' }, ...props }, { backup });
    return {
      ...built,
      scheduled: () => find(built.chart, 'postgresql.cnpg.io/v1/ScheduledBackup', 'postgres-backup').spec,
    };
  };

  test.each([
    ['30 2 * * *', '0 30 2 * * *'],
    ['@daily', '0 0 0 * * *'],
    ['@weekly', '0 0 0 * * 0'],
  ])('%s has six fields for the operator', (schedule, six) => {
    expect(backed(CloudNativePgBackup.volumeSnapshot(), { backup: { schedule } }).scheduled().schedule).toBe(six);
  });

  test('snapshots outlive the database; the only server is not stopped for one, a replica is', () => {
    const alone = backed(CloudNativePgBackup.volumeSnapshot({ className: 'snapshots' }));
    expect(alone.scheduled()).toMatchObject({ cluster: { name: 'postgres' }, method: 'volumeSnapshot' });
    expect(alone.spec().backup).toEqual({
      target: 'prefer-standby',
      volumeSnapshot: { className: 'snapshots', online: true, snapshotOwnerReference: 'none' },
    });
    const online = (readReplicas: number, asked?: boolean) =>
      backed(CloudNativePgBackup.volumeSnapshot(asked === undefined ? {} : { online: asked }), { readReplicas }).spec()
        .backup?.volumeSnapshot?.online;
    expect([online(1), online(1, true), online(0, false)]).toEqual([false, true, false]);
  });

  test('a plugin is told what it wants to know, archives the log, and reaches its store', () => {
    const name = 'barman-cloud.cloudnative-pg.io';
    const store = { cidr: '10.1.0.0/16', port: 9000 };
    const { spec, scheduled, policy } = backed(
      CloudNativePgBackup.plugin({ name, parameters: { barmanObjectName: 'store' }, store }),
    );
    expect(spec().plugins).toEqual([
      { name, enabled: true, isWALArchiver: true, parameters: { barmanObjectName: 'store' } },
    ]);
    expect(scheduled()).toMatchObject({ method: 'plugin', pluginConfiguration: { name } });
    expect(policy().egress).toContainEqual({ to: [{ ipBlock: { cidr: '10.1.0.0/16' } }], ports: tcp(9000) });
    expect(backed(CloudNativePgBackup.plugin({ name, archivesLog: false })).spec().plugins).toEqual([
      { name, enabled: true, isWALArchiver: false },
    ]);
  });

  test('a way without a schedule is for backups by hand', () => {
    const { chart, spec } = build({}, { backup: CloudNativePgBackup.volumeSnapshot() });
    expect(spec()).toHaveProperty('backup.volumeSnapshot');
    expect(inventory(chart)).not.toContain('ScheduledBackup/postgres-backup');
  });
});

describe('a namespace’s quota', () => {
  const totals = (props: Partial<StatefulDatabaseProps>) => totalsOf(objectsOf(build(props).chart));

  test('holds what the operator makes: servers with their volumes, and poolers in the middle of a rollout', () => {
    expect(totals({ readReplicas: 2 })).toMatchObject({
      ...{ pods: 3, persistentvolumeclaims: 3, 'requests.storage': 30 * 1024 ** 3 },
      ...{ 'requests.cpu': 750, 'limits.memory': 3 * 1024 ** 3 },
    });
    expect(totals({ pooler })).toMatchObject({ pods: 3, persistentvolumeclaims: 1, 'requests.cpu': 350 });
    expect(totals({ pooler: { ...pooler, replicas: 1 } })).toMatchObject({ pods: 3 });
  });
});
