import * as pulumi from '@pulumi/pulumi';
import { DatabaseBackend } from '../../../components/database-backend';
import { DatabaseTls } from '../../../components/database-tls';
import { LateTokens } from '../../../components/late';
import { RotatingPassword } from '../../../components/rotating-password';
import type { StatefulDatabaseProps } from '../../../components/stateful-database';
import { StatefulDatabase } from '../../../components/stateful-database';
import { inClear } from '../../support/clear';
import { fullDatabase, minimalBackup, minimalDatabase } from '../../support/props';
import { envOf, jobOf, peerOf } from '../../support/rotating';
import { find, inventory, newChart, objectsOf, problemsOf, releaseOptions } from '../../support/synth';

const FIRST = 'correct-horse';
const SECOND = 'battery-staple';
const rotating = (used: number, accepted: Readonly<Record<number, string>> = { 1: FIRST, 2: SECOND }) =>
  RotatingPassword.of({ accepted, used });

const database = (props: Partial<StatefulDatabaseProps> = {}) => {
  const chart = newChart('shop');
  const made = new StatefulDatabase(chart, 'db', { ...minimalDatabase, password: rotating(1), ...props });
  const clear = (key: string) =>
    inClear(LateTokens.of(chart), find(chart, 'v1/Secret', `${made.name}-secret`).stringData[key]);
  const server = () => find(chart, 'apps/v1/StatefulSet', made.name).spec.template.spec;
  return { chart, made, clear, server };
};

