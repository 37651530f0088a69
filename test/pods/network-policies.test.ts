import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { V1LabelSelector, V1NetworkPolicyPeer, V1NetworkPolicySpec, V1Node, V1Pod } from '@kubernetes/client-node';

import { Cluster, isReady, until } from '../support/cluster';
import { hostAddress, openFromNode, PodNetwork, runInNode } from '../cluster/support/network';

jest.setTimeout(240_000);

/** Two namespaces; the second one has the label `team: b` too. */
const A = 'network-policies-a';
const B = 'network-policies-b';
/** Ports on which each pod listens; the first has the name `web`. */
const [WEB, OTHER] = [8080, 8081] as const;

type Client = 'friend' | 'stranger' | 'outside';
/** Where each client is: two beside the server, one in the other namespace with the same labels as the friend. */
const CLIENTS: Readonly<Record<Client, { readonly namespace: string; readonly labels: Record<string, string> }>> = {
  friend: { namespace: A, labels: { role: 'friend' } },
  stranger: { namespace: A, labels: { role: 'stranger' } },
  outside: { namespace: B, labels: { role: 'friend' } },
};
const SERVER = { namespace: A, labels: { role: 'server' } };

const role = (name: string): V1LabelSelector => ({ matchLabels: { role: name } });
const team = (name: string): V1LabelSelector => ({ matchLabels: { team: name } });

/** Kubernetes calls the field `from`, which the generated type can't. */
type Ingress = { readonly from?: V1NetworkPolicyPeer[]; readonly ports?: object[] };
type Spec = Omit<V1NetworkPolicySpec, 'ingress'> & { readonly ingress?: Ingress[] };
const ingress = (...rules: Ingress[]): Spec => ({
  podSelector: role('server'),
  policyTypes: ['Ingress'],
  ingress: rules,
});
const egress = (...rules: object[]): Spec => ({ podSelector: role('friend'), policyTypes: ['Egress'], egress: rules });

/** Who reaches the server: at its port `web`, at the other one. */
type Reach = Readonly<Record<Client, readonly [web: boolean, other: boolean]>>;
const ALL: Reach = { friend: [true, true], stranger: [true, true], outside: [true, true] };
const NONE: Reach = { friend: [false, false], stranger: [false, false], outside: [false, false] };
const only = (...clients: Client[]): Reach => ({
  ...NONE,
  ...Object.fromEntries(clients.map((c) => [c, [true, true]])),
});
const onlyWeb = (...clients: Client[]): Reach => ({
  ...NONE,
  ...Object.fromEntries(clients.map((c) => [c, [true, false]])),
});

const TCP = { protocol: 'TCP' } as const;

