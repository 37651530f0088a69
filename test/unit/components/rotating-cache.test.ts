import type { CacheStoreProps } from '../../../components/cache-store';
import { CacheStore } from '../../../components/cache-store';
import { CacheTopology } from '../../../components/cache-topology';
import { CachePermission, CacheUser } from '../../../components/cache-users';
import { LateTokens } from '../../../components/late';
import { RotatingPassword } from '../../../components/rotating-password';
import { inClear } from '../../support/clear';
import { minimalCache } from '../../support/props';
import { envOf, jobOf, peerOf } from '../../support/rotating';
import { find, inventory, newChart, problemsOf, releaseOptions } from '../../support/synth';

const FIRST = 'correct-horse';
const SECOND = 'battery-staple';
const rotating = (used: number, accepted: Readonly<Record<number, string>> = { 1: FIRST, 2: SECOND }) =>
  RotatingPassword.of({ accepted, used });

const cache = (props: Partial<CacheStoreProps> = {}) => {
  const chart = newChart('shop');
  const made = new CacheStore(chart, 'redis', { ...minimalCache, password: rotating(1), ...props });
  const clear = (key: string) =>
    inClear(LateTokens.of(chart), find(chart, 'v1/Secret', 'redis-secret').stringData[key]);
  const server = () => find(chart, 'apps/v1/StatefulSet', 'redis').spec.template.spec;
  return { chart, made, clear, server };
};

describe('a cache with passwords that rotate', () => {
  const reports = CacheUser.named('reports', {
    password: rotating(2, { 2: 'reports-two', 3: 'reports-three' }),
    permissions: [CachePermission.read()],
    keys: ['report:*'],
  });

  test('lets in all, and gives clients the one that is used', () => {
    const { clear } = cache({ password: rotating(2), users: [reports] });
    expect(clear('REDIS_PASSWORDS')).toBe(`${FIRST}\n${SECOND}\n`);
    expect(clear('REDIS_PASSWORD')).toBe(SECOND);
    expect(clear('REDIS_URL')).toBe(`redis://:${SECOND}@redis-service.shop.svc:6379/0`);
    expect(clear('REDIS_PASSWORDS_REPORTS')).toBe('reports-two\nreports-three\n');
    expect(clear('REDIS_URL_REPORTS')).toBe('redis://reports:reports-two@redis-service.shop.svc:6379/0');
  });

  test('has servers take them over, so that a change rolls none', () => {
    const { chart, server } = cache({ users: [reports] });
    expect(releaseOptions(chart, 'Secret', 'redis-secret').liveKeys).toEqual([
      'REDIS_PASSWORDS',
      'REDIS_PASSWORDS_REPORTS',
    ]);
    expect(envOf(server())).toMatchObject({
      REDIS_LIVE_PASSWORDS: 'true',
      REDIS_PASSWORD_FILE: '/run/secrets/redis/password',
    });
    const items = (name: string) => server().volumes?.find((volume) => volume.name === name)?.secret?.items;
    expect(items('password')).toEqual([{ key: 'REDIS_PASSWORDS', path: 'password' }]);
    expect(items('user-passwords')).toEqual([{ key: 'REDIS_PASSWORDS_REPORTS', path: 'reports' }]);
    const phases = [rotating(1, { 1: FIRST }), rotating(1), rotating(2), rotating(2, { 2: SECOND })];
    const pods = phases.map((password) => cache({ password }).server());
    for (const pod of pods) expect(pod).toEqual(pods[0]);
  });

  test('leaves a single password as it was', () => {
    const { chart, server } = cache({ password: FIRST });
    expect(releaseOptions(chart, 'Secret', 'redis-secret').liveKeys ?? []).toEqual([]);
    expect(envOf(server())).not.toHaveProperty('REDIS_LIVE_PASSWORDS');
    expect(Object.keys(find(chart, 'v1/Secret', 'redis-secret').stringData)).toEqual(['REDIS_PASSWORD', 'REDIS_URL']);
  });

  test('waits in a Job until every server goes by them', () => {
    const { chart } = cache({ users: [reports] });
    const { spec } = jobOf(chart).spec.template;
    expect(spec.containers[0]?.args).toEqual(['redis-passwords-ready', 'redis-service.shop.svc']);
    expect(envOf(spec)).toEqual({
      REDIS_PASSWORD_FILE: '/run/secrets/redis/password',
      REDIS_PORT: '6379',
      REDIS_USERS_DIR: '/run/secrets/redis-users',
      REDIS_USERS_FILE: '/etc/redis/users.acl',
    });
    const ports = [{ protocol: 'TCP', port: 6379 }];
    const policy = (name: string) => find(chart, 'networking.k8s.io/v1/NetworkPolicy', name).spec;
    expect(policy('redis-logins').egress).toContainEqual({ to: [peerOf('redis')], ports });
    expect(policy('redis').ingress).toEqual([{ from: [peerOf('redis-logins')], ports }]);
  });

  test('waits for each member where there are several', () => {
    const { chart } = cache({ topology: CacheTopology.sentinel({ replicas: 2 }), systemPassword: 'members-of-it' });
    expect(jobOf(chart).spec.template.spec.containers[0]?.args).toEqual([
      'redis-passwords-ready',
      ...[0, 1, 2].map((ordinal) => `redis-${ordinal}.shop.svc`),
    ]);
  });

  test('has no Job for the first passwords alone', () => {
    expect(inventory(cache({ password: rotating(1, { 1: FIRST }) }).chart).join()).not.toMatch(/Job|logins/);
  });

  const cases: readonly (readonly [string, Partial<CacheStoreProps>, RegExp])[] = [
    ['one in use that is not accepted', { password: rotating(3) }, /^password: used \(3\) must be accepted/],
    [
      'a user’s that do not follow each other',
      {
        users: [
          CacheUser.named('a', {
            password: rotating(1, { 1: FIRST, 4: SECOND }),
            permissions: reports.permissions,
            keys: ['a'],
          }),
        ],
      },
      /^users\['a'\]: password: accepted must be/,
    ],
    ['a long name', { name: 'n'.repeat(48) }, /^name \(with a RotatingPassword\)/],
    [
      'a user of the image',
      { users: [CacheUser.named('aligned', { password: FIRST, permissions: reports.permissions, keys: ['a'] })] },
      /the name is the component's own/,
    ],
    [
      'the members’ password among them',
      { topology: CacheTopology.sentinel(), systemPassword: SECOND },
      /^systemPassword must not be the password/,
    ],
  ];

  test.each(cases)('%s is refused with one problem', (_what, props, expected) => {
    const found = problemsOf(() => cache(props));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });
});
