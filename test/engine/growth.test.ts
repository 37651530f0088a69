import * as path from 'node:path';
import type { KubeObject } from '../../local/plugins/kubernetes/objects';
import { list, namespaceOf, nameOf, pluck, text } from '../../local/plugins/kubernetes/objects';
import { ApiServer } from '../support/api-server';
import { Engine } from '../support/engine';
import { StandInNode } from './support/stand-in-node';

jest.setTimeout(300_000);

const REPOSITORY = path.resolve(__dirname, '../..');

interface Options {
  readonly size: string;
  readonly replicas?: number;
  readonly storageClass?: string;
  readonly removal?: 'RETAIN' | 'DESTROY';
  readonly extra?: string;
}

/** A stateful workload of one container, in a namespace that outlives the release. */
const program = (namespace: string, options: Options): string => `
  require('${REPOSITORY}/local/register-typescript');
  const { App, Chart, Duration, Size } = require('cdk8s');
  const { ClusterRelease } = require('${REPOSITORY}/bridge');
  const { setReleaseOptions, RemovalPolicy } = require('${REPOSITORY}/components/release-options');
  const { statefulWorkload } = require('${REPOSITORY}/components/stateful-workload');
  const { volumeClaim } = require('${REPOSITORY}/components/volume-claim');
  const app = new App();
  const chart = new Chart(app, 'queue', { namespace: '${namespace}' });
  const removalPolicy = RemovalPolicy.${options.removal ?? 'RETAIN'};
  const size = Size.gibibytes(${options.size.replace('Gi', '')});
  statefulWorkload(chart, {
    name: 'queue', selector: { app: 'queue' }, labels: {}, port: { name: 'amqp', port: 5672 },
    pod: { containers: [{ name: 'queue', image: 'registry.test/queue', ports: [{ name: 'amqp', containerPort: 5672 }] }] },
    serves: false, replicas: ${options.replicas ?? 1}, removalPolicy, startupDeadline: Duration.seconds(10),
    claim: { size, storageClass: '${options.storageClass ?? 'grows'}' },
  });
  ${options.extra ?? ''}
  new ClusterRelease('release', { app, digestKey: pulumi.secret('0123456789abcdef0123456789abcdef') }, { provider });
`;

