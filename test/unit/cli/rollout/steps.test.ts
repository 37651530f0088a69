import { afterRollback } from '../../../../cli/rollout/drift';
import type { Revision } from '../../../../cli/rollout/revisions';
import { putBack, restart, rolloutStep } from '../../../../cli/rollout/steps';
import { BESIDE, BY_HAND } from '../../../../cli/rollout/workloads';
import { FakeAccess, NOW, template, workload } from './support';

const revision = (number: number, changed: object = {}): Revision => ({
  ...{ number, template: template(changed), created: undefined, cause: '', current: false },
});
const ui = { report: () => undefined, progress: () => undefined };

test('a template is put back as a whole, with a note of why, as a person’s edit', async () => {
  const access = new FakeAccess();
  await putBack(access.site(), workload(), revision(3));
  expect(access.patches).toEqual([
    {
      ...{ path: workload().path, type: 'json', manager: BY_HAND },
      body: [
        { op: 'add', path: '/metadata/annotations/kubernetes.io~1change-cause', value: 'rolled back to revision 3' },
        { op: 'replace', path: '/spec/template', value: template() },
      ],
    },
  ]);
});

test('an object without annotations gets some first', async () => {
  const access = new FakeAccess();
  const bare = workload();
  delete bare.live.metadata?.annotations;
  await putBack(access.site(), bare, revision(3));
  expect(access.patches[0]?.body).toContainEqual({ op: 'add', path: '/metadata/annotations', value: {} });
});

test('a restart is nobody’s edit: an update leaves it, and the pods run on', async () => {
  const access = new FakeAccess();
  await restart(access.site(), workload(), new Date(NOW));
  expect(access.patches).toEqual([
    {
      ...{ path: workload().path, manager: BESIDE },
      body: {
        spec: {
          template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-02T00:00:00.000Z' } } },
        },
      },
    },
  ]);
  expect(BESIDE).not.toMatch(/^(kubectl|pulumi)/);
});

test('a roll-out is waited for, with the answer of the change', async () => {
  const deployment = workload();
  const access = new FakeAccess({ [deployment.path]: deployment.live });
  const change = { metadata: { generation: 4 } };
  const step = rolloutStep(access.site(), deployment, 'Restart', () => Promise.resolve(change));
  expect(step.title).toBe('Restart noodle-core-dev/noodle-runtime');
  expect(await step.run(ui)).toBe('2 pods Ready');
  expect(access.waited).toEqual([change]);
  expect(access.removed).toEqual([]);
});

test('pods of a StatefulSet that never became Ready are ended, since its controller would wait for them', async () => {
  const postgres = workload({ kind: 'StatefulSet', name: 'postgres' });
  const pods = '/api/v1/namespaces/noodle-core-dev/pods';
  const pod = (name: string, hash: string, status: 'True' | 'False', own: object = {}): object => ({
    metadata: { name, uid: `uid-${name}`, labels: { 'controller-revision-hash': hash }, ...own },
    status: { conditions: [{ type: 'Ready', status }] },
  });
  const all = [
    pod('broken', 'postgres-1', 'False'),
    pod('well', 'postgres-1', 'True'),
    pod('starting', 'postgres-2', 'False'),
    pod('leaving', 'postgres-1', 'False', { deletionTimestamp: 'now' }),
  ];
  const access = new FakeAccess({ [postgres.path]: postgres.live, [pods]: all });
  const said: string[] = [];
  const step = rolloutStep(access.site(), postgres, 'Roll back', () =>
    Promise.resolve({ metadata: { generation: 4 } }),
  );
  await step.run({ ...ui, report: (line) => said.push(line) });
  expect(access.removed).toEqual([`${pods}/broken`]);
  expect(said).toEqual([expect.stringContaining('1 pods that were not Ready are ended')]);
});

describe('after a roll-back', () => {
  const site = new FakeAccess().site('prod');

  test('of an image, the key that makes it last is told with the whole reference', () => {
    const digest = `r/app@sha256:${'ab'.repeat(32)}`;
    const text = afterRollback(site, workload(), revision(4), revision(3, { image: digest }));
    expect(text).toContain('has the template of revision 3 again: r/app@abababababab');
    expect(text).toContain(`  pulumi config set --path trellis:noodleCore.runtime.source image:${digest} -s prod\n`);
    expect(text).toContain('./trellis up --refresh -s prod does so at once');
  });

  test('of anything else, what differs is told', () => {
    const text = afterRollback(site, workload(), revision(4, { env: [{ name: 'A', value: 'x' }] }), revision(3));
    expect(text).toContain('undo in the definition what differs: env A.');
    expect(text).not.toContain('config set');
  });

  test('of what no configuration makes, no key is told', () => {
    const text = afterRollback(site, workload({ name: 'by-hand' }), revision(4, { image: 'b' }), revision(3));
    expect(text).toContain('undo in the definition what differs: image.');
  });
});
