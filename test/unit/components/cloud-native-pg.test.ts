import { Construct } from 'constructs';
import { render } from '../../../bridge/render';
import type { IClient } from '../../../components/connections';
import { LateTokens } from '../../../components/late';
import { podsPeer } from '../../../components/network';
import { RemovalPolicy } from '../../../components/release-options';
import { build, image, inNamespace, instances, members, operator, pooler, tcp } from '../../support/cloud-native-pg';
import { find, inventory, objectsOf, releaseOptions } from '../../support/synth';

class Client extends Construct implements IClient {
  public readonly peer = podsPeer(this, { 'app.kubernetes.io/name': this.node.id });
}

describe('with required props only', () => {
  test('makes these objects and no others: all else is the operator’s', () => {
    expect(inventory(build().chart)).toEqual(['Cluster/postgres', 'NetworkPolicy/postgres', 'Secret/postgres-secret']);
  });

  test('one server, with the image, the user, the volume and the times of the component’s defaults', () => {
    const { spec, cluster } = build();
    expect(spec()).toMatchObject({
      ...{ instances: 1, imageName: image, postgresUID: 26, postgresGID: 26 },
      storage: { size: '10Gi', resizeInUseVolumes: true },
      resources: { requests: { cpu: '250m', memory: '512Mi' }, limits: { cpu: '1000m', memory: '1Gi' } },
      ...{ stopDelay: 120, switchoverDelay: 120, smartShutdownTimeout: 0, startDelay: 600 },
      ...{ enableSuperuserAccess: false, enablePDB: false },
      ...{ primaryUpdateStrategy: 'unsupervised', primaryUpdateMethod: 'restart' },
      ephemeralVolumesSizeLimit: { shm: '128Mi' },
      bootstrap: {
        initdb: { database: 'app', owner: 'app', secret: { name: 'postgres-secret' }, dataChecksums: true },
      },
    });
    for (const absent of ['certificates', 'backup', 'plugins', 'probes', 'inheritedMetadata']) {
      expect(spec()).not.toHaveProperty(absent);
    }
    expect(spec().storage).not.toHaveProperty('storageClass');
    expect(cluster().metadata.annotations).toEqual({
      'pulumi.com/waitFor': 'condition=Ready',
      'pulumi.com/timeoutSeconds': '1200',
    });
  });

  test('settings are those of the other back end, less what the operator owns', () => {
    const postgresql = build().spec().postgresql;
    expect(postgresql?.parameters).toMatchObject({
      max_connections: '100',
      shared_buffers: '262144kB',
      work_mem: '2621kB',
      jit: 'off',
      'pg_stat_statements.track': 'top',
    });
    for (const owned of [
      'listen_addresses',
      'port',
      'log_destination',
      'logging_collector',
      'shared_preload_libraries',
    ]) {
      expect(postgresql?.parameters).not.toHaveProperty([owned]);
    }
    expect(postgresql).not.toHaveProperty('shared_preload_libraries');
    expect(postgresql?.pg_hba).toEqual(['host all postgres all reject']);
  });

  test('the Secret is of the type that the operator wants, and its password stays a token', () => {
    const { chart, url } = build();
    const secret = find(chart, 'v1/Secret', 'postgres-secret');
    expect(secret).toMatchObject({ type: 'kubernetes.io/basic-auth', stringData: { username: 'app' } });
    expect(secret.metadata.labels).toMatchObject({ 'cnpg.io/reload': 'true' });
    const token = secret.stringData['password'] ?? '';
    expect(LateTokens.of(chart).lookup(token)).toMatchObject({ value: 'correct-horse', secret: true });
    expect(url('DATABASE_URL')).toBe(`postgres://app:${token}@postgres-rw.noodle-core.svc:5432/app`);
    expect(Object.keys(secret.stringData)).toEqual(['DATABASE_URL', 'password', 'username']);
    expect(JSON.stringify(objectsOf(chart))).not.toContain('correct-horse');
  });

  test('servers and their jobs reach each other and the API server, and the operator reaches them', () => {
    const { podSelector, ingress, egress } = build().policy();
    expect(podSelector).toEqual(members.podSelector);
    expect(ingress).toEqual([
      { from: [members, operator], ports: tcp(5432) },
      { from: [members, operator], ports: tcp(8000) },
    ]);
    const anywhere = [{ ipBlock: { cidr: '0.0.0.0/0' } }, { ipBlock: { cidr: '::/0' } }];
    expect(egress?.slice(1)).toEqual([
      { to: [members], ports: tcp(5432) },
      { to: [members], ports: tcp(8000) },
      { to: anywhere, ports: tcp(443) },
      { to: anywhere, ports: tcp(6443) },
    ]);
  });

  test('Secret, policy and Cluster stay when they leave the definition, and go where that is asked', () => {
    const kept = build().chart;
    const gone = build({ removalPolicy: RemovalPolicy.DESTROY }).chart;
    for (const [kind, name] of [
      ['Cluster', 'postgres'],
      ['NetworkPolicy', 'postgres'],
      ['Secret', 'postgres-secret'],
    ] as const) {
      expect(releaseOptions(kept, kind, name).removalPolicy).toBe(RemovalPolicy.RETAIN);
      expect(releaseOptions(gone, kind, name).removalPolicy).toBe(RemovalPolicy.DESTROY);
    }
  });

  test('without a pooler and replicas all ways lead to the primary', () => {
    const { database } = build();
    expect(database.host).toBe('postgres-rw.noodle-core.svc');
    expect(database.peer).toEqual(instances);
    expect(database.direct).toBe(database);
    expect(database.readOnly).toBe(database);
  });
});

