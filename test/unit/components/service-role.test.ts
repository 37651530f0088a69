import { App } from 'cdk8s';
import { render } from '../../../bridge/render';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { Canary } from '../../../components/canary';
import type { ServiceRoleOptions } from '../../../components/service-role';
import { AccessRule, ServiceRole, Verb } from '../../../components/service-role';
import { IMAGE, all, find, freshChart, podOf, problemsOf } from '../../support/service-props';

describe('a service with a role', () => {
  const chart = freshChart();
  const role = ServiceRole.of(
    [
      AccessRule.read({ resources: ['configmaps'] }),
      AccessRule.allow([Verb.GET, Verb.PATCH], { group: 'apps', resources: ['deployments/scale'], names: ['worker'] }),
    ],
    { apiServer: ['198.51.100.7/32'], ports: [6443] },
  );
  new AutoscaledService(chart, 'api', {
    image: IMAGE,
    labels: { team: 'blue' },
    role,
    canary: Canary.ofImage(IMAGE, { weight: 5 }),
  });

  test('has exactly the rights that were named, bound to its own account', () => {
    expect(find(chart, 'rbac.authorization.k8s.io/v1/Role', 'api').rules).toEqual([
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['apps'], resources: ['deployments/scale'], verbs: ['get', 'patch'], resourceNames: ['worker'] },
    ]);
    const binding = find(chart, 'rbac.authorization.k8s.io/v1/RoleBinding', 'api');
    expect(binding.roleRef).toEqual({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'api' });
    expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name: 'api', namespace: 'shop' }]);
    expect(binding.metadata.labels).toEqual({ 'app.kubernetes.io/name': 'api', team: 'blue' });
  });

  test('gets a token into its pods, not into everything that runs as its account', () => {
    expect(podOf(chart, 'api').automountServiceAccountToken).toBe(true);
    expect(podOf(chart, 'api-canary').automountServiceAccountToken).toBe(true);
    expect(find(chart, 'v1/ServiceAccount').automountServiceAccountToken).toBe(false);
  });

  test('reaches the API server and nothing else there', () => {
    expect(find(chart, 'networking.k8s.io/v1/NetworkPolicy').spec.egress?.slice(1)).toEqual([
      { to: [{ ipBlock: { cidr: '198.51.100.7/32' } }], ports: [{ protocol: 'TCP', port: 6443 }] },
    ]);
  });

  test('starts with its rights', () => {
    const deployment = render(App.of(chart)).find(({ path }) => path === 'chart-shop/api/Deployment');
    expect(deployment?.dependsOn).toContain('chart-shop/api/RoleBinding');
  });
});

test('without an address the ports alone are open', () => {
  const chart = freshChart();
  const role = ServiceRole.of([AccessRule.read({ resources: ['pods'] })]);
  new AutoscaledService(chart, 'api', { image: IMAGE, role });
  const anywhere = [{ ipBlock: { cidr: '0.0.0.0/0' } }, { ipBlock: { cidr: '::/0' } }];
  expect(find(chart, 'networking.k8s.io/v1/NetworkPolicy').spec.egress?.slice(1)).toEqual([
    { to: anywhere, ports: [{ protocol: 'TCP', port: 443 }] },
    { to: anywhere, ports: [{ protocol: 'TCP', port: 6443 }] },
  ]);
});

test('a service without a role has neither token nor rights', () => {
  const chart = freshChart();
  new AutoscaledService(chart, 'api', { image: IMAGE });
  expect(podOf(chart).automountServiceAccountToken).toBe(false);
  expect(all(chart, 'rbac.authorization.k8s.io/v1/Role')).toEqual([]);
});

describe('refused is', () => {
  const problems = (rules: readonly AccessRule[], options: ServiceRoleOptions = {}): readonly string[] =>
    problemsOf(
      () => new AutoscaledService(freshChart(), 'api', { image: IMAGE, role: ServiceRole.of(rules, options) }),
    );
  const reading = (...resources: readonly string[]) => [AccessRule.read({ resources })];
  const good = reading('configmaps');

  test.each<readonly [string, readonly string[], string]>([
    ['no rule', problems([]), 'role: it names at least one rule'],
    ['no resource', problems(reading()), 'role: a rule names at least one resource'],
    [
      'no verb',
      problems([AccessRule.allow([], { resources: ['pods'] })]),
      'role: pods: a rule names at least one verb',
    ],
    ['a wildcard', problems(reading('*')), "role: '*' is refused: a wildcard takes in Secrets"],
    ['a shell', problems(reading('pods/exec')), "role: 'pods/exec' is refused: it is a shell in every pod"],
    ['a kind', problems(reading('ConfigMap')), "role: 'ConfigMap' is not a plural name"],
    ['all Secrets', problems(reading('secrets')), 'role: secrets may be read one by one only: Verb.GET with names'],
    [
      'a list of named Secrets',
      problems([AccessRule.read({ resources: ['secrets'], names: ['a'] })]),
      'role: secrets may be read one by one only',
    ],
    ['rights over rights', problems(reading('rolebindings')), 'who binds roles gives rights to itself'],
    [
      'pods of any account',
      problems([AccessRule.allow([Verb.CREATE], { group: 'batch', resources: ['jobs'] })]),
      'role: writing jobs is refused: pods made that way may run as any account',
    ],
    [
      'a name that is not there yet',
      problems([AccessRule.allow([Verb.CREATE], { resources: ['configmaps'], names: ['a'] })]),
      'role: configmaps: create holds for no names',
    ],
    [
      'an empty list of names',
      problems([AccessRule.read({ resources: ['configmaps'], names: [] })]),
      'role: configmaps: without a name the rule would hold for every object',
    ],
    ['a bad group', problems([AccessRule.read({ group: 'Apps', resources: ['x'] })]), 'role: x: the group must be'],
    ['a bad name', problems([AccessRule.read({ resources: ['x'], names: ['A b'] })]), 'role: x: the name must be'],
    ['a bad range', problems(good, { apiServer: ['10.0.0.1'] }), "role: '10.0.0.1' is not a range of addresses"],
    ['a bad port', problems(good, { ports: [0] }), 'role: the port must be a whole number from 1 to 65535, got 0'],
  ])('%s', (_, found, expected) => {
    expect(found).toEqual([expect.stringContaining(expected)]);
  });

  test('one named Secret and the deletion of pods are not', () => {
    expect(problems([AccessRule.allow([Verb.GET], { resources: ['secrets'], names: ['a'] })])).toEqual([]);
    expect(problems([AccessRule.allow([Verb.DELETE], { resources: ['pods'] })])).toEqual([]);
  });
});
