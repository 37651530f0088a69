import type { V1Job, V1PersistentVolume, V1PersistentVolumeClaim, V1Pod, V1Secret } from '@kubernetes/client-node';
import { X509Certificate } from 'node:crypto';
import { resolveProgram } from '../../local/engine';
import { state } from '../../local/paths';
import { rehearsalDown, rehearsalSteps, unschedulable } from '../../local/simulate';
import { isReady, until } from '../support/cluster';
import { Simulated } from './support/simulated';

jest.setTimeout(300_000);

const NAMESPACE = '/api/v1/namespaces/probe';
const GPU = 'nvidia.com/gpu';
const cluster = new Simulated('prod', state('test', 'simulated'));

const template = (labels: Record<string, string>, gpus = 0) => ({
  metadata: { labels },
  spec: {
    tolerations: [{ key: GPU, operator: 'Exists', effect: 'NoSchedule' }],
    containers: [
      { name: 'main', image: 'simulated', ...(gpus === 0 ? {} : { resources: { limits: { [GPU]: gpus } } }) },
    ],
  },
});
const pod = (name: string, gpus: number) => ({ ...template({ app: name }, gpus), metadata: { name } });
const podOf = (name: string): Promise<V1Pod> => cluster.get<V1Pod>(`${NAMESPACE}/pods/${name}`);

interface Conditions {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}
const holds = (object: Conditions, type: string): boolean =>
  (object.status?.conditions ?? []).some((each) => each.type === type && each.status === 'True');

beforeAll(async () => {
  await rehearsalDown(cluster.rehearsal, { purge: true });
  for (const { run } of rehearsalSteps(cluster.rehearsal, resolveProgram())) await run(() => undefined);
  await cluster.create('/api/v1/namespaces', { metadata: { name: 'probe' } });
});
afterAll(async () => {
  await rehearsalDown(cluster.rehearsal, { purge: true });
});

describe('the simulated nodes', () => {
  it('give a device to the pod that asks for one, on the node that has it', async () => {
    const { metadata, spec } = pod('one-gpu', 1);
    await cluster.create(`${NAMESPACE}/pods`, { metadata, spec });
    const live = await until('the pod is Ready', async () => {
      const found = await podOf('one-gpu');
      return isReady(found) && found;
    });
    const node = (await cluster.nodes()).find(({ metadata: each }) => each?.name === live.spec?.nodeName);
    expect(node?.status?.allocatable?.[GPU]).toBe('1');
    await cluster.remove(`${NAMESPACE}/pods/one-gpu`);
  });

  it('take no pod that asks for more devices than any node has; the scheduler says so', async () => {
    const { metadata, spec } = pod('two-gpus', 2);
    await cluster.create(`${NAMESPACE}/pods`, { metadata, spec });
    const words = await until('the scheduler has judged', async () => {
      const found = await unschedulable(cluster.rehearsal, 0);
      return found.length > 0 && found;
    });
    const count = (await cluster.nodes()).length;
    expect(words).toEqual([
      expect.stringMatching(`^pod probe/two-gpus: 0/${count} nodes are available: .*Insufficient ${GPU}`),
    ]);
    await cluster.remove(`${NAMESPACE}/pods/two-gpus`);
  });
});

