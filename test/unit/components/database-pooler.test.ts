import { PoolMode } from '../../../components/database-pooler';
import type { DatabasePoolerOptions } from '../../../components/database-pooler';
import { DatabaseTls } from '../../../components/database-tls';
import { LateTokens } from '../../../components/late';
import type { StatefulDatabaseProps } from '../../../components/stateful-database';
import { StatefulDatabase } from '../../../components/stateful-database';
import { fullDatabase, minimalBackup, minimalDatabase } from '../../support/props';
import { find, inventory, newChart } from '../../support/synth';

const image = 'registry.test/pgbouncer:1.18';
const build = (pooler: Partial<DatabasePoolerOptions> = {}, more: Partial<StatefulDatabaseProps> = {}) => {
  const chart = newChart('noodle-core');
  const database = new StatefulDatabase(chart, 'postgres', {
    ...minimalDatabase,
    pooler: { image, ...pooler },
    ...more,
  });
  const ini = () => find(chart, 'v1/ConfigMap', `${database.name}-pooler-config`).data['pgbouncer.ini'] ?? '';
  const deployment = () => find(chart, 'apps/v1/Deployment', `${database.name}-pooler`);
  const policy = (name: string) => find(chart, 'networking.k8s.io/v1/NetworkPolicy', name).spec;
  return { chart, database, ini, deployment, pod: () => deployment().spec.template.spec, policy };
};
const setting = (ini: string, name: string) => new RegExp(`^${name} = ?(.*)$`, 'm').exec(ini)?.[1];
const peer = (name: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'noodle-core' } },
  podSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
});
const ports = [{ protocol: 'TCP', port: 5432 }];

test('a pooler is these objects and no others', () => {
  expect(inventory(build().chart).filter((name) => name.includes('pooler'))).toEqual([
    'ConfigMap/postgres-pooler-config',
    'Deployment/postgres-pooler',
    'NetworkPolicy/postgres-pooler',
    'PodDisruptionBudget/postgres-pooler',
    'Service/postgres-pooler-service',
    'ServiceAccount/postgres-pooler',
  ]);
});

test('defaults: two pods with ten server connections each, given back after each transaction', () => {
  const { ini, deployment } = build();
  expect(deployment().spec.replicas).toBe(2);
  expect(setting(ini(), 'max_db_connections')).toBe('10');
  expect(setting(ini(), 'default_pool_size')).toBe('10');
  expect(setting(ini(), 'max_client_conn')).toBe('500');
  expect(setting(ini(), 'pool_mode')).toBe('transaction');
  expect(ini()).toContain('\napp = host=postgres-service.noodle-core.svc port=5432 dbname=app\n');
});

test.each([
  [20, 1, 10, { maxSurge: 1, maxUnavailable: 0 }],
  [20, 3, 6, { maxSurge: 0, maxUnavailable: 1 }],
  [7, 7, 1, { maxSurge: 0, maxUnavailable: 1 }],
])(
  '%i connections of %i pods are %i each, so that a rollout exceeds them never',
  (maxServerConnections, replicas, each, rollout) => {
    const { ini, deployment } = build({ maxServerConnections, replicas });
    expect(setting(ini(), 'max_db_connections')).toBe(String(each));
    expect(deployment().spec.strategy?.rollingUpdate).toEqual(rollout);
    expect(each * (replicas + rollout.maxSurge)).toBeLessThanOrEqual(maxServerConnections);
  },
);

test('every option reaches its object', () => {
  const { ini, deployment, pod } = build({}, fullDatabase);
  expect(deployment().spec.replicas).toBe(3);
  expect(setting(ini(), 'max_db_connections')).toBe('10');
  expect(setting(ini(), 'max_client_conn')).toBe('1000');
  expect(setting(ini(), 'pool_mode')).toBe(PoolMode.SESSION);
  expect(setting(ini(), 'listen_port')).toBe('6543');
  expect(pod()).toMatchObject({ securityContext: { runAsUser: 20073 } });
  expect(pod().containers[0]).toMatchObject({
    image: fullDatabase.pooler.image,
    resources: { limits: { cpu: '500m', memory: '256Mi' }, requests: { cpu: '100m', memory: '64Mi' } },
  });
});

