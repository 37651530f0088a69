import type { V1Deployment } from '@kubernetes/client-node';

import { Cluster, info } from '../support/cluster';
import { imageOf } from '../cluster/support/images';
import { Engine } from '../support/engine';
import type { Run } from '../support/engine';

jest.setTimeout(300_000);

/** Seconds that a broken object is waited for: enough for a pull and a few starts on a busy machine. */
const PATIENCE = 25;

describe('objects that do not become ready', () => {
  const namespace = 'trellis-test-faults';
  const metadata = (name: string): object => ({
    name,
    namespace,
    annotations: { 'pulumi.com/timeoutSeconds': String(PATIENCE) },
  });
  const deployments = (): Promise<readonly V1Deployment[]> =>
    cluster.list<V1Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments`);

  let cluster: Cluster;
  let image: string;
  let missing: string;
  let engine: Engine;
  let failed: Run;
  let seconds: number;

  /** A Deployment of one pod, with what its test changes. */
  const deployment = (name: string, container: object): string => {
    const labels = { app: name };
    const spec = { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, ...container }] };
    const args = {
      metadata: metadata(name),
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    };
    return `new k8s.apps.v1.Deployment('${name}', ${JSON.stringify(args)}, opts);`;
  };

  /** All at once: each takes its whole time. */
  const broken = (): string => {
    // On one stream: the runtime reads two of them in whichever order.
    const crash = '{ echo reading settings; echo "cannot open /app/config/missing.json"; } >&2; exit 3';
    const claim = {
      metadata: metadata('unbound'),
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'no-such-class',
        resources: { requests: { storage: '1Gi' } },
      },
    };
    return [
      // Without a probe it could be seen running, and so be Ready, for the moment before it ends.
      deployment('crashing', { command: ['sh', '-c', crash], readinessProbe: { tcpSocket: { port: 8080 } } }),
      deployment('unpulled', { image: missing }),
      deployment('unscheduled', { resources: { requests: { cpu: '500' } } }),
      `new k8s.core.v1.PersistentVolumeClaim('unbound', ${JSON.stringify(claim)}, opts);`,
    ].join('\n');
  };

  beforeAll(async () => {
    cluster = new Cluster();
    missing = `${info().registry}/trellis/no-such-image:1`;
    image = await imageOf(cluster, 'apps/v1/deployments/noodle-ide');
    await cluster.create('/api/v1/namespaces', { metadata: { name: namespace } });
    engine = await Engine.create({ kubeconfig: info().kubeconfig });
    engine.program(broken());
    const began = Date.now();
    failed = await engine.run('up', '--yes', '--skip-preview');
    seconds = (Date.now() - began) / 1000;
  });
  afterAll(async () => {
    await engine?.dispose();
    await cluster.remove(`/api/v1/namespaces/${namespace}`);
  });

  test('fail the update within their time', () => {
    expect({ failed: failed.code !== 0, output: failed.output }).toMatchObject({ failed: true });
    expect(seconds).toBeLessThan(PATIENCE + 45);
    for (const name of ['crashing', 'unpulled', 'unscheduled'])
      expect(failed.output).toContain(`Deployment ${namespace}/${name} did not become ready: 0/1 replicas available`);
  });

  test('a container that crashes at start is told with its exit code and last lines', () => {
    expect(failed.output).toMatch(
      /pod crashing-\S+, container main: ended with exit code 3, \d+ restarts; its last lines:/,
    );
    expect(failed.output).toMatch(/\| reading settings\s+\| cannot open \/app\/config\/missing\.json/);
  });

  test('an image that the registry does not have is told by name', () => {
    const told = new RegExp(
      `container main: image ${missing} can't be pulled \\((ErrImagePull|ImagePullBackOff)\\): .*not found`,
    );
    expect(failed.output).toMatch(told);
  });

  test('a pod that fits on no node is told in the scheduler’s words', () => {
    expect(failed.output).toMatch(
      /pod unscheduled-\S+ can't be scheduled: 0\/1 nodes are available: .*Insufficient cpu/,
    );
  });

  test('a volume that nobody makes is told with its storage class', () => {
    expect(failed.output).toContain(`PersistentVolumeClaim ${namespace}/unbound did not become ready`);
    expect(failed.output).toContain('storageclass.storage.k8s.io "no-such-class" not found');
  });

  test('what failed stays in the state, and the next update mends or removes it', async () => {
    const uidOf = async (): Promise<string | undefined> =>
      (await deployments()).find(({ metadata: of }) => of?.name === 'crashing')?.metadata?.uid;
    const before = await uidOf();
    expect(before).toBeDefined();
    engine.program(deployment('crashing', { command: ['sleep', '600'] }));
    const { output } = await engine.up();
    expect(output).toContain('~ 1 updated');
    expect(output).toContain('- 3 deleted');
    expect(await uidOf()).toBe(before);
    expect(await engine.steps()).toEqual([]);
    await engine.ok('destroy', '--yes', '--skip-preview');
    expect(await deployments()).toEqual([]);
  });
});
