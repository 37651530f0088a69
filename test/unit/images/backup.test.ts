import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

const FILES = path.resolve(__dirname, '../../../images/backup/files');
const KEY = 'canary-key-of-the-archives-0123456789';
const TASK = path.join(FILES, 'usr/local/bin/trellis-backup');

let root = '';
let archives = '';
let data = '';

/** A program of the image, by a stand-in that does what the test says. The scripts, tar, gzip and the checksums are the real ones. */
const standIn = (name: string, body: string): void =>
  writeFileSync(path.join(root, 'bin', name), `#!/bin/bash\n${body}\n`, { mode: 0o755 });
/** Age's frame without its cipher: what was encrypted to another identity is refused, and so is what was cut or changed. */
const AGE = `
task=$1; identity=$(sha256sum < "$3" | cut -c 1-64)
if [ "$task" = --encrypt ]; then
  content=$(base64 -w 0); printf 'stand-in %s %s %s\\n' "$identity" "$(printf %s "$content" | sha256sum | cut -c 1-64)" "$content"
else
  read -r frame whose sum content || true
  [ "$whose" = "$identity" ] || { echo "no identity matched" >&2; exit 1; }
  [ "$(printf %s "$content" | sha256sum | cut -c 1-64)" = "$sum" ] || { echo "failed to authenticate" >&2; exit 1; }
  printf %s "$content" | base64 -d
fi`;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'trellis-backup-'));
  archives = path.join(root, 'archives');
  data = path.join(root, 'data');
  for (const folder of ['bin', 'archives', 'data', 'run', 'scratch']) mkdirSync(path.join(root, folder));
  writeFileSync(path.join(root, 'key'), KEY);
  writeFileSync(path.join(data, 'note.txt'), 'as it was');
  standIn('age', AGE);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const environment = (): Record<string, string> => ({
  PATH: `${path.join(root, 'bin')}:/usr/bin:/bin`,
  BACKUP_SHARE_DIR: path.join(FILES, 'usr/share/trellis/backup'),
  BACKUP_KIND: 'volume',
  BACKUP_NAME: 'files',
  BACKUP_DIR: archives,
  BACKUP_DATA_DIR: data,
  BACKUP_KEY_FILE: path.join(root, 'key'),
  BACKUP_RUN_DIR: path.join(root, 'run'),
  BACKUP_SCRATCH_DIR: path.join(root, 'scratch'),
  BACKUP_CONNECT_SECONDS: '1',
});

const run = (task: string, env: Readonly<Record<string, string>> = {}) =>
  spawnSync('/bin/bash', [TASK, task], { env: { ...environment(), ...env }, encoding: 'utf8' });
const listed = (): readonly string[] =>
  readdirSync(archives)
    .filter((name) => !name.endsWith('.lock'))
    .sort();
const names = (): readonly string[] =>
  listed().flatMap((name) => (name.endsWith('.sha256') ? [name.replace('.sha256', '')] : []));
/** The clock of the scripts; `date -d`, which reads a given time, stays as it is. */
const clock = (iso: string): void =>
  standIn('date', `case "$*" in *-d*) exec /bin/date "$@" ;; *) exec /bin/date -u -d '${iso}' "\${@: -1}" ;; esac`);
/** Backs up at a given time. */
const backupAt = (iso: string, env: Readonly<Record<string, string>> = {}) => {
  clock(iso);
  const result = run('backup', env);
  expect(result).toMatchObject({ status: 0 });
  return result;
};
const good = () => backupAt('2026-01-02 03:04:05');
const ARCHIVE = 'files-20260102T030405Z';

