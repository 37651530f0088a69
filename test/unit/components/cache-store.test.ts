import * as pulumi from '@pulumi/pulumi';
import { Size } from 'cdk8s';
import { Construct } from 'constructs';
import { AppendSync, CachePersistence, EvictionPolicy } from '../../../components/cache-options';
import type { CacheStoreProps } from '../../../components/cache-store';
import { CacheStore } from '../../../components/cache-store';
import type { IClient } from '../../../components/connections';
import { secretKey } from '../../../components/connections';
import { LateTokens } from '../../../components/late';
import { podsPeer } from '../../../components/network';
import { RemovalPolicy } from '../../../components/release-options';
import { fullCache, minimalCache } from '../../support/props';
import { find, inventory, newChart, objectsOf, releaseOptions } from '../../support/synth';

const appendOnly = CachePersistence.appendOnly(Size.gibibytes(1));

const build = (props: CacheStoreProps = minimalCache) => {
  const chart = newChart('noodle-core');
  const store = new CacheStore(chart, 'redis', props);
  const statefulSet = () => find(chart, 'apps/v1/StatefulSet', store.name);
  const pod = () => statefulSet().spec.template.spec;
  const conf = () => find(chart, 'v1/ConfigMap', `${store.name}-config`).data['redis.conf']?.split('\n') ?? [];
  const env = (name: string) => pod().containers[0]?.env?.find((one) => one.name === name)?.value;
  return { chart, store, statefulSet, pod, conf, env, container: () => pod().containers[0] };
};

class Client extends Construct implements IClient {
  public readonly peer = podsPeer(this, { 'app.kubernetes.io/name': this.node.id });
}

describe('with required props only', () => {
  test('makes these objects and no others', () => {
    expect(inventory(build().chart)).toEqual([
      'ConfigMap/redis-config',
      'NetworkPolicy/redis',
      'PodDisruptionBudget/redis',
      'Secret/redis-secret',
      'Service/redis-headless',
      'Service/redis-service',
      'ServiceAccount/redis',
      'StatefulSet/redis',
    ]);
  });

  test('defaults are re-exposed under the names of their props', () => {
    const { store } = build();
    expect({ ...store }).toMatchObject({
      port: 6379,
      eviction: EvictionPolicy.ALL_KEYS_LRU,
      maxClients: 1000,
      removalPolicy: RemovalPolicy.DESTROY,
      host: 'redis-service.noodle-core.svc',
      authenticated: false,
    });
    expect(store.maxMemory.toMebibytes()).toBe(384);
    expect(store.persistence.durable).toBe(false);
  });

  test('without a password the URL has none and the image is told so', () => {
    const { chart, env, pod } = build();
    expect(find(chart, 'v1/Secret', 'redis-secret').stringData).toEqual({
      REDIS_URL: 'redis://redis-service.noodle-core.svc:6379/0',
    });
    expect(env('REDIS_ALLOW_EMPTY_PASSWORD')).toBe('true');
    expect(pod().volumes?.map((volume) => volume.name)).toEqual(['tmp', 'config', 'data']);
  });

  test('memory is for data at three quarters, nothing is written', () => {
    const { conf, statefulSet } = build();
    expect(conf()).toEqual(
      expect.arrayContaining(['maxmemory 402653184', 'maxmemory-policy allkeys-lru', 'appendonly no', 'save ""']),
    );
    expect(statefulSet().spec.volumeClaimTemplates).toBeUndefined();
    expect(releaseOptions(build().chart, 'StatefulSet', 'redis').ignoreChanges).toEqual([]);
  });

  test('clients may not use what is dangerous, save what reads only', () => {
    expect(build().env('REDIS_ACL_RULES')).toBe('+@all -@dangerous +info +sort +role +slowlog +latency +lastsave');
  });

  test('readiness needs an authenticated answer, liveness any answer', () => {
    const ping = { exec: { command: ['redis-ping'] } };
    const container = build().container();
    expect(container).toMatchObject({ startupProbe: { ...ping, failureThreshold: 60 }, readinessProbe: ping });
    expect(container?.livenessProbe?.exec?.command?.[2]).toMatch(/redis-ping.*WRONGPASS/);
  });
});

