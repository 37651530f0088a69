import { Duration, Size } from 'cdk8s';
import { DatabaseBackend } from '../../../components/database-backend';
import type { CloudNativePgOptions } from '../../../components/database-cloud-native-pg-options';
import { CloudNativePgBackup, PrimaryUpdate } from '../../../components/database-cloud-native-pg-options';
import { DatabaseEngine } from '../../../components/database-engine';
import { ValidationError } from '../../../components/errors';
import { compute } from '../../../components/pod';
import type { StatefulDatabaseProps } from '../../../components/stateful-database';
import { StatefulDatabase } from '../../../components/stateful-database';
import { minimal, pooler } from '../../support/cloud-native-pg';
import { newChart, problemsOf } from '../../support/synth';

const build = (props: Partial<StatefulDatabaseProps>, options: CloudNativePgOptions = {}) =>
  new StatefulDatabase(newChart(), 'postgres', {
    ...minimal,
    backend: DatabaseBackend.cloudNativePg(options),
    ...props,
  });
const problems = (props: Partial<StatefulDatabaseProps>, options?: CloudNativePgOptions) =>
  problemsOf(() => build(props, options));
const engine = (options: Partial<Parameters<typeof DatabaseEngine.postgres>[1]>) => ({
  engine: DatabaseEngine.postgres('15', { image: 'postgresql:15.10', ...options }),
});
const snapshots = { backup: CloudNativePgBackup.volumeSnapshot() };
const backup = { schedule: '@daily' };
const digest = `@sha256:${'0'.repeat(64)}`;
const long = (length: number) => 'a'.repeat(length);
const parameter = (name: string) => ({ configuration: { parameters: { [name]: 'x' } } });

type Case = readonly [string, Partial<StatefulDatabaseProps>, CloudNativePgOptions, RegExp];

