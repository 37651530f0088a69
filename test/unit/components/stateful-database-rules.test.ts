import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import * as fc from 'fast-check';
import type { DatabaseConfiguration } from '../../../components/database-configuration';
import { databaseSettings, parameterProblems } from '../../../components/database-configuration';
import { BackupTarget } from '../../../components/backup-target';
import { DatabaseEngine } from '../../../components/database-engine';
import { ValidationError } from '../../../components/errors';
import { compute } from '../../../components/pod';
import type { StatefulDatabaseProps } from '../../../components/stateful-database';
import { StatefulDatabase } from '../../../components/stateful-database';
import { sizeBytes } from '../../../components/units';
import { engine, fullDatabase, minimalBackup, minimalDatabase } from '../../support/props';
import { newChart, objectsOf, problemsOf } from '../../support/synth';

const problems = (props: Partial<StatefulDatabaseProps>, id = 'postgres') =>
  problemsOf(() => new StatefulDatabase(newChart(), id, { ...minimalDatabase, ...props }));
const configured = (configuration: DatabaseConfiguration) => ({ configuration });
const image = 'registry.test/postgres:15';
const long = (length: number) => 'a'.repeat(length);
const backup = minimalBackup;

// What is wrong, the props, and the one problem that is reported.
const cases: readonly (readonly [string, Partial<StatefulDatabaseProps>, RegExp])[] = [
  [
    'a version that is not supported',
    { engine: DatabaseEngine.postgres('9.6', { image }) },
    /^engine must be PostgreSQL 15, got '9.6'/,
  ],
  [
    'an image with a blank',
    { engine: DatabaseEngine.postgres('15', { image: 'a b' }) },
    /^engine.image must be an image/,
  ],
  ['an empty image', { engine: DatabaseEngine.postgres('15', { image: '' }) }, /^engine.image must be an image/],
  [
    'a privileged port',
    { engine: DatabaseEngine.postgres('15', { image, port: 543 }) },
    /^engine.port .* from 1024 to 65535, got 543/,
  ],
  ['the root user', { engine: DatabaseEngine.postgres('15', { image, user: 0 }) }, /^engine.user .* got 0/],
  ['a name in capitals', { name: 'Bad_Name!' }, /^name must be an RFC 1123 label .*got 'Bad_Name!'/],
  ['a name too long for its pods', { name: long(53) }, /^name must be .* at most 52 characters/],
  [
    'a name too long for its CronJob',
    { name: long(46), backup },
    /^name \(with a backup\) must be .* at most 45 characters/,
  ],
  ['a database with a dash', { databaseName: 'my-db' }, /^databaseName must be a PostgreSQL identifier .*got 'my-db'/],
  ['a database of 64 characters', { databaseName: long(64) }, /^databaseName must be a PostgreSQL identifier/],
  ['a template database', { databaseName: 'template1' }, /^databaseName must not be a template/],
  ['a user that needs quotes', { username: 'Robert"; drop' }, /^username must be a PostgreSQL identifier/],
  ['the superuser', { username: 'postgres' }, /^username must not be the superuser/],
  ['a reserved user', { username: 'pg_me' }, /^username must not be the superuser nor start with 'pg_'/],
  ['a short password', { password: 'short' }, /^password must have at least 8 characters/],
  ['a password that breaks the URL', { password: 'canary@word/!' }, /^password must .* safe in a URL/],
  [
    'storage that is no number',
    { storage: Size.mebibytes(Number.NaN) },
    /^storage must be a size of at least 1073741824 bytes, got NaN/,
  ],
  ['storage that holds no log', { storage: Size.mebibytes(900) }, /^storage must be a size of at least/],
  [
    'a request above its limit',
    { resources: compute([2000, 1000], [512, 1024]) },
    /^resources.cpu.request \(2000 m\) must not exceed/,
  ],
  ['no memory limit', { resources: { cpu: { request: Cpu.millis(100) } } }, /^resources.memory.limit is required/],
  [
    'too little memory',
    { resources: compute([100, 200], [64, 128]) },
    /^resources.memory.limit must be a size of at least 268435456/,
  ],
  ['too few connections', configured({ maxConnections: 9 }), /^configuration.maxConnections .* from 10 to 5000, got 9/],
  ['half a connection', configured({ maxConnections: 20.5 }), /^configuration.maxConnections .* whole number/],
  [
    'a cache above 40 %',
    configured({ sharedBuffers: Size.mebibytes(500) }),
    /^configuration.sharedBuffers \(500 MiB\) must be at most 40 % of the memory limit \(1024 MiB\)/,
  ],
  [
    'a cache without size',
    configured({ sharedBuffers: Size.kibibytes(Number.NaN) }),
    /^configuration.sharedBuffers must be a size/,
  ],
  [
    'sorts that do not fit',
    configured({ workMem: Size.mebibytes(10) }),
    /^configuration: shared buffers, .* \(1320 MiB\) must fit the memory limit \(1024 MiB\)/,
  ],
  [
    'a sort of no size',
    configured({ workMem: Size.kibibytes(63) }),
    /^configuration.workMem must be a size of at least 65536 bytes/,
  ],
  [
    'planner cache of no size',
    configured({ effectiveCacheSize: Size.kibibytes(0) }),
    /^configuration.effectiveCacheSize must be a size/,
  ],
  [
    'maintenance memory of no size',
    configured({ maintenanceWorkMem: Size.kibibytes(1) }),
    /^configuration.maintenanceWorkMem must be a size/,
  ],
  [
    'a log larger than half of the disk',
    configured({ maxWalSize: Size.gibibytes(6) }),
    /^configuration.maxWalSize \(6144 MiB\) must be at most half of the storage \(10240 MiB\)/,
  ],
  [
    'a log of a segment',
    configured({ maxWalSize: Size.mebibytes(16) }),
    /^configuration.maxWalSize must be a size of at least/,
  ],
  [
    'a threshold that is no number',
    configured({ slowStatement: Duration.seconds(Number.NaN) }),
    /^configuration.slowStatement must be whole seconds/,
  ],
  [
    'a time-out of no time',
    configured({ statementTimeout: Duration.seconds(0) }),
    /^configuration.statementTimeout must be whole seconds/,
  ],
  [
    'an idle time-out of no time',
    configured({ idleInTransactionTimeout: Duration.millis(10) }),
    /^configuration.idleInTransactionTimeout must be whole/,
  ],
  [
    'a parameter with a blank',
    configured({ parameters: { 'a b': 1 } }),
    /'a b' is not the name of a PostgreSQL setting/,
  ],
  [
    'a parameter that the component owns',
    configured({ parameters: { listen_addresses: 'x' } }),
    /'listen_addresses' belongs to the component/,
  ],
  [
    'a parameter that has a field',
    configured({ parameters: { work_mem: '4MB' } }),
    /'work_mem' follows from a field of the configuration/,
  ],
  [
    'a parameter that logs passwords',
    configured({ parameters: { log_statement: 'ddl' } }),
    /'log_statement' writes the passwords/,
  ],
  [
    'a parameter that is no number',
    configured({ parameters: { geqo_seed: Number.NaN } }),
    /'geqo_seed' must be a number, got NaN/,
  ],
  [
    'a parameter of two lines',
    configured({ parameters: { search_path: 'a\nb = c' } }),
    /'search_path' must be a single line/,
  ],
  [
    'a script that is no SQL',
    { initScripts: { 'init.sh': 'true' } },
    /^initScripts: 'init.sh' must be a file name that ends in .sql/,
  ],
  [
    'a script outside of its folder',
    { initScripts: { '../x.sql': 'select 1' } },
    /^initScripts: '..\/x.sql' must be a file name/,
  ],
  ['an empty script', { initScripts: { 'a.sql': ' \n' } }, /^initScripts: 'a.sql' is empty/],
  [
    'scripts beyond a ConfigMap',
    { initScripts: { 'a.sql': long(1_100_000) } },
    /^initScripts must be at most 1048576 bytes together/,
  ],
  [
    'no time to shut down',
    { terminationGrace: Duration.seconds(0) },
    /^terminationGrace must be whole seconds, at least 1, got 0/,
  ],
  ['no time to start', { startupDeadline: Duration.seconds(Number.NaN) }, /^startupDeadline must be whole seconds/],
  ['a label value with a blank', { labels: { team: 'x y!' } }, /^labels\['team'\] must be a label value/],
  ['a label key with a blank', { labels: { 'a b': 'x' } }, /^labels: the name of 'a b' must be/],
  ['a label key without a name', { labels: { 'example.com/': 'x' } }, /^labels: 'example.com\/' must be a label key/],
  [
    'a label prefix that is no domain',
    { labels: { 'EX/a': 'x' } },
    /^labels: the prefix of 'EX\/a' must be an RFC 1123 subdomain/,
  ],
  [
    'the label that selects',
    { labels: { 'app.kubernetes.io/name': 'x' } },
    /^labels: 'app.kubernetes.io\/name' selects the pods/,
  ],
  [
    'a minute 61',
    { backup: { ...backup, schedule: '61 * * * *' } },
    /^backup.schedule must be a cron schedule: minute '61'/,
  ],
  ['keeping nothing', { backup: { ...backup, keep: 0 } }, /^backup.keep must be a whole number from 1 to 366, got 0/],
  [
    'room for no dump',
    { backup: { ...backup, target: BackupTarget.volume(Size.gibibytes(0)) } },
    /^backup.target.size must be a size/,
  ],
  ['a short key', { backup: { ...backup, encryptionKey: 'canary' } }, /^backup.encryptionKey must have .* not shown$/],
  ['an image that is none', { backup: { ...backup, image: 'A B' } }, /^backup.image must be an image reference/],
  ['half a day', { backup: { ...backup, maxAge: Duration.hours(12) } }, /^backup.maxAge must be .* at least 86400/],
  ['no time at all', { backup: { ...backup, overdueAfter: Duration.seconds(0) } }, /^backup.overdueAfter must be/],
  [
    'a drill in hour 25',
    { backup: { ...backup, drill: { schedule: '0 25 * * *' } } },
    /^backup.drill.schedule must be/,
  ],
  [
    'a drill without room',
    { backup: { ...backup, drill: { schedule: '@daily', scratch: Size.gibibytes(0) } } },
    /^backup.drill.scratch must be a size/,
  ],
  [
    'a drill without time',
    { backup: { ...backup, drill: { schedule: '@daily', deadline: Duration.seconds(5) } } },
    /^backup.drill.deadline must be whole seconds, at least 60/,
  ],
  [
    'a drill that is overdue at once',
    { backup: { ...backup, drill: { schedule: '@daily', overdueAfter: Duration.seconds(5) } } },
    /^backup.drill.overdueAfter must be whole seconds, at least 60/,
  ],
  [
    'jobs without a limit of memory',
    { backup: { ...backup, resources: {} } },
    /^backup.resources.memory.limit is required/,
  ],
  [
    'a deadline under a minute',
    { backup: { ...backup, deadline: Duration.seconds(5) } },
    /^backup.deadline must be whole seconds, at least 60/,
  ],
];