describe('the simulated controllers', () => {
  it('bind a claim in the zone of its pod, and grow the volume when the claim asks for more', async () => {
    const claims = `${NAMESPACE}/persistentvolumeclaims`;
    const storage = (amount: string) => ({ resources: { requests: { storage: amount } } });
    await cluster.create(claims, {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], ...storage('1Gi') },
    });
    const { metadata, spec } = pod('with-volume', 0);
    await cluster.create(`${NAMESPACE}/pods`, {
      metadata,
      spec: { ...spec, volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] },
    });
    const live = await until('the pod is Ready', async () => {
      const found = await podOf('with-volume');
      return isReady(found) && found;
    });
    const claim = (): Promise<V1PersistentVolumeClaim> => cluster.get(`${claims}/data`);
    const volumeName = (await claim()).spec?.volumeName ?? '';
    const volume = await cluster.get<V1PersistentVolume>(`/api/v1/persistentvolumes/${volumeName}`);
    const node = (await cluster.nodes()).find(({ metadata: each }) => each?.name === live.spec?.nodeName);
    const [term] = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
    expect(term?.matchExpressions?.[0]?.values).toEqual([node?.metadata?.labels?.['topology.kubernetes.io/zone']]);

    await cluster.patch(`${claims}/data`, { spec: storage('3Gi') });
    await until('the volume has grown', async () => (await claim()).status?.capacity?.['storage'] === '3Gi');
    expect((await podOf('with-volume')).metadata?.uid).toBe(live.metadata?.uid);
  });

  it('end a Job well, its init containers too', async () => {
    const { spec } = template({ app: 'job' });
    await cluster.create('/apis/batch/v1/namespaces/probe/jobs', {
      metadata: { name: 'work' },
      spec: {
        template: { spec: { ...spec, restartPolicy: 'Never', initContainers: [{ name: 'first', image: 'x' }] } },
      },
    });
    await until('the Job is complete', async () =>
      holds(await cluster.get<Conditions & V1Job>('/apis/batch/v1/namespaces/probe/jobs/work'), 'Complete'),
    );
  });

  it('give a load balancer and a route an address, but for a class that nobody serves', async () => {
    const published = async (url: string): Promise<boolean> => {
      const live = await cluster.get<{ status?: { loadBalancer?: { ingress?: readonly { ip: string }[] } } }>(url);
      return /^198\.19\.\d+\.\d+$/.test(live.status?.loadBalancer?.ingress?.[0]?.ip ?? '');
    };
    await cluster.create(`${NAMESPACE}/services`, {
      metadata: { name: 'balanced' },
      spec: { type: 'LoadBalancer', selector: { app: 'x' }, ports: [{ port: 80 }] },
    });
    const routes = '/apis/networking.k8s.io/v1/namespaces/probe/ingresses';
    const route = (name: string, ingressClassName: string) => ({
      metadata: { name },
      spec: { ingressClassName, defaultBackend: { service: { name: 'balanced', port: { number: 80 } } } },
    });
    await cluster.create(routes, route('nobodys', 'unheard-of'));
    await cluster.create(routes, route('routed', 'nginx'));
    await until('the Service has an address', () => published(`${NAMESPACE}/services/balanced`));
    await until('the route has an address', () => published(`${routes}/routed`));
    expect(await published(`${routes}/nobodys`)).toBe(false);
  });

  it('issue a certificate for the names that were asked for', async () => {
    const url = '/apis/cert-manager.io/v1/namespaces/probe/certificates';
    await cluster.create(url, {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: 'shop' },
      spec: {
        secretName: 'shop-tls',
        dnsNames: ['shop.example.com'],
        issuerRef: { name: 'any', kind: 'ClusterIssuer' },
      },
    });
    await until('the Certificate is Ready', async () => holds(await cluster.get(`${url}/shop`), 'Ready'));
    const { data } = await cluster.get<V1Secret>(`${NAMESPACE}/secrets/shop-tls`);
    const certificate = new X509Certificate(Buffer.from(data?.['tls.crt'] ?? '', 'base64'));
    expect(certificate.checkHost('shop.example.com')).toBe('shop.example.com');
  });

  it('program a Gateway and attach its routes', async () => {
    const base = '/apis/gateway.networking.k8s.io/v1';
    const apiVersion = 'gateway.networking.k8s.io/v1';
    await cluster.create(`${base}/namespaces/probe/gateways`, {
      ...{ apiVersion, kind: 'Gateway', metadata: { name: 'edge' } },
      spec: { gatewayClassName: 'any', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
    });
    await cluster.create(`${base}/namespaces/probe/httproutes`, {
      ...{ apiVersion, kind: 'HTTPRoute', metadata: { name: 'shop' } },
      spec: { parentRefs: [{ name: 'edge' }], rules: [{ backendRefs: [{ name: 'balanced', port: 80 }] }] },
    });
    await until('the Gateway is programmed', async () =>
      holds(await cluster.get(`${base}/namespaces/probe/gateways/edge`), 'Programmed'),
    );
    await until('the route is attached', async () => {
      const route = await cluster.get<{ status?: { parents?: readonly NonNullable<Conditions['status']>[] } }>(
        `${base}/namespaces/probe/httproutes/shop`,
      );
      return route.status?.parents?.some((status) => holds({ status }, 'Accepted'));
    });
  });
});