describe('a backup', () => {
  test('is an archive, what has to be in it, and a checksum of both; it says so as JSON', () => {
    const { stdout } = good();
    expect(listed()).toEqual([`${ARCHIVE}.age`, `${ARCHIVE}.facts.age`, `${ARCHIVE}.sha256`]);
    const sum = (name: string): string =>
      createHash('sha256')
        .update(readFileSync(path.join(archives, name)))
        .digest('hex');
    expect(readFileSync(path.join(archives, `${ARCHIVE}.sha256`), 'utf8')).toBe(
      [`${ARCHIVE}.age`, `${ARCHIVE}.facts.age`].map((name) => `${sum(name)}  ${name}\n`).join(''),
    );
    const bytes = readFileSync(path.join(archives, `${ARCHIVE}.age`)).length;
    expect(JSON.parse(stdout)).toEqual({ archive: ARCHIVE, bytes, sha256: sum(`${ARCHIVE}.age`) });
  });

  test('says nothing of the key, gives it to no program as an argument, and leaves no identity behind', () => {
    standIn('age', `echo "$*" >> ${root}/arguments\n${AGE}`);
    const { stdout, stderr } = good();
    expect(stdout + stderr + readFileSync(path.join(root, 'arguments'), 'utf8')).not.toMatch(/canary|AGE-SECRET/i);
    expect(readdirSync(path.join(root, 'run'))).not.toContain('identity');
  });

  test('without a key is refused, and tried no second time', () => {
    rmSync(path.join(root, 'key'));
    expect(run('backup')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('the key is missing') as string,
    });
    writeFileSync(path.join(root, 'key'), 'short');
    expect(run('backup')).toMatchObject({ status: 78, stderr: expect.stringContaining('too short') as string });
    expect(listed()).toEqual([]);
  });

  test('that fails on its way leaves nothing, and takes nothing away', () => {
    good();
    const before = listed();
    standIn('tar', 'echo half; exit 2');
    expect(run('backup', { BACKUP_KEEP: '1' }).status).not.toBe(0);
    expect(listed()).toEqual(before);
  });

  test('that cannot be read back is none', () => {
    standIn('age', `[ "$1" = --encrypt ] || { echo "failed to authenticate" >&2; exit 1; }\n${AGE}`);
    const { status, stderr } = run('backup');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/failed while reading files-.* back/);
    expect(listed()).toEqual([]);
  });

  test('that was killed is no archive, and the next run removes what it left', () => {
    standIn('tar', 'echo half; kill -KILL $(ps -o ppid= -p $PPID)');
    run('backup');
    const left = [`.partial-${ARCHIVE}.age`, `${ARCHIVE}.age`, `${ARCHIVE}.facts.age`];
    for (const name of left) writeFileSync(path.join(archives, name), 'half');
    expect(run('list').stdout).toBe('');
    rmSync(path.join(root, 'bin/tar'));
    backupAt('2026-01-03 00:00:00');
    expect(names()).toEqual(['files-20260103T000000Z']);
    expect(listed()).toHaveLength(3);
  });

  test('on a disk that takes no more fails, and leaves it as it was', () => {
    good();
    const before = listed();
    writeFileSync(path.join(data, 'large'), Buffer.alloc(3 << 20, Math.random().toString()));
    standIn('gzip', 'exec cat');
    // A bound of the shell for the size of files stands in for a full disk.
    const shell = spawnSync('/bin/bash', ['-c', `ulimit -f 512; exec /bin/bash ${TASK} backup`], {
      env: environment(),
      encoding: 'utf8',
    });
    expect(shell.status).not.toBe(0);
    expect(listed()).toEqual(before);
  });

  test('waits for no other, and says that one is running', () => {
    const lock = path.join(archives, '.files.lock');
    const { status, stderr } = spawnSync('flock', [lock, '/bin/bash', TASK, 'backup'], {
      env: environment(),
      encoding: 'utf8',
    });
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining('is running') as string });
  });

  test('of files that change meanwhile is kept, with a warning', () => {
    standIn('tar', '/bin/tar "$@"; case "$*" in *--create*) exit 1 ;; esac');
    expect(backupAt('2026-01-02 03:04:05').stderr).toContain('files changed while they were read');
  });
});

