import { Duration, Size } from 'cdk8s';
import { ArchiveKeys } from '../../../components/database-archive-keys';
import type { ArchiveVolumeOptions, ArchiveStorageOptions } from '../../../components/database-archive';
import { DatabaseArchive } from '../../../components/database-archive';
import { DatabaseBackend } from '../../../components/database-backend';
import { DatabaseEngine } from '../../../components/database-engine';
import { DatabaseRecovery } from '../../../components/database-recovery';
import { compute } from '../../../components/pod';
import type { StatefulDatabaseProps } from '../../../components/stateful-database';
import { StatefulDatabase } from '../../../components/stateful-database';
import { minimalDatabase } from '../../support/props';
import { newChart, problemsOf } from '../../support/synth';

const problems = (props: Partial<StatefulDatabaseProps>) =>
  problemsOf(() => new StatefulDatabase(newChart(), 'postgres', { ...minimalDatabase, ...props }));

const keys = ArchiveKeys.fromSecret('archive-keys');
const place = { endpoint: 's3.example.com', region: 'eu-1', bucket: 'backups', keys };
const bucket = (options: Partial<ArchiveStorageOptions> = {}) =>
  DatabaseArchive.objectStorage({ ...place, ...options });
const volume = (options: Partial<ArchiveVolumeOptions> = {}) => DatabaseArchive.volume({ keys, ...options });
const access = { id: 'name', secret: 'canary-access' };
const of = (passphrase: string, given = true) => ArchiveKeys.of({ passphrase, ...(given ? { access } : {}) });
const passphrase = 'canary-passphrase';
const source = bucket({ prefix: '/a' });
const standby = { archive: bucket({ prefix: '/b' }), recovery: DatabaseRecovery.standby(source) };