describe('clients', () => {
  const everything = { pooler, readReplicas: 2 };

  test('write through the pooler, read at the replicas, and go around it where they ask for that', () => {
    const { database, url } = build(everything);
    expect(database.host).toBe('postgres-pooler-rw.noodle-core.svc');
    expect(database.peer).toEqual(inNamespace({ 'cnpg.io/poolerName': 'postgres-pooler-rw' }));
    expect(database.readOnly).toMatchObject({ host: 'postgres-ro.noodle-core.svc', peer: instances });
    expect(database.direct).toMatchObject({ host: 'postgres-rw.noodle-core.svc', peer: instances });
    expect(url('DATABASE_URL')).toMatch(/@postgres-pooler-rw\.noodle-core\.svc:5432\/app$/);
    expect(url('DATABASE_DIRECT_URL')).toMatch(/@postgres-rw\.noodle-core\.svc:5432\/app$/);
    expect(url('DATABASE_READ_ONLY_URL')).toMatch(/@postgres-ro\.noodle-core\.svc:5432\/app$/);
    expect(database.readOnly.connectionEnv('R_')['R_DATABASE_URL']).toMatchObject({
      valueFrom: { secretKeyRef: { name: 'postgres-secret', key: 'DATABASE_READ_ONLY_URL' } },
    });
  });

  test('each is let in where it goes, and metrics are opened by themselves', () => {
    const { chart, database, policy } = build(everything);
    const client = (id: string) => new Client(chart, id);
    database.allowFrom(client('writer'));
    database.readOnly.allowFrom(client('reader'));
    database.allowScraping(client('prometheus'));
    const named = (name: string) => inNamespace({ 'app.kubernetes.io/name': name });
    expect(policy('postgres-pooler-rw').ingress).toEqual([{ from: [named('writer')], ports: tcp(5432) }]);
    expect(policy('postgres-pooler-rw').egress).toContainEqual({ to: [instances], ports: tcp(5432) });
    expect(policy().ingress).toContainEqual({
      from: [members, operator, database.peer, named('reader')],
      ports: tcp(5432),
    });
    expect(policy().ingress).toContainEqual({ from: [named('prometheus')], ports: tcp(9187) });
  });

  test('start after the Cluster and the pooler, and the Cluster after its policy, Secret and scripts', () => {
    const { chart, database } = build({ ...everything, initScripts: { 'a.sql': 'select 1' } });
    const client = new Client(chart, 'client');
    client.node.addDependency(database);
    const paths = client.node.dependencies.map(({ node }) => node.path);
    expect(paths).toEqual(expect.arrayContaining(['test/postgres/Cluster', 'test/postgres/Pooler']));
    const cluster = database.node.findChild('Cluster');
    expect(cluster.node.dependencies.map(({ node }) => node.id)).toEqual(['NetworkPolicy', 'Secret', 'Init']);
  });

  test('the definition knows the operator’s pods, so that no selector is taken for a dead one', () => {
    const { chart } = build(everything);
    LateTokens.of(chart).fill();
    expect(() => render(chart.node.root as never)).not.toThrow();
  });
});
