import type { V1Deployment, V1Secret, V2HorizontalPodAutoscaler } from '@kubernetes/client-node';

import { Cluster, endCommands, NAMESPACE, pulumi, until } from '../support/cluster';

jest.setTimeout(300_000);

const SECRET = `/api/v1/namespaces/${NAMESPACE}/secrets/noodle-runtime-secret`;
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/noodle-runtime`;
const SCALER = `/apis/autoscaling/v2/namespaces/${NAMESPACE}/horizontalpodautoscalers/noodle-runtime`;
const PART_OF = 'app.kubernetes.io/part-of';
/** What a hand puts into a Secret; no output may show it. */
const CANARY = 'canary-that-nobody-may-read';

describe('objects that were edited by hand', () => {
  let cluster: Cluster;
  let key: string;
  let restored = false;
  let podsBefore: readonly (string | undefined)[];
  const uids = async (): Promise<readonly (string | undefined)[]> =>
    (await cluster.pods()).map(({ metadata }) => metadata?.uid).sort();

  /** Nothing that was in the Secret, before or after the edit, as text or base64. */
  const hides = (output: string): void => {
    for (const value of [CANARY, key])
      for (const spelling of [value, Buffer.from(value).toString('base64')])
        expect(output.includes(spelling)).toBe(false);
  };

  beforeAll(async () => {
    cluster = new Cluster();
    await cluster.healthy();
    podsBefore = await uids();
    key = Buffer.from((await cluster.get<V1Secret>(SECRET)).data?.SECRET_KEY ?? '', 'base64').toString();
    expect(key.length).toBeGreaterThan(20);
    await cluster.edit(SECRET, { stringData: { SECRET_KEY: CANARY } });
    await cluster.edit(DEPLOYMENT, { metadata: { labels: { [PART_OF]: 'something-else' } } });
    await cluster.edit(SCALER, { spec: { maxReplicas: 3 } });
    await cluster.edit(DEPLOYMENT, { metadata: { labels: { 'example.com/cost-centre': '42' } } }, 'cost-operator');
  });
  afterAll(async () => {
    // Whatever a test found: the key that the pods were started with.
    if (!restored) await pulumi('up', '-s', 'dev', '--yes', '--refresh', '--skip-preview');
    await cluster.edit(DEPLOYMENT, { metadata: { labels: { 'example.com/cost-centre': null } } }, 'cost-operator');
    await endCommands();
  });

  test('a refresh shows what differs, a Secret without its values, and changes nothing', async () => {
    const { output } = await pulumi('refresh', '-s', 'dev', '--preview-only', '--diff');
    hides(output);
    expect(output).toMatch(/v1:Secret: \(update\)\s+\[id=noodle-core-dev\/noodle-runtime-secret\]/);
    expect(output).toMatch(/stringData: .*\[secret\]/s);
    expect(output).toContain(`~ ${PART_OF}: "noodle-core" => "something-else"`);
    expect(output).toMatch(/maxReplicas: 2 => 3/);
    expect(output).toContain('~ 3 to update');
    expect(output).not.toContain('cost-centre');
    expect((await cluster.get<V1Secret>(SECRET)).data?.SECRET_KEY).toBe(Buffer.from(CANARY).toString('base64'));
  });

  test('a preview that looks at the cluster shows what will be put back', async () => {
    const { output } = await pulumi('preview', '-s', 'dev', '--refresh', '--diff');
    hides(output);
    expect(output).toContain('~ SECRET_KEY: [secret] => [secret]');
    expect(output).toContain(`~ ${PART_OF}: "something-else" => "noodle-core"`);
    expect(output).toMatch(/maxReplicas: 3 => 2/);
    expect(output).toContain('~ 3 to update');
  });

  test('an update puts it back, leaves what belongs to others, and restarts no pod', async () => {
    const { output } = await pulumi('up', '-s', 'dev', '--yes', '--refresh', '--skip-preview', '--diff');
    hides(output);
    expect(output).toContain('~ 3 updated');
    const secret = await cluster.get<V1Secret>(SECRET);
    expect(secret.data?.SECRET_KEY === Buffer.from(key).toString('base64')).toBe(true);
    const { metadata } = await cluster.get<V1Deployment>(DEPLOYMENT);
    expect(metadata?.labels).toMatchObject({ [PART_OF]: 'noodle-core', 'example.com/cost-centre': '42' });
    expect((await cluster.get<V2HorizontalPodAutoscaler>(SCALER)).spec?.maxReplicas).toBe(2);
    expect(await uids()).toEqual(podsBefore);
  });

  test('nothing is left to do afterwards', async () => {
    const { output } = await pulumi('preview', '-s', 'dev', '--refresh', '--expect-no-changes');
    expect(output).toMatch(/\d+ unchanged/);
  });

  test('the number of replicas belongs to the autoscaler, whoever else sets it', async () => {
    await cluster.edit(`${DEPLOYMENT}/scale`, { spec: { replicas: 2 } }, 'kubectl');
    await until('a second pod', async () => (await cluster.pods('app.kubernetes.io/name=noodle-runtime')).length === 2);
    // Whether both are available yet, or the autoscaler has taken one away again, is no business of the update's.
    const { output } = await pulumi('up', '-s', 'dev', '--yes', '--refresh', '--skip-preview');
    expect(output).not.toMatch(/replicas: /);
    const { metadata, spec } = await cluster.get<V1Deployment>(DEPLOYMENT);
    expect(spec?.replicas).toBeGreaterThanOrEqual(1);
    const owners = (metadata?.managedFields ?? []).filter(({ fieldsV1 }) =>
      JSON.stringify(fieldsV1 ?? {}).includes('"f:replicas":{}'),
    );
    const names = owners.filter(({ subresource }) => subresource !== 'status').map(({ manager }) => manager);
    expect(names.filter((name) => name?.startsWith('pulumi'))).toEqual([]);
    expect(names).not.toEqual([]);
    await cluster.edit(`${DEPLOYMENT}/scale`, { spec: { replicas: 1 } }, 'kubectl');
    await cluster.healthy();
    restored = true;
  });
});
