import { App, Chart, Duration, Size } from 'cdk8s';
import * as fc from 'fast-check';
import { largestData } from '../../components/cache-configuration';
import { CachePersistence, EvictionPolicy } from '../../components/cache-options';
import type { CacheStoreProps } from '../../components/cache-store';
import { CacheStore } from '../../components/cache-store';
import { CacheTopology } from '../../components/cache-topology';
import { CachePermission, CacheUser } from '../../components/cache-users';
import { LateTokens } from '../../components/late';
import { compute } from '../../components/pod';
import type { RenderedObject } from '../../bridge/render';
import { render } from '../../bridge/render';
import { podTemplate } from '../../bridge/references';
import { Client } from '../../local/plugins/kubernetes/client';
import { connection } from '../../local/plugins/kubernetes/kubeconfig';
import { ApiServer } from '../support/api-server';

jest.setTimeout(300_000);

const NAMESPACE = 'caches';
const image = `registry.test/redis@sha256:${'0123456789abcdef'.repeat(4)}`;

const seconds = (min: number, max: number) => fc.integer({ min, max }).map((value) => Duration.seconds(value));
const users = fc.constantFrom<readonly CacheUser[]>(
  [],
  [
    CacheUser.named('reports', {
      password: 'reports-secret',
      permissions: [CachePermission.read()],
      keys: ['report:*'],
    }),
    CacheUser.named('a-b', { password: 'worker-secret', permissions: [CachePermission.pubSub()], channels: ['jobs'] }),
  ],
);

const topology = fc.oneof(
  fc.constant(CacheTopology.standalone()),
  fc
    .record({
      replicas: fc.integer({ min: 1, max: 5 }),
      sentinels: fc.constantFrom(3, 5, 7),
      routers: fc.integer({ min: 1, max: 4 }),
      maxReplicaLag: seconds(2, 60),
      failureDetection: seconds(1, 20),
    })
    .map((options) => CacheTopology.sentinel(options)),
  fc
    .record({ shards: fc.integer({ min: 3, max: 6 }), replicasPerShard: fc.integer({ min: 1, max: 3 }) })
    .map((options) => CacheTopology.cluster(options)),
);

/** Props that the rules accept, of every kind. */
const props: fc.Arbitrary<CacheStoreProps> = fc
  .record({
    topology,
    users,
    memory: fc.integer({ min: 64, max: 4096 }),
    durable: fc.boolean(),
    port: fc.integer({ min: 1024, max: 8000 }),
    eviction: fc.constantFrom(EvictionPolicy.VOLATILE_TTL, EvictionPolicy.NONE),
    metrics: fc.boolean(),
    maxClients: fc.integer({ min: 10, max: 65_000 }),
    terminationGrace: seconds(30, 300),
  })
  .map(({ memory, durable, metrics, ...rest }) => {
    const limit = Size.mebibytes(memory);
    const several = rest.topology.members !== undefined;
    return {
      ...rest,
      image,
      password: 'client-secret',
      ...(several ? { systemPassword: 'member-secret' } : {}),
      resources: compute([10, 500], [memory, memory]),
      maxMemory: largestData(limit, durable || several),
      ...(durable ? { persistence: CachePersistence.appendOnly(Size.mebibytes(2 * memory)) } : {}),
      ...(metrics ? { metrics: { image } } : {}),
    };
  });

describe('whatever props a CacheStore is built from', () => {
  let server: ApiServer;
  let client: Client;
  beforeAll(async () => {
    server = await ApiServer.shared();
    client = new Client(connection({ kubeconfig: server.kubeconfig }));
    const labels = {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    };
    await server.call('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE, labels } });
    for (const name of ['default', 'redis', 'redis-sentinel', 'redis-router']) {
      await server.call('POST', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, { metadata: { name } });
    }
  });
  afterAll(async () => {
    await server?.destroy();
  });

  /** One object in dry run; the server's warnings. */
  const submit = async (apiVersion: string, kind: string, name: string, manifest: unknown) => {
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const plural = kind === 'NetworkPolicy' ? 'networkpolicies' : `${kind.toLowerCase()}s`;
    const query = 'fieldManager=test&fieldValidation=Strict&dryRun=All';
    const text = LateTokens.split(JSON.stringify(manifest)).map((part) => (part.token ? 'late' : part.text));
    const answer = await client.send({
      method: 'PATCH',
      path: `${group}/namespaces/${NAMESPACE}/${plural}/${name}?${query}`,
      contentType: 'application/apply-patch+yaml',
      body: JSON.parse(text.join('')),
    });
    return answer.warnings.map((warning) => `${kind}/${name}: ${warning}`);
  };

  /** A pod as its controller would make it. */
  const podOf = ({ manifest }: RenderedObject, template: ReturnType<typeof podTemplate>) => {
    const { metadata, spec } = template as { metadata: object; spec: { volumes?: readonly unknown[] } };
    const claims = (manifest.spec as { volumeClaimTemplates?: readonly { metadata: { name: string } }[] })
      .volumeClaimTemplates;
    const mounted = (claims ?? []).map(({ metadata: { name } }) => ({
      name,
      persistentVolumeClaim: { claimName: name },
    }));
    const volumes = [...(spec.volumes ?? []), ...mounted];
    return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'probe' }, spec: { ...spec, volumes } };
  };

  test('the API server takes every object and every pod, without a warning', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(props, async (given) => {
        const chart = new Chart(new App(), 'chart', { namespace: NAMESPACE });
        new CacheStore(chart, 'redis', given);
        const objects = render(App.of(chart));
        const answers = await Promise.all(
          objects.flatMap((object) => {
            seen.add(object.kind);
            const template = podTemplate(object);
            const whole = submit(object.apiVersion, object.kind, object.name, object.manifest);
            return template === undefined ? [whole] : [whole, submit('v1', 'Pod', 'probe', podOf(object, template))];
          }),
        );
        expect(answers.flat()).toEqual([]);
      }),
      { numRuns: 25 },
    );
    for (const kind of ['StatefulSet', 'Deployment', 'PersistentVolumeClaim', 'PodDisruptionBudget']) {
      expect(seen).toContain(kind);
    }
  });

  test('and refuses one that is not hardened, so that the check above can fail', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'probe' },
      spec: { containers: [{ name: 'c', image }] },
    };
    await expect(submit('v1', 'Pod', 'probe', pod)).rejects.toThrow(/violates PodSecurity "restricted/);
  });
});