describe('a stateful workload whose size is edited', () => {
  let server: ApiServer;
  let node: StandInNode;
  let engine: Engine;
  let namespace: string;
  let count = 0;
  beforeAll(async () => {
    server = await ApiServer.start({ controllers: true });
    node = await StandInNode.start(server, { grows: true, fixed: false });
  });
  beforeEach(async () => {
    namespace = `growth-${(count += 1)}`;
    await server.namespace(namespace);
    engine = await Engine.create({ kubeconfig: server.kubeconfig });
  });
  afterEach(async () => {
    await engine.dispose();
  });
  afterAll(async () => {
    await node.stop();
    await server.destroy();
  });

  const core = (kind: string, name = ''): string => `/api/v1/namespaces/${namespace}/${kind}/${name}`;
  const statefulSet = (): Promise<KubeObject> =>
    server.call('GET', `/apis/apps/v1/namespaces/${namespace}/statefulsets/queue`);
  const claim = (ordinal: number): Promise<KubeObject> =>
    server.call('GET', core('persistentvolumeclaims', `data-queue-${ordinal}`));
  const uid = (object: KubeObject): string | undefined => text(object, 'metadata', 'uid');
  const pods = async (): Promise<readonly (string | undefined)[]> =>
    list(await server.call('GET', core('pods')), 'items')
      .map((pod) => uid(pod as KubeObject))
      .sort();
  const sizes = async (ordinal = 0): Promise<readonly unknown[]> => {
    const [set, one] = [await statefulSet(), await claim(ordinal)];
    return [
      pluck(set, 'spec', 'volumeClaimTemplates', 0, 'spec', 'resources', 'requests', 'storage'),
      pluck(one, 'spec', 'resources', 'requests', 'storage'),
      pluck(one, 'status', 'capacity', 'storage'),
    ];
  };
  const release = (options: Options): void => engine.program(program(namespace, options));
  /** An update, and then volumes for all claims: without one a claim holds nothing, and is made anew instead of grown. */
  const up = async (): Promise<void> => {
    await engine.up();
    await node.until(async () =>
      list(await server.call('GET', core('persistentvolumeclaims')), 'items').every(
        (each) => pluck(each, 'status', 'phase') === 'Bound',
      ),
    );
  };
  const steps = async (): Promise<readonly string[]> =>
    (await engine.steps()).map(({ op, urn }) => `${op} ${urn.split('::').at(-1) ?? ''}`).sort();

  test('grows every claim and makes the StatefulSet anew in one update, while the same pods run on', async () => {
    release({ size: '1Gi', replicas: 2 });
    await up();
    const [before, running] = [await statefulSet(), await pods()];
    expect(running).toHaveLength(2);
    release({ size: '2Gi', replicas: 2 });
    expect(await steps()).toEqual(['replace queue/StatefulSet', 'update queue/Data-0', 'update queue/Data-1']);
    await up();
    expect(await sizes(0)).toEqual(['2Gi', '2Gi', '2Gi']);
    expect(await sizes(1)).toEqual(['2Gi', '2Gi', '2Gi']);
    const after = await statefulSet();
    expect(uid(after)).not.toBe(uid(before));
    expect(await pods()).toEqual(running);
    const owners = list(await server.call('GET', core('pods')), 'items').map((pod) =>
      text(pod, 'metadata', 'ownerReferences', 0, 'uid'),
    );
    expect(owners).toEqual([uid(after), uid(after)]);
    expect(await steps()).toEqual([]);
  });

  test('keeps the pods too where nothing is retained, and leaves nothing when it is destroyed', async () => {
    release({ size: '1Gi', removal: 'DESTROY' });
    await up();
    const running = await pods();
    release({ size: '3Gi', removal: 'DESTROY' });
    await up();
    expect(await pods()).toEqual(running);
    expect(await sizes()).toEqual(['3Gi', '3Gi', '3Gi']);
    await engine.ok('destroy', '--yes', '--skip-preview');
    expect(await pods()).toEqual([]);
    expect(await server.has(core('persistentvolumeclaims', 'data-queue-0'))).toBe(false);
  });

  test('refuses at preview to shrink, and a class that cannot expand, each with path, field, found and allowed', async () => {
    release({ size: '2Gi', storageClass: 'fixed' });
    await up();
    const before = await statefulSet();
    const cases = [
      ['1Gi', `queue/Data-0: spec.resources.requests.storage must be at least 2Gi, got 1Gi`, "a volume can't shrink"],
      ['3Gi', `queue/Data-0: spec.resources.requests.storage must stay 2Gi, got 3Gi`, 'StorageClass fixed'],
    ] as const;
    for (const [size, problem, why] of cases) {
      release({ size, storageClass: 'fixed' });
      const preview = await engine.run('preview');
      expect(preview.code).not.toBe(0);
      expect(preview.output).toContain(problem);
      expect(preview.output).toContain(why);
    }
    // An update that skips its preview stops there too, before the StatefulSet is touched.
    expect((await engine.run('up', '--yes', '--skip-preview')).code).not.toBe(0);
    expect(uid(await statefulSet())).toBe(uid(before));
    expect(await sizes()).toEqual(['2Gi', '2Gi', '2Gi']);
  });

  test('takes over claims that a controller made, and leaves those of another stack alone', async () => {
    await node.claim(namespace, 'data-queue-0', '1Gi', 'grows', 'kube-controller-manager');
    release({ size: '2Gi' });
    expect((await engine.ok('preview')).output).not.toContain('will refuse');
    const before = uid(await claim(0));
    await up();
    expect(uid(await claim(0))).toBe(before);
    expect(await sizes()).toEqual(['2Gi', '2Gi', '2Gi']);
    expect(await steps()).toEqual([]);
    await node.claim(namespace, 'data-queue-1', '1Gi', 'grows', 'pulumi-kubernetes-another');
    release({ size: '2Gi', replicas: 2 });
    const refused = await engine.run('up', '--yes', '--skip-preview');
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain(`PersistentVolumeClaim ${namespace}/data-queue-1 already exists`);
  });

  test('goes on with state of before, in which the StatefulSet was retained', async () => {
    const old = `setReleaseOptions(chart.node.findChild('StatefulSet'), { removalPolicy: RemovalPolicy.RETAIN });`;
    release({ size: '1Gi', extra: old });
    await up();
    const running = await pods();
    release({ size: '2Gi' });
    await up();
    expect(await sizes()).toEqual(['2Gi', '2Gi', '2Gi']);
    expect(await pods()).toEqual(running);
    expect(await steps()).toEqual([]);
  });

  test('heals a run that ended between deletion and creation, and the pods never notice', async () => {
    release({ size: '1Gi' });
    await up();
    const running = await pods();
    const quota = { metadata: { name: 'none' }, spec: { hard: { 'count/statefulsets.apps': '0' } } };
    await server.call('POST', core('resourcequotas'), quota);
    await node.until(async () => {
      const { status } = await server.call('GET', core('resourcequotas', 'none'));
      return pluck(status, 'used', 'count/statefulsets.apps') === '1';
    });
    release({ size: '2Gi' });
    const failed = await engine.run('up', '--yes', '--skip-preview');
    expect(failed.output).toContain('exceeded quota');
    await expect(statefulSet()).rejects.toThrow('not found');
    expect(await pods()).toEqual(running);
    await server.call('DELETE', core('resourcequotas', 'none'));
    await up();
    expect(await sizes()).toEqual(['2Gi', '2Gi', '2Gi']);
    expect(await pods()).toEqual(running);
    expect(await steps()).toEqual([]);
  });

  test('keeps the volumes of replicas that go, and gives them back when they return', async () => {
    release({ size: '1Gi', replicas: 2 });
    await up();
    const volume = uid(await claim(1));
    release({ size: '1Gi', replicas: 1 });
    await up();
    release({ size: '2Gi', replicas: 2 });
    await up();
    expect(uid(await claim(1))).toBe(volume);
    expect(await sizes(1)).toEqual(['2Gi', '2Gi', '2Gi']);
    expect(await steps()).toEqual([]);
  });

  test('makes a claim anew that has no volume yet', async () => {
    const unused = (gibibytes: number): string =>
      `volumeClaim(chart, 'Unused', { name: 'unused', labels: {}, removalPolicy, annotations: { 'trellis.test/unbound': 'true' },
        claim: { size: Size.gibibytes(${gibibytes}), storageClass: 'grows' } });`;
    release({ size: '1Gi', extra: unused(1) });
    await engine.up();
    release({ size: '1Gi', extra: unused(2) });
    expect(await steps()).toEqual(['update queue/Unused']);
    await engine.up();
    const made = await server.call('GET', core('persistentvolumeclaims', 'unused'));
    expect(pluck(made, 'spec', 'resources', 'requests', 'storage')).toBe('2Gi');
    expect([namespaceOf(made), nameOf(made)]).toEqual([namespace, 'unused']);
    expect(await steps()).toEqual([]);
  });
});
