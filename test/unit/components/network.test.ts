import { podsPeer, WorkloadPolicy } from '../../../components/network';
import { find, newChart } from '../../support/synth';

const labels = { 'app.kubernetes.io/name': 'api' };
const build = () => {
  const chart = newChart('shop');
  const policy = new WorkloadPolicy(chart, 'api', labels);
  return { chart, policy, spec: () => find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'api').spec };
};
const peer = (name: string) => ({ podSelector: { matchLabels: { name } } });

test('nothing comes in, and DNS alone goes out', () => {
  const { spec } = build();
  // An empty list would mean the same, but the API server drops it: each apply would be a change.
  expect(spec()).not.toHaveProperty('ingress');
  expect(spec()).toMatchObject({
    podSelector: { matchLabels: labels },
    policyTypes: ['Ingress', 'Egress'],
    egress: [
      {
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      },
    ],
  });
  expect(spec().egress?.[0]?.to).toEqual([
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    },
  ]);
});

test('edges of one port share a rule, and each peer is in it once', () => {
  const { policy, spec } = build();
  for (const name of ['a', 'b', 'a']) policy.allowFrom(peer(name), 80);
  policy.allowFrom(peer('a'), 9090);
  expect(spec().ingress).toEqual([
    { from: [peer('a'), peer('b')], ports: [{ protocol: 'TCP', port: 80 }] },
    { from: [peer('a')], ports: [{ protocol: 'TCP', port: 9090 }] },
  ]);
});

test('an edge out does not open a way in', () => {
  const { policy, spec } = build();
  policy.allowTo(peer('db'), 5432);
  expect(spec().ingress).toBeUndefined();
  expect(spec().egress?.slice(1)).toEqual([{ to: [peer('db')], ports: [{ protocol: 'TCP', port: 5432 }] }]);
});

test('an edge added after a synth is in the next one', () => {
  const { policy, spec } = build();
  expect(spec().ingress).toBeUndefined();
  policy.allowFrom(peer('late'), 80);
  expect(spec().ingress).toHaveLength(1);
});

test('a peer names its namespace, so that equal labels elsewhere do not match', () => {
  expect(podsPeer(newChart('shop'), labels)).toEqual({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
    podSelector: { matchLabels: labels },
  });
  expect(podsPeer(newChart(), labels)).toEqual({ podSelector: { matchLabels: labels } });
});