describe('what is kept', () => {
  const days = (...all: readonly number[]): void => {
    for (const day of all) backupAt(`2026-01-${String(day).padStart(2, '0')} 00:00:00`, { BACKUP_KEEP: '99' });
  };

  test('by count, the newest', () => {
    days(1, 2, 3);
    backupAt('2026-01-04 00:00:00', { BACKUP_KEEP: '2' });
    expect(names()).toEqual(['files-20260103T000000Z', 'files-20260104T000000Z']);
    expect(listed()).toHaveLength(6);
  });

  test('by age, and never less than the two newest', () => {
    days(1, 2, 20);
    backupAt('2026-01-21 00:00:00', { BACKUP_KEEP: '99', BACKUP_MAX_AGE_DAYS: '10' });
    expect(names()).toEqual(['files-20260120T000000Z', 'files-20260121T000000Z']);
    // A clock that is years ahead makes all of them old.
    backupAt('2031-01-01 00:00:00', { BACKUP_KEEP: '99', BACKUP_MAX_AGE_DAYS: '10' });
    expect(names()).toEqual(['files-20260121T000000Z', 'files-20310101T000000Z']);
  });

  test('is in order also when the clock was ahead and was put right', () => {
    backupAt('2027-01-01 00:00:00');
    const { stderr } = backupAt('2026-01-01 00:00:00');
    expect(stderr).toMatch(/warning: the newest archive is [0-9]+ seconds ahead/);
    expect(names()).toEqual(['files-20270101T000000Z', 'files-20270101T000001Z']);
    expect(run('restore', { RESTORE_REPLACE: 'true' }).stderr).toContain('restored: files-20270101T000001Z');
  });

  test('of others is nobody’s business', () => {
    for (const name of ['files-other-20200101T000000Z.age', 'files-notes.txt', 'other-20200101T000000Z.sha256'])
      writeFileSync(path.join(archives, name), 'mine');
    backupAt('2026-01-01 00:00:00', { BACKUP_KEEP: '1' });
    expect(listed()).toHaveLength(6);
  });
});

describe('a restore', () => {
  const content = (): string => readFileSync(path.join(data, 'note.txt'), 'utf8');

  test('is refused where there is data, and replaces it where that is asked for', () => {
    good();
    writeFileSync(path.join(data, 'note.txt'), 'changed');
    writeFileSync(path.join(data, 'later.txt'), 'later');
    const refused = run('restore');
    expect(refused).toMatchObject({ status: 78, stderr: expect.stringContaining('nothing was changed') as string });
    expect(content()).toBe('changed');
    expect(run('restore', { RESTORE_REPLACE: 'true' })).toMatchObject({ status: 0 });
    expect(content()).toBe('as it was');
    expect(readdirSync(data)).toEqual(['note.txt']);
  });

  test('of a certain archive into an empty volume', () => {
    good();
    writeFileSync(path.join(data, 'note.txt'), 'a day later');
    backupAt('2026-01-03 00:00:00');
    rmSync(path.join(data, 'note.txt'));
    expect(run('restore', { RESTORE_ARCHIVE: ARCHIVE })).toMatchObject({ status: 0 });
    expect(content()).toBe('as it was');
  });

  test('of an archive that was changed is refused before anything is', () => {
    good();
    writeFileSync(path.join(archives, `${ARCHIVE}.age`), 'x');
    const { status, stderr } = run('restore', { RESTORE_REPLACE: 'true' });
    expect(status).toBe(1);
    expect(stderr).toContain(`${ARCHIVE}.age is not what was written: its checksum is`);
    expect(content()).toBe('as it was');
  });

  test('with another key changes nothing', () => {
    good();
    writeFileSync(path.join(data, 'note.txt'), 'changed');
    writeFileSync(path.join(root, 'key'), 'another-key-of-the-archives-0123456789');
    const { status, stderr } = run('restore', { RESTORE_REPLACE: 'true' });
    expect(status).not.toBe(0);
    expect(stderr).toContain(`failed while restoring ${ARCHIVE}`);
    expect(content()).toBe('changed');
    expect(readdirSync(data)).toEqual(['note.txt']);
  });

  test('of what is not there says what is', () => {
    expect(run('restore').stderr).toContain('there is no archive of files');
    good();
    expect(run('restore', { RESTORE_ARCHIVE: 'files-20200101T000000Z' }).stderr).toContain(`there are: ${ARCHIVE}`);
  });
});

