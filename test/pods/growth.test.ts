import type { V1PersistentVolume, V1PersistentVolumeClaim, V1Pod, V1StatefulSet } from '@kubernetes/client-node';

import { root } from '../../local/paths';
import { Cluster, endCommands, info, until } from '../support/cluster';
import { inContainer } from '../cluster/support/exec';
import { imageOf } from '../cluster/support/images';
import { Engine } from '../support/engine';

jest.setTimeout(400_000);

const GROWTH = 'growth-test';
const core = (kind: string, name: string): string => `/api/v1/namespaces/${GROWTH}/${kind}/${name}`;

/** A database on each of the cluster's two classes; the numbers are gibibytes. */
const program = (image: string, grows: number, fixed: number): string => `
  require('${root}/local/register-typescript');
  const { App, Chart, Size } = require('cdk8s');
  const { ClusterRelease } = require('${root}/bridge');
  const { DatabaseEngine } = require('${root}/components/database-engine');
  const { NamespaceBaseline } = require('${root}/components/namespace-baseline');
  const { RemovalPolicy } = require('${root}/components/release-options');
  const { StatefulDatabase } = require('${root}/components/stateful-database');
  const { compute } = require('${root}/components/pod');
  const app = new App();
  const chart = new Chart(app, 'growth', { namespace: '${GROWTH}' });
  const baseline = new NamespaceBaseline(chart, 'baseline', {});
  const database = (name, storage, rest) => new StatefulDatabase(chart, name, {
    engine: DatabaseEngine.postgres('15', { image: '${image}' }), password: 'only-for-this-test', storage: Size.gibibytes(storage),
    resources: compute([50, 1000], [128, 256]), removalPolicy: RemovalPolicy.DESTROY, ...rest,
  }).node.addDependency(baseline);
  database('grows', ${grows});
  database('fixed', ${fixed}, { storageClass: 'local-path-fixed' });
  new ClusterRelease('release', { app, digestKey: pulumi.secret('0123456789abcdef0123456789abcdef') }, { provider });
`;

/** What a statement answers in the database's own pod. */
async function sql(pod: string, statement: string): Promise<string> {
  const script = 'PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") psql -h 127.0.0.1 -U app -d app -qAt -c "$0"';
  return inContainer({ namespace: GROWTH, pod, container: 'postgres' }, 'sh', '-c', script, statement);
}

describe('a database that runs out of disk', () => {
  let cluster: Cluster;
  let engine: Engine;
  let image: string;

  beforeAll(async () => {
    cluster = new Cluster();
    image = await imageOf(cluster, 'apps/v1/statefulsets/postgres');
    engine = await Engine.create({ kubeconfig: info().kubeconfig });
    engine.program(program(image, 1, 1));
    await engine.up();
  });
  afterAll(async () => {
    await engine?.run('destroy', '--yes', '--skip-preview');
    await engine?.dispose();
    await endCommands();
    await cluster.remove(`/api/v1/namespaces/${GROWTH}`);
  });

  const pod = async (): Promise<string | undefined> =>
    (await cluster.get<V1Pod>(core('pods', 'grows-0'))).metadata?.uid;
  const statefulSet = (): Promise<V1StatefulSet> =>
    cluster.get<V1StatefulSet>(`/apis/apps/v1/namespaces/${GROWTH}/statefulsets/grows`);
  const sizes = async (): Promise<readonly (string | undefined)[]> => {
    const claim = await cluster.get<V1PersistentVolumeClaim>(core('persistentvolumeclaims', 'data-grows-0'));
    const name = claim.spec?.volumeName ?? '';
    const volume = await cluster.get<V1PersistentVolume>(`/api/v1/persistentvolumes/${name}`);
    const template = (await statefulSet()).spec?.volumeClaimTemplates?.[0]?.spec?.resources;
    return [template?.requests, claim.status?.capacity, volume.spec?.capacity].map((one) => one?.['storage']);
  };
  const steps = async (): Promise<readonly string[]> =>
    (await engine.steps()).map(({ op, urn }) => `${op} ${urn.split('::').at(-1) ?? ''}`).sort();

  test('gets more by one edited number in one update; the pod runs on, and the row is there', async () => {
    await sql('grows-0', "create table kept (id int primary key, note text); insert into kept values (7, 'before')");
    const [before, set] = [await pod(), (await statefulSet()).metadata?.uid];
    expect(await sizes()).toEqual(['1Gi', '1Gi', '1Gi']);

    engine.program(program(image, 3, 1));
    expect(await steps()).toEqual([
      'replace growth/grows/StatefulSet',
      // The namespace's quota is derived from what it holds.
      'update growth/baseline/Quota',
      'update growth/grows/Data-0',
    ]);
    await engine.up();

    expect(await sizes()).toEqual(['3Gi', '3Gi', '3Gi']);
    expect(await pod()).toBe(before);
    expect((await statefulSet()).metadata?.uid).not.toBe(set);
    expect(await sql('grows-0', 'select note from kept where id = 7')).toBe('before');
    expect(await steps()).toEqual([]);
  });

  test.each([
    ['less than it has', 2, 1, 'growth/grows/Data-0: spec.resources.requests.storage must be at least 3Gi, got 2Gi'],
    ['more, of a class that gives none', 3, 2, 'growth/fixed/Data-0: spec.resources.requests.storage must stay 1Gi'],
  ])('is refused %s at preview, and nothing changes', async (_, grows, fixed, problem) => {
    const before = await pod();
    engine.program(program(image, grows, fixed));
    const preview = await engine.run('preview');
    expect(preview.code).not.toBe(0);
    expect(preview.output).toContain(problem);
    expect([await pod(), ...(await sizes())]).toEqual([before, '3Gi', '3Gi', '3Gi']);
  });

  test('starts again from the same volume after its pod was deleted', async () => {
    const before = await pod();
    await cluster.remove(core('pods', 'grows-0'));
    await until('another pod that answers', async () => {
      return (await pod()) !== before && (await sql('grows-0', 'select note from kept')) === 'before';
    });
    expect(await sizes()).toEqual(['3Gi', '3Gi', '3Gi']);
  });
});
