import type { V1Deployment } from '@kubernetes/client-node';

import { Cluster, info, NAMESPACE } from '../support/cluster';
import { Engine } from '../support/engine';

jest.setTimeout(300_000);

/** Seconds that a broken workload is waited for: enough for a pull and a few starts on a busy machine. */
const PATIENCE = 40;

describe('pods that do not become ready', () => {
  const namespace = 'trellis-test-faults';
  let cluster: Cluster;
  let image: string;
  let engine: Engine;

  beforeAll(async () => {
    cluster = new Cluster();
    const url = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/noodle-runtime`;
    image = (await cluster.get<V1Deployment>(url)).spec?.template.spec?.containers[0]?.image ?? '';
    await cluster.create('/api/v1/namespaces', { metadata: { name: namespace } });
  });
  beforeEach(async () => {
    engine = await Engine.create({ kubeconfig: info().kubeconfig });
  });
  afterEach(async () => {
    await engine?.ok('destroy', '--yes', '--skip-preview');
    await engine?.dispose();
  });
  afterAll(async () => {
    await cluster.remove(`/api/v1/namespaces/${namespace}`);
  });

  /** A Deployment of one pod, with what its test changes. */
  const deployment = (container: object, pod: object = {}): string => {
    const labels = { app: 'faulty' };
    const containers = [{ name: 'main', image, ...container }];
    const args = {
      metadata: { name: 'faulty', namespace, annotations: { 'pulumi.com/timeoutSeconds': String(PATIENCE) } },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, ...pod, containers } },
      },
    };
    return `new k8s.apps.v1.Deployment('faulty', ${JSON.stringify(args)}, opts);`;
  };

  const refused = async (program: string): Promise<string> => {
    engine.program(program);
    const began = Date.now();
    const { code, output } = await engine.run('up', '--yes', '--skip-preview');
    expect({ failed: code !== 0, output }).toMatchObject({ failed: true });
    expect((Date.now() - began) / 1000).toBeLessThan(PATIENCE + 60);
    return output;
  };

  test('a container that crashes at start is told with its exit code and last lines', async () => {
    const script = 'echo reading settings; echo "cannot open /app/config/missing.json" >&2; exit 3';
    const output = await refused(deployment({ command: ['sh', '-c', script] }));
    expect(output).toContain(`Deployment ${namespace}/faulty did not become ready: 0/1 replicas available`);
    expect(output).toMatch(/pod faulty-\S+, container main: ended with exit code 3, \d+ restarts; its last lines:/);
    expect(output).toMatch(/\| reading settings\s+\| cannot open \/app\/config\/missing\.json/);
  });

  test('an image that the registry does not have is told by name', async () => {
    const missing = `${info().registry}/trellis/no-such-image:1`;
    const output = await refused(deployment({ image: missing }));
    expect(output).toMatch(
      new RegExp(`container main: image ${missing} can't be pulled \\((ErrImagePull|ImagePullBackOff)\\)`),
    );
    expect(output).toMatch(/not found/);
  });

  test('a pod that fits on no node is told in the scheduler’s words', async () => {
    const output = await refused(deployment({ resources: { requests: { cpu: '500' } } }));
    expect(output).toMatch(/pod faulty-\S+ can't be scheduled: 0\/1 nodes are available: .*Insufficient cpu/);
  });

  test('a volume that nobody makes is told with its storage class', async () => {
    const claim = {
      metadata: { name: 'never', namespace, annotations: { 'pulumi.com/timeoutSeconds': '10' } },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'no-such-class',
        resources: { requests: { storage: '1Gi' } },
      },
    };
    const output = await refused(`new k8s.core.v1.PersistentVolumeClaim('never', ${JSON.stringify(claim)}, opts);`);
    expect(output).toContain(`PersistentVolumeClaim ${namespace}/never did not become ready`);
    expect(output).toContain('storageclass.storage.k8s.io "no-such-class" not found');
  });

  test('what failed stays in the state, and the next update mends it', async () => {
    await refused(deployment({ command: ['sh', '-c', 'exit 1'] }));
    const before = await cluster.list<V1Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments`);
    engine.program(deployment({ command: ['sleep', '600'] }));
    const { output } = await engine.up();
    expect(output).toContain('~ 1 updated');
    const after = await cluster.list<V1Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments`);
    expect(after.map(({ metadata }) => metadata?.uid)).toEqual(before.map(({ metadata }) => metadata?.uid));
    expect(await engine.steps()).toEqual([]);
  });
});