// What is wrong, the props, and the one problem that is reported.
const cases: readonly (readonly [string, Partial<StatefulDatabaseProps>, RegExp])[] = [
  [
    'an endpoint with a scheme',
    { archive: bucket({ endpoint: 'https://s3.example.com' }) },
    /^archive.endpoint must be/,
  ],
  ['a port that is none', { archive: bucket({ port: 0 }) }, /^archive.port must be .* got 0/],
  ['no region', { archive: bucket({ region: '' }) }, /^archive.region must be a name/],
  ['a bucket that breaks a line', { archive: bucket({ bucket: 'a\nrepo1-path=/' }) }, /^archive.bucket must be/],
  ['a prefix that is relative', { archive: bucket({ prefix: 'shop' }) }, /^archive.prefix must be an absolute/],
  ['a prefix that climbs', { archive: bucket({ prefix: '/shop/../other' }) }, /^archive.prefix must be an absolute/],
  [
    'an authority that is none',
    { archive: bucket({ authority: { secretName: 'No', key: 'ca.crt' } }) },
    /^archive.authority.secretName must be/,
  ],
  ['nothing that may be lost', { archive: bucket({ maxLoss: Duration.millis(1) }) }, /^archive.maxLoss must be whole/],
  [
    'full backups all the time',
    { archive: bucket({ fullEvery: Duration.minutes(1) }) },
    /^archive.fullEvery must be whole seconds, at least 3600/,
  ],
  [
    'differential ones all the time',
    { archive: bucket({ differentialEvery: Duration.minutes(1) }) },
    /^archive.differentialEvery must be/,
  ],
  ['no backup that is kept', { archive: bucket({ keepFull: 0 }) }, /^archive.keepFull must be .* got 0/],
  ['no queue', { archive: bucket({ maxQueue: Size.kibibytes(0) }) }, /^archive.maxQueue must be a size/],
  [
    'a container that is starved',
    { archive: bucket({ resources: compute([2, 1], [1, 2]) }) },
    /^archive.resources.cpu.request/,
  ],
  ['a volume of nothing', { archive: volume({ storage: Size.gibibytes(0) }) }, /^archive.storage must be a size/],
  [
    'a Secret that is none',
    { archive: bucket({ keys: ArchiveKeys.fromSecret('No') }) },
    /^archive.keys: Secret must be/,
  ],
  ['a short passphrase', { archive: bucket({ keys: of('canary') }) }, /^archive.keys.passphrase must be/],
  [
    'a passphrase of two lines',
    { archive: bucket({ keys: of('canary-passphrase\nrepo1-path=/') }) },
    /^archive.keys.passphrase must be/,
  ],
  ['a bucket without access', { archive: bucket({ keys: of(passphrase, false) }) }, /^archive.keys.access is required/],
  ['a volume with access', { archive: volume({ keys: of(passphrase) }) }, /^archive.keys.access has no use/],
  [
    'access of two lines',
    { archive: bucket({ keys: ArchiveKeys.of({ passphrase, access: { id: 'a', secret: 'canary\nb' } }) }) },
    /^archive.keys.access.secret must be one line/,
  ],
  [
    'a source that is none',
    { recovery: DatabaseRecovery.primary(bucket({ port: -1 })) },
    /^recovery.source.port must be/,
  ],
  [
    'no moment',
    { recovery: DatabaseRecovery.primary(source, { to: new Date('yesterday') }) },
    /^recovery.to must be a moment/,
  ],
  ['somebody else’s volume', { recovery: DatabaseRecovery.primary(volume()) }, /^recovery.source must be a bucket/],
  [
    'a standby without an archive',
    { recovery: DatabaseRecovery.standby(source) },
    /^archive is required for a standby/,
  ],
  [
    'a standby that would write to what it follows',
    { archive: bucket({ prefix: '/a' }), recovery: DatabaseRecovery.standby(source) },
    /^archive must not be the one that a standby follows/,
  ],
  [
    'replicas of a standby',
    { ...standby, readReplicas: 1, replicationPassword: 'follow-the-leader' },
    /^readReplicas must be 0 for a standby, got 1/,
  ],
  [
    'a setting of the archive',
    { ...standby, configuration: { parameters: { archive_timeout: 5 } } },
    /^configuration.parameters: 'archive_timeout' follows from archive/,
  ],
  [
    'a setting of the recovery',
    { ...standby, configuration: { parameters: { recovery_target_lsn: '0/1' } } },
    /^configuration.parameters: 'recovery_target_lsn' follows from archive/,
  ],
];

test.each(cases)('%s', (_title, props, problem) => {
  const found = problems(props);
  expect(found).toEqual([expect.stringMatching(problem)]);
  expect(found.join()).not.toContain('canary');
});

test('all of them come at once', () => {
  const archive = bucket({ region: '', keepFull: 0, keys: of('canary') });
  expect(problems({ archive, recovery: DatabaseRecovery.standby(volume()) })).toHaveLength(4);
});

test.each([
  ['a standby', standby],
  ['what was promoted', { ...standby, recovery: DatabaseRecovery.primary(source) }],
  ['the own archive, to its end', { archive: source, recovery: DatabaseRecovery.primary(source) }],
  ['a moment of the own archive', { archive: source, recovery: DatabaseRecovery.primary(source, { to: new Date(0) }) }],
  ['settings of somebody who archives by himself', { configuration: { parameters: { archive_timeout: 5 } } }],
])('nothing is wrong with %s', (_title, props) => {
  expect(problems(props)).toEqual([]);
});

test('the operator archives and recovers in its own way: one message for both', () => {
  const engine = DatabaseEngine.postgres('15', { image: 'registry.test/postgresql:15.10', user: 26 });
  const operator = { engine, backend: DatabaseBackend.cloudNativePg() };
  expect(problems({ ...operator, ...standby })).toEqual([
    expect.stringMatching(/^archive has no use with .*cloudNativePg\(\): .*CloudNativePgBackup.plugin\(\)/),
  ]);
  expect(problems({ ...operator, recovery: standby.recovery })).toEqual([
    expect.stringMatching(/^recovery has no use with .*cloudNativePg\(\)/),
  ]);
});
