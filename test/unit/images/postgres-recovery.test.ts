import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const FILES = resolve(__dirname, '../../../images/postgres/files');
const SHARE = '/usr/share/trellis/postgres';

let root = '';
let data = '';

const program = (name: string, body: string): void =>
  writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });

/** What pgBackRest says of the repositories: 0 backups, 1 nothing at all, 2 no backup yet, 99 not to be read. */
const repositories = (states: Readonly<Record<string, number>>): void => {
  const cases = Object.entries(states).map(([name, code]) => `${name}) code=${code} ;;`);
  program(
    'pgbackrest-repository',
    `echo "$@" >> '${root}/asked'
case "$1" in ${cases.join(' ')} esac
case "$*" in
  *' info '*) echo '[{"name":"main","repo":[{"status":{"code":0}}],"status":{"code":'$code',"message":"-"}}]' ;;
  *restore)
    for argument; do case "$argument" in --pg1-path=*) to=\${argument#*=} ;; esac; done
    echo 15 > "$to/PG_VERSION"
    printf 'restore_command = x\\nrecovery_target_time = y\\nwork_mem = 4\\n' > "$to/postgresql.auto.conf"
    touch "$to/standby.signal" ;;
esac`,
  );
};

/** The image's own programs, with the folder that they share moved. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'trellis-recovery-'));
  for (const folder of ['volume', 'repositories', 'keys', 'secrets']) mkdirSync(join(root, folder));
  cpSync(join(FILES, SHARE), join(root, 'share'), { recursive: true });
  cpSync(join(FILES, 'usr/local/bin'), join(root, 'bin'), { recursive: true });
  for (const name of readdirSync(join(root, 'bin'))) {
    const text = readFileSync(join(root, 'bin', name), 'utf8').replaceAll(SHARE, join(root, 'share'));
    writeFileSync(join(root, 'bin', name), text);
  }
  data = join(root, 'volume', 'pgdata');
  program('id', 'echo 10070');
  program('sleep', 'exit 0');
  repositories({ archive: 1, source: 0 });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const run = (name: string, env: Readonly<Record<string, string>> = {}, ...args: readonly string[]) => {
  const { status, stderr } = spawnSync(join(root, 'bin', name), args, {
    env: {
      PATH: `${join(root, 'bin')}:/usr/bin:/bin`,
      PGDATA: data,
      POSTGRES_PASSWORD: 'canary-password',
      POSTGRES_REPOSITORIES: join(root, 'repositories'),
      POSTGRES_REPOSITORY_KEYS: join(root, 'keys'),
      POSTGRES_REPOSITORY_SECRETS: join(root, 'secrets'),
      ...env,
    },
    encoding: 'utf8',
  });
  return { status, stderr };
};
const restore = (role: string, env: Readonly<Record<string, string>> = {}) =>
  run('postgres-restore', { POSTGRES_RECOVERY: role, ...env });
const asked = (): string => (existsSync(join(root, 'asked')) ? readFileSync(join(root, 'asked'), 'utf8') : '');
const archives = (): void => writeFileSync(join(root, 'repositories', 'archive.conf'), '');
const origin = (): string | undefined => {
  const file = join(root, 'volume', '.recovered-from');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
};
/** A volume with data. */
const filled = (...files: readonly string[]): void => {
  mkdirSync(data);
  writeFileSync(join(data, 'PG_VERSION'), '15\n');
  for (const file of files) writeFileSync(join(data, file), '');
};
const recovered = (from: string): void => writeFileSync(join(root, 'volume', '.recovered-from'), `${from}\n`);

describe('an empty volume', () => {
  test('of a standby is filled from the source, whole or not at all, without settings that would outlive it', () => {
    expect(restore('standby')).toMatchObject({ status: 0 });
    expect(asked()).toMatch(/^source --pg1-path=\S+unfinished .*--type=standby restore$/m);
    expect(readdirSync(join(root, 'volume')).sort()).toEqual(['.recovered-from', 'pgdata']);
    expect(readFileSync(join(data, 'postgresql.auto.conf'), 'utf8')).toBe('work_mem = 4\n');
    expect(origin()).toBe('source');
  });

  test('of a primary is filled from its own archive where that has backups: what was written since a promotion is there', () => {
    archives();
    repositories({ archive: 0, source: 0 });
    expect(restore('primary')).toMatchObject({ status: 0 });
    expect(asked()).toMatch(/^archive .*--type=default restore$/m);
    expect(origin()).toBe('archive');
  });

  test('of a primary is filled from the source where its own archive is new, or a moment is asked for', () => {
    archives();
    expect(restore('primary')).toMatchObject({ status: 0 });
    expect(asked()).toMatch(/^source .*--type=default restore$/m);
    rmSync(data, { recursive: true });
    repositories({ archive: 0, source: 0 });
    expect(restore('primary', { POSTGRES_RECOVERY_TO: '2026-03-04 05:06:07.000+00' })).toMatchObject({ status: 0 });
    expect(asked()).toMatch(
      /^source .*--type=time --target=2026-03-04 05:06:07.000\+00 --target-action=promote restore$/m,
    );
  });

  test('is not filled on a guess: an archive that can’t be read may hold more', () => {
    archives();
    repositories({ archive: 99, source: 0 });
    expect(restore('primary')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining("'archive' can't be read") as string,
    });
    expect(asked()).not.toContain('restore');
  });

  test('waits for a first backup, and says in the end that there is none', () => {
    repositories({ source: 2 });
    expect(restore('standby')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('no backup to begin with') as string,
    });
    expect(existsSync(data)).toBe(false);
  });

  test('becomes no new database where the archive knows one, or can’t be asked', () => {
    archives();
    program('initdb', `touch '${root}/made'; exit 1`);
    repositories({ archive: 0 });
    const known = run('postgres-entrypoint', {}, 'postgres');
    expect(known).toMatchObject({ status: 78, stderr: expect.stringContaining('has backups of a database') as string });
    repositories({ archive: 99 });
    expect(run('postgres-entrypoint', {}, 'postgres')).toMatchObject({ status: 78 });
    expect(existsSync(join(root, 'made'))).toBe(false);
    repositories({ archive: 3 });
    run('postgres-entrypoint', {}, 'postgres');
    expect(existsSync(join(root, 'made'))).toBe(true);
  });
});

