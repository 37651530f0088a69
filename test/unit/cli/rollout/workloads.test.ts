import { pick, workloadsOf } from '../../../../cli/rollout/workloads';
import { FakeAccess, workload } from './support';

const all = [
  workload(),
  workload({ kind: 'StatefulSet', name: 'postgres' }),
  workload({ kind: 'StatefulSet', name: 'postgres', namespace: 'noa-server-dev', system: 'noa-server' }),
];

test('a name is enough where only one workload has it', () => {
  expect(pick(all, 'noodle-runtime')).toBe(all[0]);
});

test('a system, by label or namespace, tells two of a name apart', () => {
  expect(pick(all, 'noa-server/postgres')).toBe(all[2]);
  expect(pick(all, 'noodle-core-dev/postgres')).toBe(all[1]);
});

test.each([
  ['postgres', 'say which, as noodle-core-dev/postgres or noa-server-dev/postgres'],
  [
    'shop/postgres',
    "no Deployment or StatefulSet 'shop/postgres'. There are: noodle-core-dev/postgres, noa-server-dev/postgres",
  ],
  ['web', 'There are: noodle-core-dev/noodle-runtime, noodle-core-dev/postgres, noa-server-dev/postgres'],
])('%s is refused with what there is', (wanted, message) => expect(() => pick(all, wanted)).toThrow(message));

test('the stack’s namespaces are searched, and no other', async () => {
  const apps = '/apis/apps/v1/namespaces';
  const labels = { 'app.kubernetes.io/part-of': 'noa-server' };
  const access = new FakeAccess({
    [`${apps}/noa-server-dev/deployments`]: [{ metadata: { name: 'ui', labels } }],
    [`${apps}/other/deployments`]: [{ metadata: { name: 'web' } }],
  });
  expect(await workloadsOf(access.site())).toMatchObject([
    {
      ...{ kind: 'Deployment', namespace: 'noa-server-dev', name: 'ui', system: 'noa-server' },
      path: `${apps}/noa-server-dev/deployments/ui`,
      keys: {
        source: 'noaServer.ui.source',
        replicas: 'noaServer.ui.minReplicas',
        ceiling: 'noaServer.ui.maxReplicas',
      },
    },
  ]);
});