describe('a database with a password that rotates', () => {
  test.each([
    [1, 'app', FIRST],
    [2, 'app_b', SECOND],
  ])('that uses number %i has clients log in as %s, and lets in both', (used, role, password) => {
    const { clear } = database({ password: rotating(used), pooler: { image: 'registry.test/pgbouncer:1' } });
    expect(clear('DATABASE_URL')).toBe(`postgres://${role}:${password}@db-pooler-service.shop.svc:5432/app`);
    expect(clear('POSTGRES_PASSWORD')).toBe(password);
    expect(clear('POSTGRES_LOGINS')).toBe(`app ${FIRST}\napp_b ${SECOND}\n`);
    expect(clear('PGBOUNCER_USERS')).toBe(`"app" "${FIRST}"\n"app_b" "${SECOND}"\n`);
  });

  test('gives late passwords on as secrets', () => {
    const [one, two] = [pulumi.secret('late-one'), pulumi.secret('late-two')];
    const { chart } = database({ password: RotatingPassword.of({ accepted: { 3: one, 4: two }, used: 4 }) });
    const { stringData } = find(chart, 'v1/Secret', 'db-secret');
    const tokens = LateTokens.split(stringData['POSTGRES_LOGINS'] ?? '').filter(({ token }) => token);
    expect(tokens.map(({ text }) => LateTokens.of(chart).lookup(text))).toEqual([
      expect.objectContaining({ value: one, secret: true }),
      expect.objectContaining({ value: two, secret: true }),
    ]);
    expect(JSON.stringify(objectsOf(chart))).not.toContain('late-');
  });

  test('has servers and poolers take over who may log in, so that a change rolls none of them', () => {
    const { chart, server } = database({ pooler: { image: 'registry.test/pgbouncer:1' } });
    expect(releaseOptions(chart, 'Secret', 'db-secret').liveKeys).toEqual(['POSTGRES_LOGINS', 'PGBOUNCER_USERS']);
    expect(envOf(server())).toMatchObject({
      POSTGRES_LOGINS_FILE: '/run/secrets/postgres/logins',
      POSTGRES_USER: 'app',
    });
    expect(envOf(server())).not.toHaveProperty('POSTGRES_PASSWORD_FILE');
    expect(server().volumes).toContainEqual({
      name: 'password',
      secret: { secretName: 'db-secret', defaultMode: 0o440, items: [{ key: 'POSTGRES_LOGINS', path: 'logins' }] },
    });
  });

  test('has the same pods in every phase', () => {
    const all = { ...fullDatabase, tls: DatabaseTls.selfSigned() };
    const phases = [rotating(1, { 1: FIRST }), rotating(1), rotating(2), rotating(2, { 2: SECOND })];
    const made = phases.map((password) => {
      const { chart } = database({ ...all, password });
      return ['StatefulSet/main-db', 'StatefulSet/main-db-replica', 'Deployment/main-db-pooler'].map((one) =>
        objectsOf(chart).find(({ kind, metadata }) => `${kind}/${metadata.name}` === one),
      );
    });
    for (const phase of made) {
      expect(phase).not.toContain(undefined);
      expect(phase).toEqual(made[0]);
    }
  });

  test('dumps as the login that is used', () => {
    const { chart, clear } = database({ password: rotating(2), backup: { ...minimalBackup, schedule: '@daily' } });
    const pod = find(chart, 'batch/v1/CronJob', 'db-backup').spec.jobTemplate.spec.template.spec;
    const url = pod.volumes?.find(({ name }) => name === 'url')?.secret?.items?.[0]?.key ?? '';
    expect(clear(url)).toMatch(/^postgres:\/\/app_b:/);
  });

  test('gives the exporter a password that does not rotate along', () => {
    const metrics = { image: 'registry.test/postgres-exporter:1' };
    const [alone] = database({ metrics }).server().initContainers ?? [];
    expect(alone?.args?.[2]).toContain('/dev/urandom');
    expect(alone?.volumeMounts?.map(({ name }) => name)).toEqual(['tmp', 'monitoring']);
    const followed = database({ metrics, readReplicas: 1, replicationPassword: 'follow-the-leader' });
    for (const name of ['db', 'db-replica']) {
      const { initContainers = [] } = find(followed.chart, 'apps/v1/StatefulSet', name).spec.template.spec;
      const derive = initContainers.find((one) => one.name === 'derive-password');
      expect(derive?.env).toEqual([{ name: 'POSTGRES_PASSWORD_FILE', value: '/run/secrets/replication/password' }]);
    }
  });

  test('waits in a Job, before any client, until the server and each pooler let in exactly these', () => {
    const { chart, made } = database({
      pooler: { image: 'registry.test/pgbouncer:1' },
      tls: DatabaseTls.issuedBy('own'),
    });
    const { metadata, spec } = jobOf(chart);
    expect(metadata.name).toMatch(/^db-logins-[0-9a-f]{8}$/);
    const { template } = spec;
    expect(template.spec.containers[0]?.args).toEqual(['postgres-logins-ready', 'db-pooler-members.shop.svc']);
    expect(envOf(template.spec)).toEqual({
      PGAPPNAME: 'db-logins',
      PGCONNECT_TIMEOUT: '5',
      PGDATABASE: 'app',
      PGHOST: 'db-service.shop.svc',
      PGPOOLER: 'db-pooler-service.shop.svc',
      PGPORT: '5432',
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: '/run/secrets/postgres-ca/ca.crt',
      POSTGRES_LOGINS_FILE: '/run/secrets/postgres/logins',
    });
    expect(find(chart, 'v1/Service', 'db-pooler-members').spec).toMatchObject({
      clusterIP: 'None',
      selector: { 'app.kubernetes.io/name': 'db-pooler' },
    });
    const policy = (name: string) => find(chart, 'networking.k8s.io/v1/NetworkPolicy', name).spec;
    const ports = [{ protocol: 'TCP', port: 5432 }];
    expect(policy('db-logins').egress).toContainEqual({ to: [peerOf('db'), peerOf('db-pooler')], ports });
    expect(policy('db').ingress).toEqual([{ from: [peerOf('db-pooler'), peerOf('db-logins')], ports }]);
    expect(policy('db-pooler').ingress).toEqual([{ from: [peerOf('db-logins')], ports }]);
    const check = made.node.findChild('Logins');
    expect(check.node.dependencies.map(({ node }) => node.id).sort()).toEqual(['Pooler', 'StatefulSet']);
  });

  test('has another Job for other numbers, and none for the first password alone', () => {
    const names = [rotating(1), rotating(2), rotating(2, { 2: SECOND }), rotating(2, { 2: SECOND, 3: FIRST })].map(
      (password) => jobOf(database({ password }).chart).metadata.name,
    );
    expect(names[0]).toBe(names[1]);
    expect(new Set(names).size).toBe(3);
    expect(inventory(database({ password: rotating(1, { 1: FIRST }) }).chart).join()).not.toMatch(/Job|logins/);
  });

  const cases: readonly (readonly [string, Partial<StatefulDatabaseProps>, RegExp])[] = [
    [
      'no password',
      { password: rotating(1, {}) },
      /^password: accepted must be one number from 1 to 9999 or two .* got none/,
    ],
    [
      'three passwords',
      { password: rotating(1, { 1: FIRST, 2: SECOND, 3: 'third-one' }) },
      /two that follow each other, got 1 and 2 and 3/,
    ],
    [
      'numbers that do not follow',
      { password: rotating(1, { 1: FIRST, 3: SECOND }) },
      /two that follow each other, got 1 and 3/,
    ],
    ['a number of zero', { password: rotating(0, { 0: FIRST }) }, /^password: accepted must be one number from 1/],
    ['a number that is too large', { password: rotating(10_000, { 10000: FIRST }) }, /from 1 to 9999/],
    [
      'one in use that is not accepted',
      { password: rotating(3) },
      /^password: used \(3\) must be accepted \(1 and 2\)/,
    ],
    [
      'the same one twice',
      { password: rotating(1, { 1: FIRST, 2: FIRST }) },
      /^password: the two accepted passwords must differ/,
    ],
    ['a short one', { password: rotating(1, { 1: FIRST, 2: 'canary!' }) }, /^password must have at least 8 characters/],
    ['a long name', { name: 'n'.repeat(48) }, /^name \(with a RotatingPassword\)/],
    ['a long username', { username: 'u'.repeat(62) }, /^username must have at most 61 characters/],
    [
      'an operator',
      { backend: DatabaseBackend.cloudNativePg(), engine: fullDatabase.engine },
      /password must be a single one with DatabaseBackend.cloudNativePg/,
    ],
  ];

  test.each(cases)('%s is refused', (_what, props, expected) => {
    const found = problemsOf(() => database(props));
    expect(found.filter((one) => expected.test(one))).toHaveLength(1);
    expect(found.join()).not.toContain('canary');
  });
});