describe('a drill', () => {
  test('passes on what comes back as it was', () => {
    good();
    expect(run('drill')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining(`verified: ${ARCHIVE}`) as string,
    });
    expect(readdirSync(path.join(root, 'scratch'))).toEqual([]);
  });

  test('fails on a wrong checksum, another key, and an archive without what has to be in it', () => {
    good();
    writeFileSync(path.join(root, 'key'), 'another-key-of-the-archives-0123456789');
    expect(run('drill').stderr).toContain('is this the key that it was made with?');
    writeFileSync(path.join(root, 'key'), KEY);
    // As it would be if something were missing: the right checksum of another archive.
    writeFileSync(path.join(data, 'more.txt'), 'more');
    backupAt('2026-01-03 00:00:00');
    const later = 'files-20260103T000000Z';
    const fewer = readFileSync(path.join(archives, `${ARCHIVE}.age`));
    writeFileSync(path.join(archives, `${later}.age`), fewer);
    expect(run('drill').stderr).toContain(`${later}.age is not what was written`);
    const sums = readFileSync(path.join(archives, `${later}.sha256`), 'utf8');
    const right = createHash('sha256').update(fewer).digest('hex');
    writeFileSync(path.join(archives, `${later}.sha256`), sums.replace(/^[0-9a-f]{64}/, right));
    const { status, stderr } = run('drill');
    expect(status).toBe(1);
    expect(stderr).toContain(`what ${later} gave back (+) is not what was backed up (-)`);
    expect(stderr).toMatch(/^-entries - 2$/m);
    expect(stderr).toMatch(/^\+entries - 1$/m);
  });

  test('without an archive fails', () => {
    expect(run('drill')).toMatchObject({ status: 1 });
  });
});

describe('the key', () => {
  const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
  const identityOf = (key: string): string => {
    writeFileSync(path.join(root, 'key'), key);
    const script = `name=x run=${root}/run; fail() { exit 1; }; refuse() { exit 78; }; . ${FILES}/usr/share/trellis/backup/key.sh; make_identity; cat "$identity"`;
    return spawnSync('/bin/bash', ['-euc', script], {
      env: { PATH: '/usr/bin:/bin', BACKUP_KEY_FILE: path.join(root, 'key') },
      encoding: 'utf8',
    }).stdout.trim();
  };
  /** Bytes of a Bech32 text, with its checksum left out. */
  const bytesOf = (text: string): string => {
    const bits = [...text.slice(text.lastIndexOf('1') + 1, -6)]
      .map((one) => ALPHABET.indexOf(one).toString(2).padStart(5, '0'))
      .join('');
    return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2))).toString('hex');
  };

  test('of any text leads to one identity of age, whose 32 bytes are its digest', () => {
    const identity = identityOf(KEY);
    expect(identity).toMatch(/^AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}$/);
    expect(identityOf(KEY)).toBe(identity);
    const digest = createHash('sha256').update(`trellis backup 1:${KEY}`).digest('hex');
    expect(bytesOf(identity.toLowerCase())).toBe(digest);
  });

  test('has the checksum of Bech32, as the standard’s own example has', () => {
    const encode = (hrp: string, hex: string): string =>
      spawnSync('/bin/bash', ['-euc', `. ${FILES}/usr/share/trellis/backup/key.sh; encode ${hrp} '${hex}'`], {
        encoding: 'utf8',
      }).stdout.trim();
    // BIP 173, without the version that Bitcoin puts before the bytes.
    expect(encode('a', '')).toBe('a12uel5l');
    expect(encode('abcdef', '00443214c74254b635cf84653a56d7c675be77df')).toBe(
      'abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw',
    );
  });

  test('that is an identity of age already is taken as it is', () => {
    const own = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`;
    expect(identityOf(own)).toBe(own);
  });
});

test('bash accepts every script', () => {
  const share = path.join(FILES, 'usr/share/trellis/backup');
  const sourced = readdirSync(share).filter((name) => name.endsWith('.sh'));
  expect(sourced).toHaveLength(6);
  for (const script of [TASK, ...sourced.map((name) => path.join(share, name))])
    expect(spawnSync('/bin/bash', ['-n', script])).toMatchObject({ status: 0 });
});
