import { changes, imagesOf, revisionsOf, target, type Revision } from '../../../../cli/rollout/revisions';
import { listed, revisionNumber } from '../../../../cli/verbs/rollback';
import { FakeAccess, NOW, template, workload } from './support';

const deployment = workload();
const set = (number: number, changed: object = {}, own: object = {}): object => ({
  metadata: {
    annotations: { 'deployment.kubernetes.io/revision': String(number) },
    creationTimestamp: new Date(NOW - (10 - number) * 600_000).toISOString(),
    ownerReferences: [{ kind: 'Deployment', uid: 'uid-noodle-runtime' }],
    ...own,
  },
  spec: {
    template: {
      ...template({ image: `r/app:${number}`, ...changed }),
      metadata: { labels: { app: 'x', 'pod-template-hash': `h${number}` } },
    },
  },
});
const sets = '/apis/apps/v1/namespaces/noodle-core-dev/replicasets';
const found = (...items: readonly object[]): Promise<readonly Revision[]> =>
  revisionsOf(new FakeAccess({ [sets]: items }).site(), deployment);

describe('the revisions of a Deployment', () => {
  test('are its ReplicaSets’ templates in order, as the Deployment had them, the last one current', async () => {
    const revisions = await found(set(10), set(2), set(9));
    expect(revisions.map(({ number, current }) => [number, current])).toEqual([
      [2, false],
      [9, false],
      [10, true],
    ]);
    expect(revisions[0]?.template.metadata?.labels).toEqual({ app: 'x' });
  });

  test('leave out those of others, and what is none', async () => {
    const others = { ownerReferences: [{ kind: 'Deployment', uid: 'another' }] };
    const none = set(4, {}, { annotations: {} });
    expect((await found(set(1), set(2, {}, others), none)).map(({ number }) => number)).toEqual([1]);
  });

  test('tell why they were rolled out: as written down, else in what they differ', async () => {
    const annotations = { 'deployment.kubernetes.io/revision': '3', 'kubernetes.io/change-cause': 'release 7' };
    const revisions = await found(set(1), set(2), set(3, {}, { annotations }));
    expect(revisions.map(({ cause }) => cause)).toEqual(['the oldest that is kept', 'image', 'release 7']);
  });
});

test('the revisions of a StatefulSet are its ControllerRevisions', async () => {
  const owned = { ownerReferences: [{ kind: 'StatefulSet', uid: 'uid-postgres' }] };
  const revision = (number: number): object => ({
    ...{ revision: number, metadata: { name: `postgres-${number}`, ...owned } },
    data: { spec: { template: { ...template({ image: `r/postgres:${number}` }), $patch: 'replace' } } },
  });
  const path = '/apis/apps/v1/namespaces/noodle-core-dev/controllerrevisions';
  const access = new FakeAccess({ [path]: [revision(2), revision(1)] });
  const revisions = await revisionsOf(access.site(), workload({ kind: 'StatefulSet', name: 'postgres' }));
  expect(revisions.map(({ number, current, cause }) => [number, current, cause])).toEqual([
    [1, false, 'the oldest that is kept'],
    [2, true, 'image'],
  ]);
  expect(revisions[0]?.template).toEqual(template({ image: 'r/postgres:1' }));
});

describe('what changed', () => {
  const secret = 'hunter2-hunter2';
  test.each([
    ['image', template({ image: 'r/app:2' }), 'image'],
    ['variables, by name alone', template({ env: [{ name: 'KEY', value: secret }] }), 'env KEY'],
    ['a pod’s own field', { ...template(), spec: { ...template().spec, hostNetwork: true } as never }, 'hostNetwork'],
    ['a container', { spec: { containers: [] } }, 'container app gone'],
    ['a restart', template({}, { 'kubectl.kubernetes.io/restartedAt': 'now' }), 'restart'],
    ['what is read', template({}, { 'trellis.dev/reads': 'abc' }), 'what it reads from ConfigMaps and Secrets'],
    ['another annotation', template({}, { 'shop/x': secret }), 'annotation shop/x'],
    ['nothing that counts', template(), 'labels'],
  ])('is told: %s', (_, after, expected) => {
    expect(changes(template(), after)).toBe(expected);
    expect(changes(template(), after)).not.toContain(secret);
  });
});

describe('the target', () => {
  const revisions = [1, 4, 5].map((number) => ({
    ...{ number, template: template(), created: undefined, cause: '', current: number === 5 },
  }));

  test('is the one before the current, or the one that was asked for', () => {
    expect(target(deployment, revisions, undefined).number).toBe(4);
    expect(target(deployment, revisions, 1).number).toBe(1);
  });

  test.each([
    [3, 'has no revision 3. There are: 1, 4, 5.'],
    [5, 'is at revision 5 already. There are: 1, 4, 5.'],
  ])('is refused: %d', (number, message) => expect(() => target(deployment, revisions, number)).toThrow(message));

  test('is refused where only the current one is kept', () => {
    expect(() => target(deployment, revisions.slice(2), undefined)).toThrow('no revision to go back to');
  });
});

test('a list shows number, age, image and cause, newest first', async () => {
  const text = listed(deployment, await found(set(1), set(2, { image: `r/app@sha256:${'ab'.repeat(32)}` })), NOW);
  expect(text.split('\n').map((line) => line.trim())).toEqual([
    'Revisions of Deployment noodle-core-dev/noodle-runtime (→ is the current one)',
    '→  2  80m  r/app@abababababab  image',
    '1  90m  r/app:1             the oldest that is kept',
    '',
  ]);
  expect(text).not.toContain('\t');
});

test('several containers are told with all their images', () => {
  expect(
    imagesOf({
      spec: {
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
    }),
  ).toBe('x, y');
});

test.each(['0', '-1', '1.5', 'last', ''])('%j is no revision', (text) =>
  expect(() => revisionNumber(text)).toThrow('A revision is a whole number'),
);
