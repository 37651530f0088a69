import { Duration, Size } from 'cdk8s';
import { Construct } from 'constructs';
import { CachePersistence } from '../../../components/cache-options';
import type { CacheStoreProps } from '../../../components/cache-store';
import { CacheStore } from '../../../components/cache-store';
import type { ClusterOptions, SentinelOptions } from '../../../components/cache-topology';
import { CacheTopology } from '../../../components/cache-topology';
import type { IClient } from '../../../components/connections';
import { secretKey } from '../../../components/connections';
import { podsPeer } from '../../../components/network';
import { LateTokens } from '../../../components/late';
import { fullCache, minimalCache } from '../../support/props';
import { find, inventory, newChart, problemsOf } from '../../support/synth';

const POLICY = 'networking.k8s.io/v1/NetworkPolicy';
const secrets = { password: 'correct-horse', systemPassword: 'battery-staple' };
const sentinel = (options: SentinelOptions = {}) => ({ ...secrets, topology: CacheTopology.sentinel(options) });
const cluster = (options: ClusterOptions = {}) => ({ ...secrets, topology: CacheTopology.cluster(options) });

const build = (props: Partial<CacheStoreProps>) => {
  const chart = newChart('prod');
  const store = new CacheStore(chart, 'redis', { ...minimalCache, ...props });
  const statefulSet = (name = 'redis') => find(chart, 'apps/v1/StatefulSet', name).spec;
  const container = (name = 'redis') => statefulSet(name).template.spec.containers[0];
  const env = (name: string, of = 'redis') => container(of)?.env?.find((one) => one.name === name)?.value;
  const conf = () => find(chart, 'v1/ConfigMap', 'redis-config').data['redis.conf']?.split('\n') ?? [];
  const router = () => find(chart, 'v1/ConfigMap', 'redis-router-config').data['router.cfg']?.split('\n') ?? [];
  const peers = (policy: string, port: number) =>
    find(chart, POLICY, policy)
      .spec.ingress?.filter(({ ports }) => ports?.some((one) => one.port === port))
      .flatMap(
        ({ from }) => from?.map(({ podSelector }) => podSelector?.matchLabels?.['app.kubernetes.io/name']) ?? [],
      );
  return { chart, store, statefulSet, container, env, conf, router, peers };
};

class Client extends Construct implements IClient {
  public readonly peer = podsPeer(this, { 'app.kubernetes.io/name': this.node.id });
}