/** Each row is a sentence of the NetworkPolicy API's documentation. */
const CASES: readonly (readonly [
  title: string,
  policies: readonly Spec[] | ((server: string, friend: string) => readonly Spec[]),
  reach: Reach,
])[] = [
  ['without a policy a pod accepts everything', [], ALL],
  ['a policy that selects the pod and allows nothing isolates it', [ingress()], NONE],
  ['an empty rule allows all sources', [ingress({})], ALL],
  ['a policy that selects another pod changes nothing', [{ ...ingress(), podSelector: role('nobody') }], ALL],
  ['an empty pod selector selects every pod of the namespace', [{ ...ingress(), podSelector: {} }], NONE],
  [
    'a pod selector alone means pods of the policy’s own namespace',
    [ingress({ from: [{ podSelector: role('friend') }] })],
    only('friend'),
  ],
  [
    'an empty pod selector as source means every pod of the namespace',
    [ingress({ from: [{ podSelector: {} }] })],
    only('friend', 'stranger'),
  ],
  [
    'a namespace selector means every pod of those namespaces',
    [ingress({ from: [{ namespaceSelector: team('b') }] })],
    only('outside'),
  ],
  ['an empty namespace selector means every namespace', [ingress({ from: [{ namespaceSelector: {} }] })], ALL],
  [
    'both selectors in one entry must hold',
    [ingress({ from: [{ namespaceSelector: team('b'), podSelector: role('stranger') }] })],
    NONE,
  ],
  [
    'two entries add up',
    [ingress({ from: [{ namespaceSelector: team('b') }, { podSelector: role('stranger') }] })],
    only('outside', 'stranger'),
  ],
  [
    'policies add up',
    [ingress({ from: [{ podSelector: role('friend') }] }), ingress({ from: [{ namespaceSelector: team('b') }] })],
    only('friend', 'outside'),
  ],
  [
    'a port limits what is allowed',
    [ingress({ ports: [{ ...TCP, port: WEB }] })],
    onlyWeb('friend', 'stranger', 'outside'),
  ],
  ['a port may be named', [ingress({ ports: [{ ...TCP, port: 'web' }] })], onlyWeb('friend', 'stranger', 'outside')],
  [
    'endPort makes a range',
    [ingress({ from: [{ podSelector: role('friend') }], ports: [{ ...TCP, port: WEB, endPort: OTHER }] })],
    only('friend'),
  ],
  ['a rule for UDP allows no TCP', [ingress({ ports: [{ protocol: 'UDP', port: WEB }] })], NONE],
  [
    'sources and ports of one rule must both hold',
    [ingress({ from: [{ podSelector: role('friend') }], ports: [{ ...TCP, port: WEB }] })],
    onlyWeb('friend'),
  ],
  [
    'an address block allows its addresses, except those that it leaves out',
    (_, friend) => [ingress({ from: [{ ipBlock: { cidr: '10.244.0.0/16', except: [`${friend}/32`] } }] })],
    only('stranger', 'outside'),
  ],
  [
    'matchExpressions select as in every selector',
    [
      ingress({
        from: [
          { podSelector: { matchExpressions: [{ key: 'role', operator: 'NotIn', values: ['friend', 'server'] }] } },
        ],
      }),
    ],
    only('stranger'),
  ],
  ['egress that allows nothing holds the client back, and nobody else', [egress()], only('stranger', 'outside')],
  [
    'egress to pods allows just these',
    [egress({ to: [{ podSelector: role('server') }], ports: [{ ...TCP, port: OTHER }] })],
    { ...only('stranger', 'outside'), friend: [false, true] },
  ],
  ['egress to an address block', (server) => [egress({ to: [{ ipBlock: { cidr: `${server}/32` } }] })], ALL],
  [
    'ingress of one side does not open the egress of the other',
    [egress(), ingress({ from: [{ podSelector: role('friend') }] })],
    NONE,
  ],
  [
    'both sides open the edge',
    [egress({ to: [{ podSelector: role('server') }] }), ingress({ from: [{ podSelector: role('friend') }] })],
    only('friend'),
  ],
];

