import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { AGE_STAND_IN, ARCHIVE, BackupMachine, FILES, TASK } from './backup-machine';

let machine: BackupMachine;
beforeEach(() => {
  machine = new BackupMachine();
});
afterEach(() => machine.remove());

describe('a backup', () => {
  test('is an archive, what has to be in it, and a checksum of both; it says so as JSON', () => {
    const { stdout } = machine.good();
    expect(machine.listed).toEqual([`${ARCHIVE}.age`, `${ARCHIVE}.facts.age`, `${ARCHIVE}.sha256`]);
    const sum = (name: string): string =>
      createHash('sha256')
        .update(readFileSync(path.join(machine.archives, name)))
        .digest('hex');
    expect(readFileSync(path.join(machine.archives, `${ARCHIVE}.sha256`), 'utf8')).toBe(
      [`${ARCHIVE}.age`, `${ARCHIVE}.facts.age`].map((name) => `${sum(name)}  ${name}\n`).join(''),
    );
    const bytes = readFileSync(path.join(machine.archives, `${ARCHIVE}.age`)).length;
    expect(JSON.parse(stdout)).toEqual({ archive: ARCHIVE, bytes, sha256: sum(`${ARCHIVE}.age`) });
  });

  test('says nothing of the key, gives it to no program as an argument, and leaves no identity behind', () => {
    machine.standIn('age', `echo "$*" >> ${machine.root}/arguments\n${AGE_STAND_IN}`);
    const { stdout, stderr } = machine.good();
    expect(stdout + stderr + readFileSync(path.join(machine.root, 'arguments'), 'utf8')).not.toMatch(
      /canary|AGE-SECRET/i,
    );
    expect(readdirSync(path.join(machine.root, 'run'))).not.toContain('identity');
  });

  test('without a key is refused, and tried no second time', () => {
    rmSync(path.join(machine.root, 'key'));
    expect(machine.run('backup')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('the key is missing') as string,
    });
    writeFileSync(path.join(machine.root, 'key'), 'short');
    expect(machine.run('backup')).toMatchObject({ status: 78, stderr: expect.stringContaining('too short') as string });
    expect(machine.listed).toEqual([]);
  });

  test('that fails on its way leaves nothing, and takes nothing away', () => {
    machine.good();
    const before = machine.listed;
    machine.standIn('tar', 'echo half; exit 2');
    expect(machine.run('backup', { BACKUP_KEEP: '1' }).status).not.toBe(0);
    expect(machine.listed).toEqual(before);
  });

  test('that cannot be read back is none', () => {
    machine.standIn('age', `[ "$1" = --encrypt ] || { echo "failed to authenticate" >&2; exit 1; }\n${AGE_STAND_IN}`);
    const { status, stderr } = machine.run('backup');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/failed while reading files-.* back/);
    expect(machine.listed).toEqual([]);
  });

  test('that was killed is no archive, and the next run removes what it left', () => {
    machine.standIn('tar', 'echo half; kill -KILL $(ps -o ppid= -p $PPID)');
    machine.run('backup');
    const left = [`.partial-${ARCHIVE}.age`, `${ARCHIVE}.age`, `${ARCHIVE}.facts.age`];
    for (const name of left) writeFileSync(path.join(machine.archives, name), 'half');
    expect(machine.run('list').stdout).toBe('');
    rmSync(path.join(machine.root, 'bin/tar'));
    machine.backupAt('2026-01-03 00:00:00');
    expect(machine.names).toEqual(['files-20260103T000000Z']);
    expect(machine.listed).toHaveLength(3);
  });

  test('on a disk that takes no more fails, and leaves it as it was', () => {
    machine.good();
    const before = machine.listed;
    writeFileSync(path.join(machine.data, 'large'), Buffer.alloc(3 << 20, Math.random().toString()));
    machine.standIn('gzip', 'exec cat');
    // A bound of the shell for the size of files stands in for a full disk.
    const shell = spawnSync('/bin/bash', ['-c', `ulimit -f 512; exec /bin/bash ${TASK} backup`], {
      env: machine.environment,
      encoding: 'utf8',
    });
    expect(shell.status).not.toBe(0);
    expect(machine.listed).toEqual(before);
  });

  test('waits for no other, and says that one is running', () => {
    const lock = path.join(machine.archives, '.files.lock');
    const { status, stderr } = spawnSync('flock', [lock, '/bin/bash', TASK, 'backup'], {
      env: machine.environment,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining('is running') as string });
  });

  test('of files that change meanwhile is kept, with a warning', () => {
    machine.standIn('tar', '/bin/tar "$@"; case "$*" in *--create*) exit 1 ;; esac');
    expect(machine.backupAt('2026-01-02 03:04:05').stderr).toContain('files changed while they were read');
  });
});

describe('what is kept', () => {
  const days = (...all: readonly number[]): void => {
    for (const day of all) machine.backupAt(`2026-01-${String(day).padStart(2, '0')} 00:00:00`, { BACKUP_KEEP: '99' });
  };

  test('by count, the newest', () => {
    days(1, 2, 3);
    machine.backupAt('2026-01-04 00:00:00', { BACKUP_KEEP: '2' });
    expect(machine.names).toEqual(['files-20260103T000000Z', 'files-20260104T000000Z']);
    expect(machine.listed).toHaveLength(6);
  });

  test('by age, and never less than the two newest', () => {
    days(1, 2, 20);
    machine.backupAt('2026-01-21 00:00:00', { BACKUP_KEEP: '99', BACKUP_MAX_AGE_DAYS: '10' });
    expect(machine.names).toEqual(['files-20260120T000000Z', 'files-20260121T000000Z']);
    // A clock that is years ahead makes all of them old.
    machine.backupAt('2031-01-01 00:00:00', { BACKUP_KEEP: '99', BACKUP_MAX_AGE_DAYS: '10' });
    expect(machine.names).toEqual(['files-20260121T000000Z', 'files-20310101T000000Z']);
  });

  test('is in order also when the clock was ahead and was put right', () => {
    machine.backupAt('2027-01-01 00:00:00');
    const { stderr } = machine.backupAt('2026-01-01 00:00:00');
    expect(stderr).toMatch(/warning: the newest archive is [0-9]+ seconds ahead/);
    expect(machine.names).toEqual(['files-20270101T000000Z', 'files-20270101T000001Z']);
    expect(machine.run('restore', { RESTORE_REPLACE: 'true' }).stderr).toContain('restored: files-20270101T000001Z');
  });

  test('of others is nobody’s business', () => {
    for (const name of ['files-other-20200101T000000Z.age', 'files-notes.txt', 'other-20200101T000000Z.sha256'])
      writeFileSync(path.join(machine.archives, name), 'mine');
    machine.backupAt('2026-01-01 00:00:00', { BACKUP_KEEP: '1' });
    expect(machine.listed).toHaveLength(6);
  });
});

test('bash accepts every script', () => {
  const share = path.join(FILES, 'usr/share/trellis/backup');
  const sourced = readdirSync(share).filter((name) => name.endsWith('.sh'));
  expect(sourced).toHaveLength(6);
  for (const script of [TASK, ...sourced.map((name) => path.join(share, name))])
    expect(spawnSync('/bin/bash', ['-n', script])).toMatchObject({ status: 0 });
});