describe('with sentinels', () => {
  test('makes members, sentinels and a router, each with budget, account and policy', () => {
    expect(inventory(build(sentinel()).chart)).toEqual([
      'ConfigMap/redis-config',
      'ConfigMap/redis-router-config',
      'Deployment/redis-router',
      ...['redis', 'redis-router', 'redis-sentinel'].map((name) => `NetworkPolicy/${name}`),
      ...['redis', 'redis-router', 'redis-sentinel'].map((name) => `PodDisruptionBudget/${name}`),
      'Secret/redis-secret',
      ...['redis-0', 'redis-1', 'redis-2', 'redis-headless', 'redis-readonly-service'].map((name) => `Service/${name}`),
      ...['sentinel-0', 'sentinel-1', 'sentinel-2', 'sentinel-headless'].map((name) => `Service/redis-${name}`),
      'Service/redis-service',
      ...['redis', 'redis-router', 'redis-sentinel'].map((name) => `ServiceAccount/${name}`),
      'StatefulSet/redis',
      'StatefulSet/redis-sentinel',
    ]);
  });

  test('starts members one after the other and sentinels together', () => {
    const { statefulSet } = build(sentinel());
    expect(statefulSet()).toMatchObject({ replicas: 3, podManagementPolicy: 'OrderedReady' });
    expect(statefulSet('redis-sentinel')).toMatchObject({ replicas: 3, podManagementPolicy: 'Parallel' });
  });

  test('leads every client through the router, which nobody can tell from a single server', () => {
    const { chart, store, peers } = build(sentinel());
    store.allowFrom(new Client(chart, 'api'));
    expect(find(chart, 'v1/Service', 'redis-service').spec).toMatchObject({
      selector: { 'app.kubernetes.io/name': 'redis-router' },
      ports: [{ port: 6379, targetPort: 'redis' }],
    });
    expect(store.connectionEnv()).toEqual({ REDIS_URL: secretKey('redis-secret', 'REDIS_URL') });
    expect(peers('redis-router', 6379)).toEqual(['api']);
    expect(peers('redis', 6379)).toEqual(['redis', 'redis-sentinel', 'redis-router']);
    expect(peers('redis-sentinel', 26379)).toEqual(['redis-sentinel', 'redis', 'redis-router']);
  });

  test('reads go to replicas behind a Service of their own', () => {
    const { chart, store, peers } = build(sentinel());
    const { readOnly } = store;
    readOnly?.allowFrom(new Client(chart, 'reader'));
    expect(readOnly).toMatchObject({ host: 'redis-readonly-service.prod.svc', port: 6379, targetPort: 6380 });
    expect(readOnly?.connectionEnv('READ_')).toEqual({
      READ_REDIS_URL: secretKey('redis-secret', 'REDIS_READ_ONLY_URL'),
    });
    expect(peers('redis-router', 6380)).toEqual(['reader']);
    expect(find(chart, 'v1/Service', 'redis-readonly-service').spec.ports).toMatchObject([
      { port: 6379, targetPort: 'read-only' },
    ]);
  });

  test('each pod has an address that stays, ready or not', () => {
    const { chart } = build(sentinel());
    expect(find(chart, 'v1/Service', 'redis-1').spec).toMatchObject({
      publishNotReadyAddresses: true,
      selector: { 'app.kubernetes.io/name': 'redis', 'statefulset.kubernetes.io/pod-name': 'redis-1' },
    });
  });

  test('members know sentinels, and hand over before they stop', () => {
    const { container, env } = build(sentinel());
    expect(container()?.lifecycle).toEqual({ preStop: { exec: { command: ['redis-handover'] } } });
    expect(container()?.readinessProbe?.exec).toEqual({ command: ['redis-ready'] });
    expect(env('REDIS_TOPOLOGY')).toBe('sentinel');
    expect(env('REDIS_DOMAIN')).toBe('.prod.svc');
    expect(env('REDIS_MEMBERS')).toBe('redis-0.prod.svc redis-1.prod.svc redis-2.prod.svc');
    expect(env('REDIS_SENTINELS')).toMatch(/^redis-sentinel-0\.prod\.svc .*redis-sentinel-2\.prod\.svc$/);
    expect(env('REDIS_HANDOVER_SECONDS')).toBe('20');
    expect(build({ ...sentinel(), terminationGrace: Duration.seconds(30) }).env('REDIS_HANDOVER_SECONDS')).toBe('15');
  });

  test('a primary without a replica takes no writes, and data leaves room for a fork', () => {
    const { conf, store } = build(sentinel());
    expect(conf()).toEqual(
      expect.arrayContaining(['min-replicas-to-write 1', 'min-replicas-max-lag 10', 'repl-diskless-sync yes']),
    );
    expect(store.maxMemory.toMebibytes({ rounding: 1 })).toBe(307);
    expect(build(sentinel({ replicas: 1 })).conf()).toContain('min-replicas-to-write 0');
  });

  test('the router asks members and sentinels, and cuts the connections to a former primary', () => {
    const lines = build(sentinel()).router();
    expect(lines).toContain('  use_backend primary-1 if { nbsrv(primary-1) ge 1 } { nbsrv(named-1) ge 2 }');
    expect(lines.filter((line) => line.startsWith('  server sentinel-'))).toHaveLength(9);
    expect(lines).toContain('  tcp-check expect min-recv 16 string "\\r\\nredis-2.prod.svc\\r\\n"');
    expect(lines).toContain('  default-server init-addr libc on-marked-down shutdown-sessions');
    expect(lines.join('\n')).not.toContain(secrets.systemPassword);
  });

  test('every option reaches its place', () => {
    const chart = newChart('prod');
    const store = new CacheStore(chart, 'cache', fullCache);
    const env = find(chart, 'apps/v1/StatefulSet', 'sessions-sentinel').spec.template.spec.containers[0]?.env;
    const value = (name: string) => env?.find((one) => one.name === name)?.value;
    expect(value('REDIS_QUORUM')).toBe('4');
    expect(value('REDIS_DOWN_AFTER_MS')).toBe('4000');
    expect(value('REDIS_FAILOVER_TIMEOUT_MS')).toBe('20000');
    expect(find(chart, 'apps/v1/Deployment', 'sessions-router').spec.replicas).toBe(3);
    expect(find(chart, 'apps/v1/StatefulSet', 'sessions-sentinel').spec.replicas).toBe(5);
    expect(find(chart, 'apps/v1/StatefulSet', 'sessions').spec.replicas).toBe(4);
    expect(find(chart, 'v1/ConfigMap', 'sessions-config').data['redis.conf']).toMatch(
      /min-replicas-to-write 2\nmin-replicas-max-lag 8/,
    );
    expect(store.topology.count).toBe(4);
  });

  test('both passwords are secret and in no object', () => {
    const { chart } = build(sentinel());
    const { stringData } = find(chart, 'v1/Secret', 'redis-secret');
    const token = stringData['REDIS_SYSTEM_PASSWORD'] ?? '';
    expect(LateTokens.of(chart).lookup(token)).toMatchObject({ value: secrets.systemPassword, secret: true });
    expect(JSON.stringify(chart.toJson())).not.toContain(secrets.systemPassword);
  });
});

