import type { NamespaceAccessProps } from '../../../components/namespace-access';
import { NamespaceAccess } from '../../../components/namespace-access';
import { all, find, freshChart, problemsOf } from '../../support/service-props';

const ROLE = 'rbac.authorization.k8s.io/v1/Role';
const BINDING = 'rbac.authorization.k8s.io/v1/RoleBinding';

describe('roles for people', () => {
  const chart = freshChart();
  const props: Required<NamespaceAccessProps> = { viewers: ['shop-team', 'support'], operators: ['shop-duty'] };
  const access = new NamespaceAccess(chart, 'access', props);
  const may = (role: string): readonly (readonly [string, string])[] =>
    find(chart, ROLE, role).rules.flatMap(({ resources = [], verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => [verb, resource] as const)),
    );

  test('are bound to the groups that were named', () => {
    expect(access).toMatchObject(props);
    for (const [name, groups] of [
      ['viewer', ['shop-team', 'support']],
      ['operator', ['shop-duty']],
    ] as const) {
      const { roleRef, subjects } = find(chart, BINDING, name);
      expect(roleRef).toEqual({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name });
      expect(subjects).toEqual(
        groups.map((group) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group })),
      );
    }
  });

  test('let viewers look, and change nothing', () => {
    expect(new Set(may('viewer').map(([verb]) => verb))).toEqual(new Set(['get', 'list', 'watch']));
    expect(may('viewer')).toEqual(expect.arrayContaining([['get', 'pods/log']]));
  });

  test('let operators scale and have pods made anew', () => {
    const changes = may('operator').filter(([verb]) => !['get', 'list', 'watch'].includes(verb));
    expect(changes).toEqual([
      ['delete', 'pods'],
      ['create', 'pods/eviction'],
      ...['deployments/scale', 'statefulsets/scale'].flatMap((scale) => [
        ['patch', scale],
        ['update', scale],
      ]),
    ]);
  });

  test('name every resource, and neither Secrets nor a shell', () => {
    for (const role of ['viewer', 'operator']) {
      for (const { apiGroups = [], resources = [], verbs } of find(chart, ROLE, role).rules) {
        expect([...apiGroups, ...resources, ...verbs]).not.toContain('*');
        for (const closed of ['secrets', 'pods/exec', 'pods/attach', 'pods/portforward', 'pods/ephemeralcontainers'])
          expect(resources).not.toContain(closed);
      }
    }
  });
});

test('without groups there is no role', () => {
  const chart = freshChart();
  expect(new NamespaceAccess(chart, 'access')).toMatchObject({ viewers: [], operators: [] });
  expect([...all(chart, ROLE), ...all(chart, BINDING)]).toEqual([]);
});

test.each<readonly [string, NamespaceAccessProps, string]>([
  ['an empty group', { viewers: [''] }, "viewers: '' is not the name of a group"],
  ['a group with a blank', { operators: ['a b'] }, "operators: 'a b' is not the name of a group"],
  ['a group of the cluster', { viewers: ['system:masters'] }, "viewers: 'system:masters' belongs to the cluster"],
  ['a group that is there twice', { viewers: ['a', 'a'] }, "viewers names 'a' twice"],
])('%s is refused', (_title, props, problem) => {
  const found = problemsOf(() => new NamespaceAccess(freshChart(), 'access', props));
  expect(found).toEqual([expect.stringContaining(problem)]);
});
