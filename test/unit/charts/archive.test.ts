import { readSettings } from '../../../stacks/render';
import type { Settings } from '../../../stacks/schema';
import { pick, renderPlatform, renderSettings } from './platform';

type Postgres = Settings['noodleCore']['postgres'];

const SOURCE = {
  endpoint: 's3.example.com',
  port: 443,
  region: 'eu-1',
  bucket: 'backups',
  prefix: '/first',
  pathStyle: true,
  secretName: 'first-region',
};

/** The server of NoodleCore in prod, with settings of its database that differ. */
async function server(change: (postgres: Postgres) => Partial<Postgres>) {
  const settings = await readSettings('prod');
  const { noodleCore } = settings;
  const postgres = { ...noodleCore.postgres, ...change(noodleCore.postgres) };
  const objects = renderSettings({ ...settings, noodleCore: { ...noodleCore, postgres } }).filter(
    ({ namespace }) => namespace === 'noodle-core',
  );
  const pod = pick(objects, 'apps/v1/StatefulSet', 'postgres').spec.template.spec;
  const env = Object.fromEntries((pod.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));
  return { objects, env, containers: pod.containers.map(({ name }) => name) };
}

test.each([
  ['dev', []],
  ['staging', ['PersistentVolumeClaim', 'Secret']],
  ['prod', []],
])('what an archive makes beside the database, %s', async (environment, kinds) => {
  const made = (await renderPlatform(environment)).filter(({ name }) => /^postgres-archive/.test(name));
  expect(made.map(({ kind }) => kind).sort()).toEqual([...kinds, ...kinds].sort());
});

test('the environments archive nowhere, to a volume, and to object storage', async () => {
  const archives = async (environment: string) => {
    const objects = (await renderPlatform(environment)).filter(({ path }) => path === 'noa-server/postgres/Config');
    const { data } = pick(objects, 'v1/ConfigMap', 'postgres-config');
    return /^repo1-type=(.*)$/m.exec(data['archive.conf'] ?? '')?.[1];
  };
  expect(await archives('dev')).toBeUndefined();
  expect(await archives('staging')).toBe('posix');
  expect(await archives('prod')).toBe('s3');
});

test('a primary without a source recovers from nothing', async () => {
  const { env, containers } = await server(() => ({}));
  expect(containers).toContain('base-backups');
  expect(env['POSTGRES_RECOVERY']).toBeUndefined();
});

test('a standby follows the source, and its role alone promotes it', async () => {
  const recovery = { role: 'standby', to: null, source: SOURCE } as const;
  const standby = await server(() => ({ recovery }));
  expect(standby.env).toMatchObject({ POSTGRES_RECOVERY: 'standby', POSTGRES_RECOVERY_SOURCE: 'source' });
  expect(standby.objects.map(({ kind, name }) => `${kind}/${name}`)).not.toContain('CronJob/postgres-backup');
  const promoted = await server(() => ({ recovery: { ...recovery, role: 'primary' } }));
  expect(promoted.env).toMatchObject({ POSTGRES_RECOVERY: 'primary', POSTGRES_RECOVERY_SOURCE: 'source' });
  expect(promoted.objects.map(({ kind, name }) => `${kind}/${name}`)).toContain('CronJob/postgres-backup');
});

test('a moment, and the end of the archive, are those of the own archive', async () => {
  const none = { ...SOURCE, bucket: '' };
  const moment = await server(() => ({ recovery: { role: 'primary', to: new Date(0), source: none } }));
  expect(moment.env).toMatchObject({
    POSTGRES_RECOVERY: 'primary',
    POSTGRES_RECOVERY_SOURCE: 'archive',
    POSTGRES_RECOVERY_TO: '1970-01-01 00:00:00.000+00',
  });
  const latest = await server(() => ({ recovery: { role: 'primary', to: 'latest', source: none } }));
  expect(latest.env).toMatchObject({ POSTGRES_RECOVERY: 'primary', POSTGRES_RECOVERY_SOURCE: 'archive' });
  expect(latest.env['POSTGRES_RECOVERY_TO']).toBeUndefined();
});