test.each(cases)('%s is refused with one problem', (_what, props, expected) => {
  const found = problems(props);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(expected);
});

test('an id is checked like a name', () => {
  expect(problems({}, 'Post_gres')).toEqual([expect.stringMatching(/^name must be an RFC 1123 label/)]);
});

test('every problem is in one error, with the path of the construct, before any object is made', () => {
  const chart = newChart();
  const build = () =>
    new StatefulDatabase(chart, 'postgres', { ...minimalDatabase, databaseName: 'my-db', storage: Size.mebibytes(1) });
  expect(build).toThrow(ValidationError);
  expect(objectsOf(chart)).toEqual([]);
  const again = () => new StatefulDatabase(newChart(), 'postgres', { engine, password: '', databaseName: 'my-db' });
  expect(again).toThrow(/^test\/postgres: databaseName must[^]*\n +password must/);
});

test('no message shows a password', () => {
  expect(problems({ password: 'canary@word/!' }).join()).not.toContain('canary');
});

test('props at both ends are accepted', () => {
  expect(problems(minimalDatabase)).toEqual([]);
  expect(problems(fullDatabase)).toEqual([]);
  expect(problems({ name: long(52) })).toEqual([]);
  expect(problems({ name: long(45), backup })).toEqual([]);
});

test('derived settings fit every container and every disk', () => {
  const machine = fc.record({
    mebibytes: fc.integer({ min: 256, max: 1 << 19 }),
    gibibytes: fc.integer({ min: 1, max: 1 << 14 }),
  });
  fc.assert(
    fc.property(machine, fc.integer({ min: 10, max: 200 }), ({ mebibytes, gibibytes }, maxConnections) => {
      const memory = Size.mebibytes(mebibytes);
      const storage = Size.gibibytes(gibibytes);
      const settings = databaseSettings(
        { memory, storage, cpuMillis: 1000, port: 5432, pooled: 0, maxLag: undefined },
        { maxConnections },
      );
      const used = sizeBytes(settings.sharedBuffers) + maxConnections * sizeBytes(settings.workMem);
      expect(used + sizeBytes(settings.maintenanceWorkMem)).toBeLessThanOrEqual(sizeBytes(memory));
      expect(sizeBytes(settings.workMem)).toBeGreaterThanOrEqual(64 * 1024);
      expect(sizeBytes(settings.maxWalSize)).toBeLessThanOrEqual(sizeBytes(storage) / 2);
    }),
  );
});

test('settings of extensions are parameters like others', () => {
  expect(parameterProblems({ 'pg_stat_statements.track': 'all', geqo: false, log_statement: 'none' })).toEqual([]);
});