describe('as a cluster', () => {
  test('all members start together, and each is told how many shards there are', () => {
    const { statefulSet, env, conf } = build(cluster());
    expect(statefulSet()).toMatchObject({ replicas: 6, podManagementPolicy: 'Parallel' });
    expect(env('REDIS_SHARDS')).toBe('3');
    expect(env('REDIS_TOPOLOGY')).toBe('cluster');
    expect(conf()).toEqual(
      expect.arrayContaining([
        'cluster-enabled yes',
        'cluster-node-timeout 5000',
        'cluster-require-full-coverage yes',
        'min-replicas-to-write 0',
      ]),
    );
    const more = build(cluster({ shards: 4, replicasPerShard: 2, failureDetection: Duration.seconds(3) }));
    expect(more.statefulSet().replicas).toBe(12);
    expect(more.conf()).toEqual(expect.arrayContaining(['cluster-node-timeout 3000', 'min-replicas-to-write 1']));
  });

  test('clients reach every member, and only members reach the bus', () => {
    const { chart, store, peers } = build(cluster());
    store.allowFrom(new Client(chart, 'api'));
    expect(peers('redis', 6379)).toEqual(['redis', 'api']);
    expect(peers('redis', 16379)).toEqual(['redis']);
    const env = store.connectionEnv('A_');
    expect(env['A_REDIS_CLUSTER_NODES']).toMatch(/^redis-0\.prod\.svc:6379,.*,redis-5\.prod\.svc:6379$/);
    expect(store.readOnly).toBeUndefined();
  });

  test('a replica may write what it is sent to its scratch disk', () => {
    const { statefulSet, container } = build(cluster());
    expect(statefulSet().template.spec.volumes).toContainEqual({ name: 'data', emptyDir: { sizeLimit: '324Mi' } });
    expect(container()?.resources?.limits?.['ephemeral-storage']).toBe('836Mi');
  });
});

