import { Chart, Duration } from 'cdk8s';
import type { App } from 'cdk8s';
import { render } from '../../../bridge/render';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { DatabaseTls } from '../../../components/database-tls';
import { LateTokens } from '../../../components/late';
import type { StatefulDatabaseProps } from '../../../components/stateful-database';
import { StatefulDatabase } from '../../../components/stateful-database';
import { fullDatabase, minimalDatabase } from '../../support/props';
import { find, inventory, newChart, objectsOf } from '../../support/synth';

const replicated: Partial<StatefulDatabaseProps> = { readReplicas: 2, replicationPassword: 'follow-the-leader' };
const build = (more: Partial<StatefulDatabaseProps> = replicated) => {
  const chart = newChart('noodle-core');
  const database = new StatefulDatabase(chart, 'postgres', { ...minimalDatabase, ...more });
  const set = (name: string) => find(chart, 'apps/v1/StatefulSet', name).spec;
  const config = () => find(chart, 'v1/ConfigMap', `${database.name}-config`).data;
  const policy = (name: string) => find(chart, 'networking.k8s.io/v1/NetworkPolicy', name).spec;
  return { chart, database, set, config, policy };
};
const envOf = (container: { readonly env?: readonly { name: string; value?: string }[] } | undefined) =>
  Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
const peer = (name: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'noodle-core' } },
  podSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
});
const ports = [{ protocol: 'TCP', port: 5432 }];

describe('read replicas', () => {
  test('are a StatefulSet, Services, budget and policy of their own', () => {
    const { chart } = build();
    expect(inventory(chart).filter((name) => name.includes('postgres-replica'))).toEqual([
      'NetworkPolicy/postgres-replica',
      'PersistentVolumeClaim/data-postgres-replica-0',
      'PersistentVolumeClaim/data-postgres-replica-1',
      'PodDisruptionBudget/postgres-replica',
      'Service/postgres-replica-headless',
      'Service/postgres-replica-service',
      'ServiceAccount/postgres-replica',
      'StatefulSet/postgres-replica',
    ]);
  });

  test('start together, and each spreads from the others', () => {
    const { set } = build();
    expect(set('postgres-replica')).toMatchObject({ replicas: 2, podManagementPolicy: 'Parallel' });
    expect(set('postgres-replica').template.spec.topologySpreadConstraints?.[0]?.labelSelector).toEqual({
      matchLabels: { 'app.kubernetes.io/name': 'postgres-replica' },
    });
    expect(set('postgres').replicas).toBe(1);
  });

  test('copy their primary before they start, with the password of their role alone', () => {
    const { initContainers = [], containers, volumes = [] } = build().set('postgres-replica').template.spec;
    expect(initContainers.map(({ name, args }) => ({ name, args }))).toEqual([
      { name: 'copy-primary', args: ['postgres-copy-primary'] },
    ]);
    const expected = {
      PGDATA: '/var/lib/postgresql/data/pgdata',
      PGPORT: '5432',
      POSTGRES_PRIMARY_HOST: 'postgres-service.noodle-core.svc',
      POSTGRES_PRIMARY_PORT: '5432',
      POSTGRES_REPLICATION_PASSWORD_FILE: '/run/secrets/replication/password',
    };
    expect(envOf(containers[0])).toEqual(expected);
    expect(envOf(initContainers[0])).toEqual(expected);
    const secrets = volumes.flatMap(({ secret }) => secret?.items?.map(({ key }) => key) ?? []);
    expect(secrets).toEqual(['REPLICATION_PASSWORD']);
  });

  test('are ready where what readers see is at most as old as was said', () => {
    const probe = (more = replicated) =>
      build(more).set('postgres-replica').template.spec.containers[0]?.readinessProbe?.exec?.command;
    expect(probe()).toEqual(['postgres-replica-ready', '30']);
    expect(probe({ ...replicated, replicaMaxLag: Duration.minutes(2) })).toEqual(['postgres-replica-ready', '120']);
  });

  test('are alive and started like any server', () => {
    const { set } = build();
    const [server] = set('postgres').template.spec.containers;
    const [replica] = set('postgres-replica').template.spec.containers;
    expect(replica?.livenessProbe).toEqual(server?.livenessProbe);
    expect(replica?.startupProbe).toEqual(server?.startupProbe);
  });

  test('and primary agree on settings of replication, which a primary without any does not have', () => {
    const lines = build().config()['postgresql.conf']?.split('\n');
    for (const line of [
      'max_wal_senders = 26',
      'max_replication_slots = 26',
      "max_slot_wal_keep_size = '524288kB'",
      "max_standby_streaming_delay = '30000ms'",
      'hot_standby_feedback = off',
    ]) {
      expect(lines).toContain(line);
    }
    expect(build({}).config()['postgresql.conf']).not.toContain('max_wal_senders');
  });

  test('a parameter wins over a setting of replication, and is there once', () => {
    const conf = build({ ...replicated, configuration: { parameters: { hot_standby_feedback: true } } }).config();
    expect(conf['postgresql.conf']?.match(/hot_standby_feedback = .*/g)).toEqual(['hot_standby_feedback = on']);
  });

  test('come in as their own role, which comes in for nothing else', () => {
    const rules = build().config()['pg_hba.conf']?.split('\n');
    const follow = rules?.indexOf('host replication replicator all scram-sha-256') ?? -1;
    expect(follow).toBeGreaterThan(0);
    expect(rules?.indexOf('host all replicator,monitoring all reject')).toBeGreaterThan(follow);
    expect(build({}).config()['pg_hba.conf']).not.toContain('host replication');
  });

  test('reach their primary and nobody else, and only they and clients reach it', () => {
    const { chart, policy } = build();
    expect(policy('postgres-replica').egress).toContainEqual({ to: [peer('postgres')], ports });
    expect(policy('postgres-replica').ingress).toBeUndefined();
    expect(policy('postgres').ingress).toEqual([{ from: [peer('postgres-replica')], ports }]);
    expect(objectsOf(chart).length).toBeGreaterThan(0);
  });

  test('their primary gets the password that they come with', () => {
    const { chart, set } = build();
    const [server] = set('postgres').template.spec.containers;
    expect(envOf(server)).toMatchObject({
      POSTGRES_REPLICATION_PASSWORD_FILE: '/run/secrets/replication/password',
      POSTGRES_PASSWORD_FILE: '/run/secrets/postgres/password',
    });
    const { stringData } = find(chart, 'v1/Secret', 'postgres-secret');
    const token = stringData['REPLICATION_PASSWORD'] ?? '';
    expect(LateTokens.of(chart).lookup(token)).toMatchObject({ value: 'follow-the-leader', secret: true });
  });

  test('more of them change nothing about the primary', () => {
    const primary = (readReplicas: number) => {
      const { set, config } = build({ ...replicated, readReplicas });
      return { spec: set('postgres'), config: config() };
    };
    expect(primary(5)).toEqual(primary(1));
  });

  test('keep a volume each, as large as the primary’s', () => {
    const { chart } = build({
      ...fullDatabase,
      removalPolicy: minimalDatabase.removalPolicy ?? fullDatabase.removalPolicy,
    });
    const claim = (name: string) => find(chart, 'v1/PersistentVolumeClaim', name).spec;
    expect(claim('data-main-db-replica-1')).toEqual(claim('data-main-db-0'));
  });
});