describe('with an append-only file', () => {
  test('keys without expiry are data, and a fork needs room', () => {
    const { store, conf } = build({ ...minimalCache, persistence: appendOnly });
    expect(store.eviction).toBe(EvictionPolicy.VOLATILE_LRU);
    expect(store.removalPolicy).toBe(RemovalPolicy.RETAIN);
    expect(store.maxMemory.toMebibytes({ rounding: 1 })).toBe(307);
    expect(conf()).toEqual(
      expect.arrayContaining(['appendonly yes', 'appendfsync everysec', 'maxmemory-policy volatile-lru']),
    );
  });

  test('it is on a claim that a change never replaces', () => {
    const { chart, statefulSet, pod } = build({ ...minimalCache, persistence: appendOnly });
    expect(statefulSet().spec.volumeClaimTemplates).toEqual([
      {
        metadata: { name: 'data', labels: { 'app.kubernetes.io/name': 'redis' } },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ]);
    expect(pod().volumes?.map((volume) => volume.name)).not.toContain('data');
    expect(releaseOptions(chart, 'PersistentVolumeClaim', 'data-redis-0')).toMatchObject({
      removalPolicy: RemovalPolicy.RETAIN,
      ignoreChanges: ['spec.storageClassName'],
    });
  });

  test.each([EvictionPolicy.NONE, EvictionPolicy.VOLATILE_TTL])('%s goes with it', (eviction) => {
    expect(build({ ...minimalCache, persistence: appendOnly, eviction }).conf()).toContain(
      `maxmemory-policy ${eviction}`,
    );
  });
});

describe('with every prop', () => {
  test('each reaches its object', () => {
    const { chart, conf, container, env, pod, statefulSet } = build(fullCache);
    expect(conf()).toEqual(
      expect.arrayContaining([
        'port 6380',
        'maxmemory 314572800',
        'maxmemory-policy volatile-ttl',
        `appendfsync ${AppendSync.ALWAYS}`,
        'maxclients 200',
        'timeout 3600',
      ]),
    );
    expect(env('REDIS_ACL_RULES')).toMatch(/\+lastsave \+flushdb \+keys$/);
    expect(env('REDIS_PORT')).toBe('6380');
    expect(env('REDIS_PASSWORD_FILE')).toBe('/run/secrets/redis/password');
    expect(pod()).toMatchObject({ terminationGracePeriodSeconds: 45, securityContext: { runAsUser: 20071 } });
    expect(container()).toMatchObject({
      image: fullCache.image,
      ports: [{ containerPort: 6380 }],
      startupProbe: { failureThreshold: 36 },
      resources: { limits: { cpu: '500m', memory: '512Mi' } },
    });
    expect(statefulSet().spec.volumeClaimTemplates?.[0]?.spec?.storageClassName).toBe('fast');
    expect(releaseOptions(chart, 'PersistentVolumeClaim', 'data-sessions-0').removalPolicy).toBe(RemovalPolicy.DESTROY);
    expect(statefulSet().metadata.labels).toMatchObject(fullCache.labels);
    expect(find(chart, 'v1/Service', 'sessions-service').spec.ports).toMatchObject([{ port: 6380 }]);
  });
});

describe('connections and late values', () => {
  test('clients read one key of the Secret', () => {
    const { store } = build();
    expect(store.connectionEnv()).toEqual({ REDIS_URL: secretKey('redis-secret', 'REDIS_URL') });
    expect(Object.keys(store.connectionEnv('SESSION_'))).toEqual(['SESSION_REDIS_URL']);
  });

  test('nobody gets in before allowFrom, and then only on the port', () => {
    const { chart, store } = build();
    const ingress = () => find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'redis').spec.ingress;
    expect(ingress()).toBeUndefined();
    const client = new Client(chart, 'runtime');
    store.allowFrom(client, client);
    expect(ingress()).toEqual([{ from: [client.peer], ports: [{ protocol: 'TCP', port: 6379 }] }]);
  });

  test('image, storage class and password may be late', () => {
    const image = pulumi.output('registry.test/redis:7');
    const storageClass = pulumi.output('fast');
    const password = pulumi.secret('late-password');
    const { chart, container, statefulSet } = build({ image, storageClass, password, persistence: appendOnly });
    const tokens = LateTokens.of(chart);
    const { stringData } = find(chart, 'v1/Secret', 'redis-secret');
    const token = stringData['REDIS_PASSWORD'] ?? '';
    expect(tokens.lookup(container()?.image ?? '')?.value).toBe(image);
    expect(tokens.lookup(statefulSet().spec.volumeClaimTemplates?.[0]?.spec?.storageClassName ?? '')?.value).toBe(
      storageClass,
    );
    expect(tokens.lookup(token)).toMatchObject({ value: password, secret: true });
    expect(stringData['REDIS_URL']).toBe(`redis://:${token}@redis-service.noodle-core.svc:6379/0`);
  });

  test('a literal password is in no object', () => {
    const { chart } = build(fullCache);
    expect(JSON.stringify(objectsOf(chart))).not.toContain(fullCache.password);
    expect(objectsOf(chart)).toEqual(objectsOf(chart));
  });
});