test('clients get the pooler, and `direct` the server', () => {
  const { chart, database } = build();
  expect(database.host).toBe('postgres-pooler-service.noodle-core.svc');
  expect(database.peer).toEqual(peer('postgres-pooler'));
  expect(database.direct).toMatchObject({ host: 'postgres-service.noodle-core.svc', peer: peer('postgres') });
  const { stringData } = find(chart, 'v1/Secret', 'postgres-secret');
  expect(stringData['DATABASE_URL']).toMatch(/@postgres-pooler-service\.noodle-core\.svc:5432\/app$/);
  expect(stringData['DATABASE_DIRECT_URL']).toMatch(/@postgres-service\.noodle-core\.svc:5432\/app$/);
  expect(database.direct.connectionEnv('OWN_')['OWN_DATABASE_URL']).toMatchObject({
    valueFrom: { secretKeyRef: { name: 'postgres-secret', key: 'DATABASE_DIRECT_URL' } },
  });
});

test('clients are let into the pooler, the pooler into the server, and who asks for `direct` into the server', () => {
  const { chart, database, policy } = build();
  const client = (id: string) => new StatefulDatabase(chart, id, minimalDatabase);
  database.allowFrom(client('a'));
  database.direct.allowFrom(client('b'));
  expect(policy('postgres-pooler').ingress).toEqual([{ from: [peer('a')], ports }]);
  expect(policy('postgres-pooler').egress).toContainEqual({ to: [peer('postgres')], ports });
  expect(policy('postgres').ingress).toEqual([{ from: [peer('postgres-pooler'), peer('b')], ports }]);
});

test('a dump goes around the pooler', () => {
  const { chart, policy } = build({}, { backup: minimalBackup });
  const { spec } = find(chart, 'batch/v1/CronJob', 'postgres-backup').spec.jobTemplate.spec.template;
  expect(spec.volumes?.find(({ name }) => name === 'url')?.secret?.items).toEqual([
    { key: 'DATABASE_DIRECT_URL', path: 'url' },
  ]);
  expect(policy('postgres').ingress).toEqual([{ from: [peer('postgres-pooler'), peer('postgres-backup')], ports }]);
  expect(policy('postgres-pooler').ingress).toBeUndefined();
});

test('the pooler reads users from one key of the Secret, whose password stays a token', () => {
  const { chart, ini, pod } = build();
  const { stringData } = find(chart, 'v1/Secret', 'postgres-secret');
  const [, token = ''] = /^"app" "(.*)"\n$/.exec(stringData['PGBOUNCER_USERS'] ?? '') ?? [];
  expect(LateTokens.of(chart).lookup(token)).toMatchObject({ value: 'correct-horse', secret: true });
  expect(pod().volumes).toContainEqual({
    name: 'users',
    secret: {
      secretName: 'postgres-secret',
      defaultMode: 0o440,
      items: [{ key: 'PGBOUNCER_USERS', path: 'users' }],
    },
  });
  expect(setting(ini(), 'auth_file')).toBe('/run/secrets/pgbouncer/users');
});

test('with TLS both sides of the pooler are encrypted', () => {
  const own = build({}, { tls: DatabaseTls.selfSigned() }).ini();
  expect(setting(own, 'client_tls_sslmode')).toBe('require');
  expect(setting(own, 'server_tls_sslmode')).toBe('require');
  expect(own).not.toContain('server_tls_ca_file');
  const issued = build({}, { tls: DatabaseTls.issuedBy('authority') }).ini();
  expect(setting(issued, 'server_tls_sslmode')).toBe('verify-full');
  expect(setting(issued, 'server_tls_ca_file')).toBe('/etc/pgbouncer/tls/ca.crt');
  expect(build().ini()).not.toContain('tls');
});

test('its probes ask the pooler alone, so that clients wait there while the server restarts', () => {
  const [container] = build().pod().containers;
  const command = ['pg_isready', '-q', '-h', '127.0.0.1', '-p', '5432', '-U', 'app', '-d', 'app'];
  for (const probe of [container?.startupProbe, container?.livenessProbe])
    expect(probe?.exec?.command).toEqual(command);
  expect(container?.readinessProbe).toEqual({
    tcpSocket: { port: 'postgres' },
    ...{ periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
  });
});

test('it serves on while load balancers forget it, and its grace holds a transaction of half a minute', () => {
  const { pod } = build();
  expect(pod().containers[0]?.lifecycle?.preStop?.sleep?.seconds).toBe(5);
  expect(pod().terminationGracePeriodSeconds).toBe(40);
});

test('the server accepts what the pooler may open, and thirteen more', () => {
  expect(build({ maxServerConnections: 20 }).database.settings.maxConnections).toBe(100);
  expect(build({ maxServerConnections: 200 }).database.settings.maxConnections).toBe(213);
});
