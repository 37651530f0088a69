import * as pulumi from '@pulumi/pulumi';
import { Construct } from 'constructs';
import type { CacheStoreProps } from '../../../components/cache-store';
import { CacheStore } from '../../../components/cache-store';
import type { CacheUserOptions } from '../../../components/cache-users';
import { CachePermission, CacheUser } from '../../../components/cache-users';
import type { IClient } from '../../../components/connections';
import { secretKey } from '../../../components/connections';
import { LateTokens } from '../../../components/late';
import { podsPeer } from '../../../components/network';
import { minimalCache } from '../../support/props';
import { find, newChart, problemsOf } from '../../support/synth';

const may = CachePermission;
const options: CacheUserOptions = { password: 'report-secret', permissions: [may.read()], keys: ['report:*'] };
const user = (name: string, more: Partial<CacheUserOptions> = {}) => CacheUser.named(name, { ...options, ...more });

const build = (props: Partial<CacheStoreProps>) => {
  const chart = newChart('prod');
  const store = new CacheStore(chart, 'redis', { ...minimalCache, password: 'correct-horse', ...props });
  const pod = () => find(chart, 'apps/v1/StatefulSet', 'redis').spec.template.spec;
  const acl = () => find(chart, 'v1/ConfigMap', 'redis-config').data['users.acl'];
  return { chart, store, pod, acl };
};

class Client extends Construct implements IClient {
  public readonly peer = podsPeer(this, { 'app.kubernetes.io/name': this.node.id });
}

describe('users', () => {
  test('see their keys and channels only, and nothing dangerous save what is named', () => {
    const permissions = [
      may.read(),
      may.write(),
      may.pubSub(),
      may.scripting(),
      may.transactions(),
      may.command('client|list'),
    ];
    const { acl } = build({ users: [user('worker', { permissions, channels: ['jobs:*'] })] });
    expect(acl()).toBe(
      'worker ~report:* &jobs:* +@connection +command +@read +@write +@pubsub +@scripting +@transaction -@dangerous +info ' +
        '+cluster|slots +cluster|shards +cluster|nodes +cluster|info +cluster|keyslot +cluster|myid +client|list\n',
    );
  });

  test('have passwords of their own, as files, and a URL', () => {
    const password = pulumi.secret('late-password');
    const { chart, pod } = build({ users: [user('daily-reports', { password })] });
    const { stringData } = find(chart, 'v1/Secret', 'redis-secret');
    const token = stringData['REDIS_PASSWORD_DAILY_REPORTS'] ?? '';
    expect(LateTokens.of(chart).lookup(token)).toMatchObject({ value: password, secret: true });
    expect(stringData['REDIS_URL_DAILY_REPORTS']).toBe(`redis://daily-reports:${token}@redis-service.prod.svc:6379/0`);
    expect(pod().volumes).toContainEqual({
      name: 'user-passwords',
      secret: {
        secretName: 'redis-secret',
        defaultMode: 0o440,
        items: [{ key: 'REDIS_PASSWORD_DAILY_REPORTS', path: 'daily-reports' }],
      },
    });
  });

  test('are what a service connects as', () => {
    const { chart, store } = build({ users: [user('reports')] });
    store.as('reports').allowFrom(new Client(chart, 'reporter'));
    expect(store.as('reports').connectionEnv()).toEqual({ REDIS_URL: secretKey('redis-secret', 'REDIS_URL_REPORTS') });
    const { ingress } = find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'redis').spec;
    expect(ingress).toHaveLength(1);
    expect(store.as('reports')).toBe(store.as('reports'));
    expect(() => store.as('nobody')).toThrow("test/redis: there is no user 'nobody', only: reports");
  });

  const cases: readonly (readonly [string, Partial<CacheStoreProps>, RegExp])[] = [
    ['a name in capitals', { users: [user('Reports')] }, /^users\['Reports'\]: the name must be small letters/],
    ['a name of the component', { users: [user('member')] }, /^users\['member'\]: the name is the component's own/],
    ['a name twice', { users: [user('a'), user('a')] }, /^users: 'a' is named twice/],
    ['no permission', { users: [user('a', { permissions: [] })] }, /permissions must name at least one/],
    ['no key and no channel', { users: [user('a', { keys: [] })] }, /sees neither keys nor channels/],
    ['a pattern with a blank', { users: [user('a', { keys: ['a +@all'] })] }, /'a \+@all' must be printable/],
    ['a line of its own', { users: [user('a', { channels: ['a\nb'] })] }, /must be printable, without blanks/],
    ['a category', { users: [user('a', { permissions: [may.command('@all')] })] }, /'@all' must be a command/],
    ['a short password', { users: [user('a', { password: 'canary!' })] }, /^users\['a'\]: password must have at least/],
    [
      'users where everybody may do all',
      { users: [user('a')], password: undefined as never },
      /^users need a password/,
    ],
  ];

  test.each(cases)('%s is refused with one problem', (_what, props, expected) => {
    const found = problemsOf(() => build(props));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
    expect(found[0]).not.toContain('canary');
  });
});

describe('metrics', () => {
  const metrics = { image: 'registry.test/redis-exporter:1' };

  test('come from an exporter that knows no password but its own', () => {
    const { chart, pod } = build({ metrics });
    const [server, exporter] = pod().containers;
    expect(exporter).toMatchObject({
      name: 'exporter',
      image: metrics.image,
      ports: [{ name: 'metrics', containerPort: 9121 }],
      securityContext: { runAsUser: 10075 },
    });
    expect(exporter?.volumeMounts?.map(({ name }) => name)).toEqual(['exporter-tmp', 'exporter']);
    expect(server?.env).toContainEqual({ name: 'REDIS_EXPORTER_DIR', value: '/run/exporter' });
    expect(find(chart, 'v1/Service', 'redis-headless').spec.ports?.map(({ port }) => port)).toEqual([6379, 9121]);
  });

  test('are read by those who are let in', () => {
    const { chart, store } = build({ metrics });
    const prometheus = new Client(chart, 'prometheus');
    store.allowScraping(prometheus);
    expect(find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'redis').spec.ingress).toEqual([
      { from: [prometheus.peer], ports: [{ protocol: 'TCP', port: 9121 }] },
    ]);
    const without = build({});
    without.store.allowScraping(prometheus);
    expect(find(without.chart, 'networking.k8s.io/v1/NetworkPolicy', 'redis').spec).not.toHaveProperty('ingress');
  });
});
