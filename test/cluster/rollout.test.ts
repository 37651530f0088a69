import type { V1Deployment, V1Pod, V2HorizontalPodAutoscaler } from '@kubernetes/client-node';

import { Cluster, endCommands, info, NAMESPACE, startTrellis, trellis, until } from '../support/cluster';
import { Traffic } from './support/traffic';

jest.setTimeout(300_000);

const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/noodle-runtime`;
const SCALER = `/apis/autoscaling/v2/namespaces/${NAMESPACE}/horizontalpodautoscalers/noodle-runtime`;
const SOURCE = 'noodleCore.runtime.source';

describe('a roll-out on the local cluster', () => {
  let cluster: Cluster;
  let bad: string;
  let good: string | undefined;
  let deadline: number | undefined;
  let traffic: Traffic;
  let restored = false;
  let before: readonly (string | undefined)[];
  const pods = (name: string): Promise<readonly V1Pod[]> => cluster.pods(`app.kubernetes.io/name=${name}`);
  const uids = async (name: string): Promise<readonly (string | undefined)[]> =>
    (await pods(name)).map(({ metadata }) => metadata?.uid).sort();
  /** Of a service whose number of pods is fixed: no autoscaler has to measure the new ones. */
  const uiPods = async (): Promise<readonly (string | undefined)[]> => {
    const all = await cluster.list<V1Pod>(
      '/api/v1/namespaces/noa-server-dev/pods?labelSelector=app.kubernetes.io%2Fname%3Dui',
    );
    return all.filter(({ metadata }) => metadata?.deletionTimestamp === undefined).map(({ metadata }) => metadata?.uid);
  };
  const deployment = (): Promise<V1Deployment> => cluster.get<V1Deployment>(DEPLOYMENT);
  const imageOf = ({ spec }: V1Deployment): string | undefined => spec?.template.spec?.containers[0]?.image;

  beforeAll(async () => {
    cluster = new Cluster();
    await cluster.healthy();
    bad = `${info().registry}/trellis/no-such-image:1`;
    const { spec } = await deployment();
    [good, deadline] = [spec?.template.spec?.containers[0]?.image, spec?.progressDeadlineSeconds];
    before = await uids('noodle-runtime');
    traffic = new Traffic('/health');
  });
  afterAll(async () => {
    await traffic?.end();
    await endCommands();
    // Whatever a test found: what the definition says.
    if (!restored) await trellis('up', '--refresh');
    await cluster.edit(`${DEPLOYMENT}/scale`, { spec: { replicas: 1 } }, 'kubectl');
    await cluster.healthy();
  });

  test('of an image that can’t be pulled is stopped by the progress deadline, in the pod’s own words', async () => {
    const { exited } = startTrellis(['up', '--set', `${SOURCE}=image:${bad}`]);
    await until('the pull has failed', async () =>
      (await pods('noodle-runtime')).some(({ status }) =>
        status?.containerStatuses?.some(({ state }) =>
          /ErrImagePull|ImagePullBackOff/.test(state?.waiting?.reason ?? ''),
        ),
      ),
    );
    // The deadline itself is what stops it; its four minutes are not waited for.
    await cluster.edit(DEPLOYMENT, { spec: { progressDeadlineSeconds: 6 } });
    const { code, output } = await exited;
    await cluster.edit(DEPLOYMENT, { spec: { progressDeadlineSeconds: deadline } });
    expect(code).toBe(1);
    expect(output).toContain('ProgressDeadlineExceeded');
    expect(output).toMatch(
      new RegExp(
        `pod noodle-runtime-\\S+, container noodle-runtime: image ${bad} can't be pulled \\(\\w+\\): .*not found`,
      ),
    );
  });

  test('can be listed, with image and cause', async () => {
    const { stdout } = await trellis('rollback', 'noodle-runtime', '--list');
    expect(stdout).toMatch(new RegExp(`→ +\\d+ +\\S+ +${bad} +image`));
    expect(stdout).toContain(good?.replace(/@sha256:(.{12}).*/, '@$1'));
  });

  test('is undone by one command, and the pods that served all the time go on', async () => {
    const { stdout } = await trellis('rollback', 'noodle-runtime');
    expect(stdout).toContain(`pulumi config set --path trellis:${SOURCE} image:${good} -s dev`);
    expect(stdout).toContain('./trellis up --refresh does so at once');
    expect(imageOf(await deployment())).toBe(good);
    expect(await uids('noodle-runtime')).toEqual(before);
  });

  test('lost no request, from the bad image to the roll-back', async () => {
    await traffic.end();
    expect(traffic.failed).toEqual([]);
    expect(traffic.sent).toBeGreaterThan(30);
  });

  test('of the same template replaces each pod: a restart', async () => {
    const ui = await uiPods();
    await trellis('restart', 'noa-server/ui');
    const now = await uiPods();
    expect(now).toHaveLength(ui.length);
    expect(now.filter((uid) => ui.includes(uid))).toEqual([]);
  });

  test('of another number of pods is the autoscaler’s minimum, until an update puts it back', async () => {
    const { stdout } = await trellis('scale', 'noodle-runtime', '2');
    expect(stdout).toContain('belongs to its autoscaler: it keeps 2 to 2 now, before 1 to 2');
    expect(stdout).toContain('trellis:noodleCore.runtime.minReplicas in Pulumi.dev.yaml');
    expect((await deployment()).status?.readyReplicas).toBe(2);
    expect((await cluster.get<V2HorizontalPodAutoscaler>(SCALER)).spec?.minReplicas).toBe(2);
  });

  test('is verified from outside, a line for each check', async () => {
    const { stdout } = await trellis('verify', '--wait', '2');
    expect(stdout).not.toContain('✖');
    expect(stdout).toMatch(/✔ pods: all \d+ Ready/);
    expect(stdout).toMatch(
      /✔ https:\/\/noodle\.trellis\.localhost\S*\/ready: 200, certificate of noodle\.trellis\.localhost/,
    );
    expect(stdout).toMatch(/✔ http:\/\/noodle\.trellis\.localhost\S*\/ready: 30[18] to https:/);
    for (const store of ['postgres', 'redis'])
      expect(stdout).toContain(`✔ ${store}, asked by noodle.trellis.localhost: up`);
    expect(stdout).toMatch(/✔ autoscaler noodle-core-dev\/noodle-runtime: reads cpu \d+ %/);
    expect(stdout).toMatch(/✔ jobs: /);
    expect(stdout).toMatch(/\n\d+ checks\n$/);
  });

  test('and what was done by hand is put back by an update, without a new pod', async () => {
    const [runtime, ui] = [await uids('noodle-runtime'), await uiPods()];
    const { output } = await trellis('up', '--refresh');
    restored = true;
    expect(output).toMatch(/✔ Verify dev .*: \d+ checks/);
    const live = await deployment();
    expect(imageOf(live)).toBe(good);
    expect(live.spec?.progressDeadlineSeconds).toBe(deadline);
    expect((await cluster.get<V2HorizontalPodAutoscaler>(SCALER)).spec?.minReplicas).toBe(1);
    expect(await uiPods()).toEqual(ui);
    expect(runtime).toEqual(expect.arrayContaining((await uids('noodle-runtime')) as string[]));
  });
});
