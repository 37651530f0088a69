import { App, Chart } from 'cdk8s';
import type { PodReaderProps } from '../../../components/pod-reader';
import { PodReader } from '../../../components/pod-reader';
import { find, inventory, newChart, problemsOf } from '../../support/synth';

const props: Required<PodReaderProps> = { namespace: 'shop', account: 'prometheus', labels: { team: 'blue' } };

test('an account of one namespace may look at the pods of another, and at nothing else there', () => {
  const chart = newChart('watch');
  new PodReader(chart, 'reader', props);
  const role = find(chart, 'rbac.authorization.k8s.io/v1/Role', 'prometheus-pod-reader');
  expect(role.metadata).toMatchObject({ namespace: 'shop', labels: { team: 'blue' } });
  expect(role.rules).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }]);
  const binding = find(chart, 'rbac.authorization.k8s.io/v1/RoleBinding', 'prometheus-pod-reader');
  expect(binding.metadata.namespace).toBe('shop');
  expect(binding.roleRef).toMatchObject({ kind: 'Role', name: 'prometheus-pod-reader' });
  expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name: 'prometheus', namespace: 'watch' }]);
});

test('labels are left out where none are given', () => {
  const chart = newChart('watch');
  new PodReader(chart, 'reader', { namespace: 'shop', account: 'prometheus' });
  expect(inventory(chart)).toEqual(['Role/prometheus-pod-reader', 'RoleBinding/prometheus-pod-reader']);
  expect(find(chart, 'rbac.authorization.k8s.io/v1/Role', 'prometheus-pod-reader').metadata.labels).toBeUndefined();
});

test.each<readonly [string, Partial<PodReaderProps>, string]>([
  ['a namespace that is none', { namespace: 'Shop_1' }, 'namespace must be an RFC 1123 label'],
  ['an account that is none', { account: 'Prometheus!' }, 'account must be an RFC 1123 subdomain'],
])('%s is refused', (_, change, expected) => {
  expect(problemsOf(() => new PodReader(newChart('watch'), 'reader', { ...props, ...change }))).toEqual([
    expect.stringContaining(expected),
  ]);
});

test('a chart without a namespace is refused, since the account would be in none', () => {
  const chart = new Chart(new App(), 'test');
  expect(problemsOf(() => new PodReader(chart, 'reader', props))).toEqual([
    'the chart needs a namespace, which the account is in',
  ]);
});