// What is wrong, the props, and the one problem that is reported.
const cases: readonly (readonly [string, Partial<CacheStoreProps>, RegExp])[] = [
  ['no password of the members', { ...sentinel(), systemPassword: 'short' }, /^systemPassword must have at least 8/],
  ['one password for all', { ...sentinel(), systemPassword: secrets.password }, /^systemPassword must not be the pass/],
  ['a members’ password for one server', secrets, /^systemPassword has no use with one server/],
  ['members without passwords', { topology: CacheTopology.cluster() }, /^password and systemPassword are required/],
  ['an even number of sentinels', sentinel({ sentinels: 4 }), /^topology: sentinels \(4\) must be odd/],
  ['eleven sentinels', sentinel({ sentinels: 11 }), /^topology: sentinels must be a whole number from 3 to 9/],
  ['a quorum of all', sentinel({ quorum: 3 }), /^topology: quorum \(3\) can't be reached while one of 3 sentinels/],
  ['a quorum of one', sentinel({ quorum: 1 }), /^topology: quorum must be a whole number from 2/],
  ['no replica', sentinel({ replicas: 0 }), /^topology: replicas must be a whole number from 1 to 20, got 0/],
  ['no router', sentinel({ routers: 0 }), /^topology: routers must be a whole number from 1/],
  [
    'a guard that stops writes after one loss',
    sentinel({ replicas: 2, minReplicasToWrite: 2 }),
    /^topology: minReplicasToWrite \(2\) must be less than the 2 replicas/,
  ],
  ['half a replica', sentinel({ minReplicasToWrite: 0.5 }), /^topology: minReplicasToWrite must be a whole number/],
  ['a lag of a second', sentinel({ maxReplicaLag: Duration.seconds(1) }), /^topology: maxReplicaLag must be whole/],
  ['no patience', sentinel({ failureDetection: Duration.seconds(0) }), /^topology: failureDetection must be whole/],
  [
    'a fail-over that ends before it begins',
    sentinel({ failoverTimeout: Duration.seconds(5) }),
    /^topology: failoverTimeout \(5 s\) must be longer than failureDetection \(5 s\)/,
  ],
  ['two shards', cluster({ shards: 2 }), /^topology: shards must be a whole number from 3 to 100, got 2/],
  ['shards without replicas', cluster({ replicasPerShard: 0 }), /^topology: replicasPerShard must be .* from 1/],
  ['no room for the bus', { ...cluster(), port: 60_000 }, /^port \(60000\) must be at most 55535/],
  ['the port of the router’s health', { ...sentinel(), port: 8403 }, /^port \(8403\) leaves no room/],
  [
    'a stop without hand-over',
    { ...sentinel(), terminationGrace: Duration.seconds(29) },
    /^terminationGrace must be .* 30/,
  ],
  ['a name too long for sentinels', { ...sentinel(), name: 'a'.repeat(44) }, /^name must be .* at most 43/],
  [
    'data beyond 60 % with replicas',
    { ...sentinel(), maxMemory: Size.mebibytes(308) },
    /^maxMemory \(308 MiB\) must be at most 307 MiB: 60 % of the memory limit with replicas/,
  ],
  [
    'a command that shows passwords',
    { ...cluster(), allowedCommands: ['config|get'] },
    /would show or change the pass/,
  ],
  ['the port of the metrics', { port: 9121, metrics: { image: 'a/b' } }, /^port \(9121\) is the one of the metrics/],
  ['an image of metrics with a blank', { metrics: { image: 'a b' } }, /^metrics.image must be an image reference/],
  ['metrics as root', { metrics: { image: 'a/b', user: 0 } }, /^metrics.user must be a whole number/],
  ['metrics without a limit', { metrics: { image: 'a/b', resources: {} } }, /^metrics.resources.memory.limit is req/],
];

test.each(cases)('%s is refused with one problem', (_what, props, expected) => {
  const found = problemsOf(() => new CacheStore(newChart(), 'redis', { ...minimalCache, ...props }));
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(expected);
});

test('with a file, members of both kinds keep their data', () => {
  for (const props of [sentinel(), cluster()]) {
    const { statefulSet } = build({ ...props, persistence: CachePersistence.appendOnly(Size.gibibytes(1)) });
    expect(statefulSet().volumeClaimTemplates).toHaveLength(1);
  }
});