// What is wrong, the props, the back end's options, and the one problem that is reported.
const cases: readonly Case[] = [
  ['a name that begins with a digit', { name: '1db' }, {}, /^name \(with .*\) must begin with a letter .* got '1db'/],
  ['a name that the operator refuses', { name: long(51) }, {}, /^name \(with .*\) must .* at most 50 characters/],
  ['a name too long for a backup', { name: long(42), backup }, snapshots, /and a backup\) must have at most 41/],
  ['the operator’s role', { username: 'streaming_replica' }, {}, /^username must not be streaming_replica or cnpg/],
  ['another port', engine({ port: 6543 }), {}, /^engine.port must be 5432 .* got 6543/],
  ['the operator’s labels', { labels: { 'cnpg.io/cluster': 'x' } }, {}, /^labels: those of cnpg.io/],
  ['an image by its digest alone', engine({ image: `postgresql${digest}` }), {}, /^engine.image .* must have a tag/],
  ['an image of another version', engine({ image: 'postgresql:16.1' }), {}, /^engine.image .* got 'postgresql:16.1'/],
  ['an image without a version', engine({ image: 'host:5000/postgresql' }), {}, /^engine.image .* must have a tag/],
  [
    'a password of replicas',
    { replicationPassword: 'follow-me' },
    {},
    /^replicationPassword has no use .* certificates/,
  ],
  ['a lag in seconds', { replicaMaxLag: Duration.seconds(9) }, {}, /^replicaMaxLag has no use .* set maximumLag/],
  ['an exporter', { metrics: { image: 'exporter:1' } }, {}, /^metrics has no use .* allowScraping/],
  ['a user of the pooler', { pooler: { ...pooler, user: 10073 } }, {}, /^pooler.user has no use/],
  ['backups that are kept', { backup: { ...backup, keep: 7 } }, snapshots, /^backup.keep has no use .* prunes/],
  [
    'a volume of backups',
    { backup: { ...backup, storage: Size.gibibytes(1) } },
    snapshots,
    /^backup.storage has no use/,
  ],
  ['a class of backups', { backup: { ...backup, storageClass: 'slow' } }, snapshots, /^backup.storageClass has no use/],
  ['a backup’s deadline', { backup: { ...backup, deadline: Duration.hours(1) } }, snapshots, /^backup.deadline has no/],
  ['a backup that nobody makes', { backup }, {}, /^backup .* needs to be told how/],
  ['a setting of the operator', parameter('archive_mode'), {}, /'archive_mode' belongs to the operator/],
  [
    'a command of psql',
    { initScripts: { 'a.sql': 'select 1;\n\\copy t from x' } },
    {},
    /'a.sql' has a command of psql/,
  ],
  [
    'less memory than shared buffers',
    { resources: compute([100, 1000], [256, 2048]) },
    {},
    /^resources.memory.request \(268435456 bytes\) must be at least the shared buffers \(536870912 bytes\)/,
  ],
  ['a namespace that is none', {}, { operatorNamespace: 'A' }, /^backend.operatorNamespace must be/],
  ['no address', {}, { apiServer: [] }, /^backend.apiServer must name at least one/],
  ['an address that is no range', {}, { apiServer: ['10.0.0.1'] }, /^backend.apiServer: '10.0.0.1' is not a range/],
  ['no port', {}, { apiServerPorts: [] }, /^backend.apiServerPorts must name at least one/],
  ['a port that is none', {}, { apiServerPorts: [0] }, /^backend.apiServerPorts: each must be .* got 0/],
  [
    'no replica to switch to',
    {},
    { primaryUpdate: PrimaryUpdate.SWITCHOVER },
    /must be 'restart' without read replicas/,
  ],
  [
    'an update that is none',
    { readReplicas: 1 },
    { primaryUpdate: 'never' as PrimaryUpdate },
    /^backend.primaryUpdate must be restart, switchover, supervised, got 'never'/,
  ],
  ['a lag of nobody', {}, { maximumLag: Size.mebibytes(1) }, /^backend.maximumLag has no use without read replicas/],
  ['no lag at all', { readReplicas: 1 }, { maximumLag: Size.kibibytes(0) }, /^backend.maximumLag must be a size/],
  [
    'a class of snapshots that is none',
    {},
    { backup: CloudNativePgBackup.volumeSnapshot({ className: 'A' }) },
    /^backend.backup.className must be/,
  ],
  ['a plugin without name', {}, { backup: CloudNativePgBackup.plugin({ name: '' }) }, /^backend.backup.name must be/],
  [
    'a store that is nowhere',
    {},
    { backup: CloudNativePgBackup.plugin({ name: 'barman', store: { cidr: 's3', port: 443 } }) },
    /^backend.backup.store.cidr must be a CIDR block, got 's3'/,
  ],
  [
    'a store behind no port',
    {},
    { backup: CloudNativePgBackup.plugin({ name: 'barman', store: { cidr: '10.0.0.0/8', port: 0 } }) },
    /^backend.backup.store.port must be .* got 0/,
  ],
];

test.each(cases)('%s is refused with one problem', (_what, props, options, expected) => {
  const found = problems(props, options);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(expected);
});

test('all problems come at once, after the path of the construct', () => {
  const props = { ...engine({ port: 6543 }), metrics: { image: 'exporter:1' }, databaseName: 'Upper', backup };
  expect(problems(props)).toHaveLength(4);
  expect(() => build(props)).toThrow(ValidationError);
  expect(() => build(props)).toThrow(/^test\/postgres: databaseName must be/);
});

test('props at both ends are accepted', () => {
  expect(problems({ name: long(50), readReplicas: 8 })).toEqual([]);
  expect(problems({ name: long(41), backup }, snapshots)).toEqual([]);
  expect(problems(engine({ image: `host:5000/db/postgresql:15${digest}` }))).toEqual([]);
  expect(problems(engine({ image: Promise.resolve('late') }))).toEqual([]);
  expect(problems({ resources: compute([100, 1000], [512, 2048]) })).toEqual([]);
  expect(problems({ initScripts: { 'a.sql': "select e'\\n';" } })).toEqual([]);
  expect(problems({ readReplicas: 1 }, { primaryUpdate: PrimaryUpdate.SUPERVISED })).toEqual([]);
});