describe('readOnly', () => {
  test('has a URL, Service and peer of its own', () => {
    const { chart, database } = build();
    expect(database.readOnly).toMatchObject({ host: 'postgres-replica-service.noodle-core.svc', port: 5432 });
    expect(database.readOnly.connectionEnv('READ_')['READ_DATABASE_URL']).toMatchObject({
      valueFrom: { secretKeyRef: { name: 'postgres-secret', key: 'DATABASE_READ_ONLY_URL' } },
    });
    expect(find(chart, 'v1/Secret', 'postgres-secret').stringData['DATABASE_READ_ONLY_URL']).toMatch(
      /@postgres-replica-service\.noodle-core\.svc:5432\/app$/,
    );
    expect(database.readOnly.peer).toEqual(peer('postgres-replica'));
  });

  test('is the primary where there is no replica, so that a program need not know', () => {
    const { database } = build({});
    expect(database.readOnly).toBe(database);
    expect(database.direct).toBe(database);
  });

  test('a client of it reaches the replicas and waits for them; one of the primary does neither', () => {
    const { chart, database, policy } = build();
    const service = (id: string) => new AutoscaledService(chart, id, { image: 'registry.test/web:1', port: 8080 });
    service('reader').connects(database.readOnly, { prefix: 'READ_' });
    service('writer').connects(database);
    expect(policy('postgres-replica').ingress).toEqual([{ from: [peer('reader')], ports }]);
    expect(policy('postgres').ingress).toEqual([{ from: [peer('postgres-replica'), peer('writer')], ports }]);
    const objects = render(Chart.of(chart).node.root as App);
    const needs = (path: string) => objects.find((object) => object.path === path)?.dependsOn ?? [];
    expect(needs('test/reader/Deployment')).toContain('test/postgres/Replica/StatefulSet');
    expect(needs('test/writer/Deployment')).toContain('test/postgres/StatefulSet');
    expect(needs('test/writer/Deployment')).not.toContain('test/postgres/Replica/StatefulSet');
    expect(needs('test/postgres/Replica/StatefulSet')).toContain('test/postgres/StatefulSet');
  });
});

test('replicas verify their primary where its certificate is an authority’s', () => {
  const tls = (kind: DatabaseTls) =>
    envOf(build({ ...replicated, tls: kind }).set('postgres-replica').template.spec.containers[0]);
  expect(tls(DatabaseTls.selfSigned())).toMatchObject({ POSTGRES_PRIMARY_SSLMODE: 'require' });
  expect(tls(DatabaseTls.selfSigned())).not.toHaveProperty('POSTGRES_PRIMARY_CA');
  expect(tls(DatabaseTls.issuedBy('authority'))).toMatchObject({
    POSTGRES_PRIMARY_SSLMODE: 'verify-full',
    POSTGRES_PRIMARY_CA: '/etc/postgresql/tls/ca.crt',
  });
});