describe('a volume with data', () => {
  test('of a standby is promoted by its role: it reads the archive to its end, and begins a timeline', () => {
    filled('standby.signal');
    recovered('source');
    expect(restore('primary')).toMatchObject({ status: 0 });
    expect(readdirSync(data).sort()).toEqual(['PG_VERSION', 'recovery.signal']);
    expect(origin()).toBe('source');
  });

  test('of a primary never becomes a standby', () => {
    filled();
    expect(restore('standby')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('delete its volume') as string,
    });
    expect(readdirSync(data)).toEqual(['PG_VERSION']);
  });

  test('of a standby that was promoted by hand stays a primary, and the log says what to change', () => {
    filled();
    recovered('source');
    expect(restore('standby')).toMatchObject({ status: 0, stderr: expect.stringContaining('was promoted') as string });
  });

  test('is a primary’s for good once its role says so: that it began as a standby’s is forgotten', () => {
    filled();
    recovered('source');
    expect(restore('primary')).toMatchObject({ status: 0 });
    expect(origin()).toBeUndefined();
    expect(restore('standby')).toMatchObject({ status: 78 });
  });

  test('is left alone, whatever the repositories hold', () => {
    filled('standby.signal');
    expect(restore('standby')).toMatchObject({ status: 0 });
    expect(asked()).toBe('');
  });
});

test('a role that is none, and a moment for a standby, are refused', () => {
  expect(restore('replica')).toMatchObject({ status: 78, stderr: expect.stringContaining("'replica'") as string });
  expect(restore('standby', { POSTGRES_RECOVERY_TO: 'x' })).toMatchObject({ status: 78 });
});

describe('keys of a repository', () => {
  const secret = (files: Readonly<Record<string, string>>): void => {
    mkdirSync(join(root, 'secrets', 'archive'), { recursive: true });
    for (const [name, value] of Object.entries(files)) writeFileSync(join(root, 'secrets', 'archive', name), value);
  };
  const file = (): string => join(root, 'keys', 'archive', 'keys.conf');

  test('become one file that nobody else can read, and are in no output', () => {
    secret({ PASSPHRASE: 'canary pass#phrase\n', ACCESS_KEY_ID: 'canary-id', SECRET_ACCESS_KEY: 'canary-key' });
    const { status, stderr } = run('pgbackrest-keys', {}, 'archive');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readFileSync(file(), 'utf8')).toBe(
      '[global]\nrepo1-cipher-pass=canary pass#phrase\nrepo1-s3-key=canary-id\nrepo1-s3-key-secret=canary-key\n',
    );
    expect(statSync(file()).mode & 0o777).toBe(0o440);
  });

  test('are made anew when a container starts again', () => {
    secret({ PASSPHRASE: 'first' });
    run('pgbackrest-keys', {}, 'archive');
    secret({ PASSPHRASE: 'second' });
    expect(run('pgbackrest-keys', {}, 'archive').status).toBe(0);
    expect(readFileSync(file(), 'utf8')).toBe('[global]\nrepo1-cipher-pass=second\n');
  });

  test.each([
    ['two lines, of which one would be a setting', { PASSPHRASE: 'canary\nrepo1-path=/' }],
    ['nothing', { PASSPHRASE: '' }],
    ['no passphrase', { ACCESS_KEY_ID: 'canary' }],
  ])('are refused with %s, without the value', (_title, files) => {
    secret(files);
    const { status, stderr } = run('pgbackrest-keys', {}, 'archive');
    expect(status).toBe(78);
    expect(stderr).toMatch(/PASSPHRASE/);
    expect(stderr).not.toContain('canary');
    expect(existsSync(file())).toBe(false);
  });
});
