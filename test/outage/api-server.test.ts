import { clusterSteps, resolveProgram, silent, state } from '../../local/index';
import { isAlive, readRecord } from '../../local/process';
import { Cluster, info, until } from '../support/cluster';
import { Engine } from '../support/engine';

jest.setTimeout(400_000);

describe('an API server that is killed in the middle of an update', () => {
  let cluster: Cluster;
  let engine: Engine;
  const namespace = 'trellis-test-outage';

  beforeAll(async () => {
    cluster = new Cluster();
    engine = await Engine.create({ kubeconfig: info().kubeconfig });
  });
  afterAll(async () => {
    await engine?.dispose();
    await cluster.remove(`/api/v1/namespaces/${namespace}`);
  });

  test('is started again by the cluster’s own step, and the update finishes', async () => {
    engine.program(`
      const space = new k8s.core.v1.Namespace('space', { metadata: { name: '${namespace}' } }, opts);
      let last = space;
      for (let i = 0; i < 30; i++)
        last = new k8s.core.v1.ConfigMap('map-' + i, { metadata: { name: 'map-' + i, namespace: '${namespace}' } }, { ...opts, dependsOn: [last] });
    `);
    const { exited } = engine.start(['up', '--yes', '--skip-preview']);
    await until('some objects', () => cluster.find(`/api/v1/namespaces/${namespace}/configmaps/map-3`));
    const server = readRecord(state('cluster', 'run', 'kube-apiserver.json'));
    if (server === undefined) throw new RangeError('the API server has no record');
    process.kill(server.pid, 'SIGKILL');
    await until('the end of the API server', () => !isAlive(server), 10);
    const step = clusterSteps({ resolve: resolveProgram() }).find(({ title }) => title === 'etcd and API server');
    expect(step).toBeDefined();
    await step?.run(silent);

    const { code, output } = await exited;
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('+ 33 created') as string });
    expect(await engine.steps()).toEqual([]);
    await engine.ok('destroy', '--yes', '--skip-preview');
    await cluster.healthy();
  });
});