describe('NetworkPolicies on the local cluster', () => {
  let cluster: Cluster;
  let network: PodNetwork;
  const addresses = new Map<string, string>();
  const address = (name: string): string => addresses.get(name) ?? '';

  async function createPods(): Promise<void> {
    const node = await cluster.get<V1Node>('/api/v1/nodes/trellis');
    const image = node.status?.images?.flatMap(({ names = [] }) => names).find((name) => /\/busybox:/.test(name));
    const listen = (port: number): string => `busybox httpd -f -p ${port} -h /bin`;
    const pod = (name: string, labels: Record<string, string>): unknown => ({
      metadata: { name, labels },
      spec: {
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        containers: [
          {
            ...{ name: 'main', image, imagePullPolicy: 'Never' },
            command: ['sh', '-c', `${listen(WEB)} & ${listen(OTHER)}`],
            ports: [{ name: 'web', containerPort: WEB }, { containerPort: OTHER }],
            readinessProbe: { tcpSocket: { port: OTHER }, periodSeconds: 1 },
          },
        ],
      },
    });
    for (const [name, { namespace, labels }] of Object.entries({ ...CLIENTS, server: SERVER })) {
      await cluster.create(`/api/v1/namespaces/${namespace}/pods`, pod(name, labels));
    }
    await until('all pods Ready', async () => {
      const pods = [
        ...(await cluster.list<V1Pod>(`/api/v1/namespaces/${A}/pods`)),
        ...(await cluster.list<V1Pod>(`/api/v1/namespaces/${B}/pods`)),
      ];
      for (const { metadata, status } of pods) addresses.set(metadata?.name ?? '', status?.podIP ?? '');
      return pods.length === 4 && pods.every(isReady);
    });
  }

  const policies = `/apis/networking.k8s.io/v1/namespaces/${A}/networkpolicies`;

  async function reach(): Promise<Reach> {
    const targets = [WEB, OTHER].map((port) => ({ ip: address('server'), port }));
    const clients = Object.keys(CLIENTS) as readonly Client[];
    const found = await Promise.all(clients.map((client) => network.connects(address(client), targets)));
    return Object.fromEntries(clients.map((client, index) => [client, found[index]])) as unknown as Reach;
  }

  /** Rules follow a change within a moment, so the answer that lasts is what counts. */
  async function settles(expected: Reach): Promise<Reach> {
    let last = await reach();
    const same = (): boolean => JSON.stringify(last) === JSON.stringify({ ...expected });
    await until('the rules', async () => same() || ((last = await reach()), same()), 8).catch(() => undefined);
    // What was so before the rules came must still be so after them.
    await sleep(400);
    return reach();
  }

  beforeAll(async () => {
    cluster = new Cluster();
    for (const [name, labels] of [
      [A, { team: 'a' }],
      [B, { team: 'b' }],
    ] as const) {
      await cluster.remove(`/api/v1/namespaces/${name}`);
      await until(`no ${name}`, async () => (await cluster.find(`/api/v1/namespaces/${name}`)) === undefined);
      await cluster.create('/api/v1/namespaces', { metadata: { name, labels } });
    }
    await createPods();
    network = await PodNetwork.open();
  });

  afterAll(async () => {
    for (const name of [A, B]) await cluster.remove(`/api/v1/namespaces/${name}`);
  });

  afterEach(() => cluster.remove(policies));

  test.each(CASES)('%s', async (_, specs, expected) => {
    const all = typeof specs === 'function' ? specs(address('server'), address('friend')) : specs;
    for (const [index, spec] of all.entries()) {
      await cluster.create(policies, { metadata: { name: `case-${index}` }, spec });
    }
    expect(await settles(expected)).toEqual(expected);
  });

  test('a label that a pod gets later counts, and one that it loses no more', async () => {
    const pod = `/api/v1/namespaces/${A}/pods/stranger`;
    await cluster.create(policies, {
      metadata: { name: 'later' },
      spec: ingress({ from: [{ podSelector: role('friend') }] }),
    });
    expect(await settles(only('friend'))).toEqual(only('friend'));
    await cluster.edit(pod, { metadata: { labels: { role: 'friend' } } });
    expect(await settles(only('friend', 'stranger'))).toEqual(only('friend', 'stranger'));
    await cluster.edit(pod, { metadata: { labels: { role: 'stranger' } } });
    expect(await settles(only('friend'))).toEqual(only('friend'));
  });

  test('a label of a namespace counts from when it is set', async () => {
    await cluster.create(policies, {
      metadata: { name: 'later' },
      spec: ingress({ from: [{ namespaceSelector: team('c') }] }),
    });
    expect(await settles(NONE)).toEqual(NONE);
    await cluster.edit(`/api/v1/namespaces/${B}`, { metadata: { labels: { team: 'c' } } });
    expect(await settles(only('outside'))).toEqual(only('outside'));
    await cluster.edit(`/api/v1/namespaces/${B}`, { metadata: { labels: { team: 'b' } } });
  });

  test('a pod that is held back gets no DNS, and gets it again through a rule for it', async () => {
    const resolves = (): Promise<boolean> =>
      network.resolves(address('friend'), 'kubernetes.default.svc.cluster.local');
    expect(await resolves()).toBe(true);
    await cluster.create(policies, { metadata: { name: 'dns' }, spec: egress() });
    await until('no DNS', async () => !(await resolves()), 8);
    const to = [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }];
    const dns = { to, ports: [{ protocol: 'UDP', port: 53 }] };
    await cluster.create(policies, { metadata: { name: 'dns-open' }, spec: egress(dns) });
    await until('DNS', resolves, 8);
    expect(await resolves()).toBe(true);
  });

  test('the node itself is never held back, so that probes work', async () => {
    await cluster.create(policies, { metadata: { name: 'closed' }, spec: ingress() });
    expect(await settles(NONE)).toEqual(NONE);
    const pod = await cluster.get<V1Pod>(`/api/v1/namespaces/${A}/pods/server`);
    expect(isReady(pod)).toBe(true);
  });

  test('no pod reaches the machine outside the cluster, whatever its policies say', async () => {
    await cluster.create(policies, { metadata: { name: 'open' }, spec: egress({}) });
    expect(await settles(ALL)).toEqual(ALL);
    // As after a restart of kube-proxy: what accepts may stand before the fence.
    const accept = ['FORWARD', '-s', address('friend'), '-j', 'ACCEPT'];
    const server = createServer().listen(0, await hostAddress());
    await once(server, 'listening');
    const { address: ip, port } = server.address() as AddressInfo;
    try {
      expect(await openFromNode([{ ip, port }])).toEqual([true]);
      // Again where the controller wrote its rules meanwhile and took this one away.
      await until('a rule that stood all the time', async () => {
        await runInNode(['iptables', '-w', '-I', ...accept]);
        expect(await network.connects(address('friend'), [{ ip, port }])).toEqual([false]);
        return runInNode(['iptables', '-w', '-D', ...accept]);
      });
    } finally {
      server.close();
    }
  });
});
