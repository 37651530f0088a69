import type {
  V1Container,
  V1Namespace,
  V1NetworkPolicy,
  V1Pod,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';

import { ApiError } from '../../local/plugins/kubernetes/errors';
import { Cluster, HOST, info, isReady, NAMESPACE, request, trellis, until } from '../support/cluster';

jest.setTimeout(300_000);

const nameOf = (pod: V1Pod): string => pod.metadata?.name ?? '';
const serviceOf = (pod: V1Pod): string => pod.metadata?.labels?.['app.kubernetes.io/name'] ?? '';

describe('NoodleCore on the local cluster', () => {
  let cluster: Cluster;
  let pods: readonly V1Pod[];
  const containers = (): readonly (readonly [string, V1Container])[] =>
    pods.flatMap((pod) =>
      [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(
        (container) => [`${nameOf(pod)}/${container.name}`, container] as const,
      ),
    );

  beforeAll(async () => {
    cluster = new Cluster();
    await cluster.healthy();
    pods = await cluster.pods();
  });

  test('runs the runtime, the IDE, PostgreSQL behind its pooler, and Redis, every pod Ready', async () => {
    const services = ['noodle-runtime', 'noodle-ide', 'postgres', 'postgres-pooler', 'redis', 'backup-status'];
    expect(new Set(pods.map(serviceOf))).toEqual(new Set(services));
    expect(pods.filter((pod) => !isReady(pod)).map(nameOf)).toEqual([]);
    const { stdout } = await trellis('status');
    expect(stdout).toMatch(new RegExp(`Pods in .*\\b${NAMESPACE}\\b`));
    for (const pod of pods) expect(stdout).toMatch(new RegExp(`✔ +${nameOf(pod)} +([0-9])/\\1 +Running`));
    expect(stdout).not.toContain('✖');
  });

  test('answers 200 on the printed address, with PostgreSQL and Redis both asked', async () => {
    const { stdout } = await trellis('status');
    const printed = new RegExp(`curl --cacert (\\S+) (https://${HOST}\\S*/ready)`);
    const [, caFile, address = ''] = printed.exec(stdout) ?? [];
    expect(caFile).toBe(info().caFile);
    expect(new URL(address).hostname).toBe(HOST);
    const { status, body } = await request(address);
    expect({ status, body: JSON.parse(body) as unknown }).toMatchObject({
      status: 200,
      body: { status: 'ready', checks: { postgres: { status: 'up' }, redis: { status: 'up' } } },
    });
  });

  test('redirects plain HTTP to HTTPS of the same host and path', async () => {
    const { httpPort, httpsPort } = info();
    const { status, headers } = await request(`http://${HOST}:${httpPort}/ready?full=1`);
    expect([301, 308]).toContain(status);
    expect(headers.location).toBe(new URL('/ready?full=1', `https://${HOST}:${httpsPort}`).href);
  });

  test('serves nothing for a host that no route names', async () => {
    const { status } = await request(`https://other.trellis.localhost:${info().httpsPort}/ready`);
    expect(status).toBe(404);
  });

  test('scales on a CPU figure that is really measured', async () => {
    const url = `/apis/autoscaling/v2/namespaces/${NAMESPACE}/horizontalpodautoscalers/noodle-runtime`;
    const figure = await until(
      'a CPU figure of the autoscaler',
      async () => {
        const { status } = await cluster.get<V2HorizontalPodAutoscaler>(url);
        const cpu = status?.currentMetrics?.find(({ resource }) => resource?.name === 'cpu');
        const active = status?.conditions?.some(({ type, status: is }) => type === 'ScalingActive' && is === 'True');
        return active === true && cpu?.resource?.current.averageUtilization;
      },
      180,
    );
    expect(typeof figure).toBe('number');
  });

  test('is admitted to a namespace that enforces the restricted profile, which refuses others', async () => {
    const { metadata } = await cluster.get<V1Namespace>(`/api/v1/namespaces/${NAMESPACE}`);
    expect(metadata?.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const spec = pods.find((pod) => serviceOf(pod) === 'postgres')?.spec;
    const container = spec?.containers[0];
    const probe = (securityContext: unknown): Promise<unknown> =>
      cluster.create(`/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'probe' },
        spec: {
          securityContext: spec?.securityContext,
          containers: [{ name: 'probe', image: container?.image, resources: container?.resources, securityContext }],
        },
      });
    await expect(probe(container?.securityContext)).resolves.toMatchObject({ kind: 'Pod' });
    const refused = await probe({ ...container?.securityContext, allowPrivilegeEscalation: true }).catch(
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(ApiError);
    expect((refused as ApiError).message).toContain('violates PodSecurity "restricted');
  });

  test('names every image by digest', () => {
    expect(containers().filter(([, { image }]) => !/@sha256:[0-9a-f]{64}$/.test(image ?? ''))).toEqual([]);
  });

  test('states requests and limits of CPU and memory for every container', () => {
    for (const [name, { resources }] of containers()) {
      const stated = { name, requests: resources?.requests, limits: resources?.limits };
      const amounts = { cpu: expect.any(String) as string, memory: expect.any(String) as string };
      expect(stated).toMatchObject({ name, requests: amounts, limits: amounts });
    }
  });

  test('gives every container that serves its three probes', () => {
    const serving = containers().filter(([, { ports }]) => (ports ?? []).length > 0);
    expect(serving.length).toBeGreaterThanOrEqual(3);
    const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;
    const missing = serving.flatMap(([name, container]) =>
      probes.filter((probe) => container[probe] === undefined).map((probe) => `${name}: ${probe}`),
    );
    expect(missing).toEqual([]);
  });

  test('gives every pod an account of its own, and no token of it', () => {
    for (const pod of pods) {
      const { serviceAccountName, automountServiceAccountToken, volumes, enableServiceLinks } = pod.spec ?? {};
      const tokens = (volumes ?? []).flatMap(({ projected }) =>
        (projected?.sources ?? []).filter(({ serviceAccountToken }) => serviceAccountToken !== undefined),
      );
      expect({ automountServiceAccountToken, enableServiceLinks, tokens }).toEqual({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        tokens: [],
      });
      expect(serviceAccountName).toBe(serviceOf(pod));
    }
  });

  test('denies all traffic, and allows each connection at both of its ends', async () => {
    const url = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies`;
    const policies = await cluster.list<V1NetworkPolicy>(url);
    const bySelector = (name: string | undefined): V1NetworkPolicy | undefined =>
      policies.find(({ spec }) => spec?.podSelector?.matchLabels?.['app.kubernetes.io/name'] === name);
    const denial = policies.find(({ spec }) => Object.keys(spec?.podSelector ?? {}).length === 0)?.spec;
    expect(denial?.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(denial?.ingress).toBeUndefined();
    expect(denial?.egress).toBeUndefined();
    const peer = (name: string): unknown =>
      expect.objectContaining({ podSelector: { matchLabels: { 'app.kubernetes.io/name': name } } });
    const rule = (end: 'to' | 'from', name: string, port: number): unknown =>
      expect.objectContaining({
        [end]: expect.arrayContaining([peer(name)]) as unknown,
        ports: [{ port, protocol: 'TCP' }],
      });
    for (const [client, server, port] of [
      ['noodle-runtime', 'postgres-pooler', 5432],
      ['postgres-pooler', 'postgres', 5432],
      ['noodle-ide', 'noodle-runtime', 8080],
      ['noodle-runtime', 'redis', 6379],
      ['postgres-backup', 'postgres', 5432],
    ] as const) {
      expect(bySelector(client)?.spec?.egress).toContainEqual(rule('to', server, port));
      expect(bySelector(server)?.spec?.ingress).toContainEqual(rule('from', client, port));
    }
  });
});
