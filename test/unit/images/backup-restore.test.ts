import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { ARCHIVE, BackupMachine, FILES, KEY } from './backup-machine';

let machine: BackupMachine;
beforeEach(() => {
  machine = new BackupMachine();
});
afterEach(() => machine.remove());

describe('a restore', () => {
  const content = (): string => readFileSync(path.join(machine.data, 'note.txt'), 'utf8');

  test('is refused where there is data, and replaces it where that is asked for', () => {
    machine.good();
    writeFileSync(path.join(machine.data, 'note.txt'), 'changed');
    writeFileSync(path.join(machine.data, 'later.txt'), 'later');
    const refused = machine.run('restore');
    expect(refused).toMatchObject({ status: 78, stderr: expect.stringContaining('nothing was changed') as string });
    expect(content()).toBe('changed');
    expect(machine.run('restore', { RESTORE_REPLACE: 'true' })).toMatchObject({ status: 0 });
    expect(content()).toBe('as it was');
    expect(readdirSync(machine.data)).toEqual(['note.txt']);
  });

  test('of a certain archive into an empty volume', () => {
    machine.good();
    writeFileSync(path.join(machine.data, 'note.txt'), 'a day later');
    machine.backupAt('2026-01-03 00:00:00');
    rmSync(path.join(machine.data, 'note.txt'));
    expect(machine.run('restore', { RESTORE_ARCHIVE: ARCHIVE })).toMatchObject({ status: 0 });
    expect(content()).toBe('as it was');
  });

  test('of an archive that was changed is refused before anything is', () => {
    machine.good();
    writeFileSync(path.join(machine.archives, `${ARCHIVE}.age`), 'x');
    const { status, stderr } = machine.run('restore', { RESTORE_REPLACE: 'true' });
    expect(status).toBe(1);
    expect(stderr).toContain(`${ARCHIVE}.age is not what was written: its checksum is`);
    expect(content()).toBe('as it was');
  });

  test('with another key changes nothing', () => {
    machine.good();
    writeFileSync(path.join(machine.data, 'note.txt'), 'changed');
    writeFileSync(path.join(machine.root, 'key'), 'another-key-of-the-archives-0123456789');
    const { status, stderr } = machine.run('restore', { RESTORE_REPLACE: 'true' });
    expect(status).not.toBe(0);
    expect(stderr).toContain(`failed while restoring ${ARCHIVE}`);
    expect(content()).toBe('changed');
    expect(readdirSync(machine.data)).toEqual(['note.txt']);
  });

  test('of what is not there says what is', () => {
    expect(machine.run('restore').stderr).toContain('there is no archive of files');
    machine.good();
    expect(machine.run('restore', { RESTORE_ARCHIVE: 'files-20200101T000000Z' }).stderr).toContain(
      `there are: ${ARCHIVE}`,
    );
  });
});

describe('a drill', () => {
  test('passes on what comes back as it was', () => {
    machine.good();
    expect(machine.run('drill')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining(`verified: ${ARCHIVE}`) as string,
    });
    expect(readdirSync(path.join(machine.root, 'scratch'))).toEqual([]);
  });

  test('fails on a wrong checksum, another key, and an archive without what has to be in it', () => {
    machine.good();
    writeFileSync(path.join(machine.root, 'key'), 'another-key-of-the-archives-0123456789');
    expect(machine.run('drill').stderr).toContain('is this the key that it was made with?');
    writeFileSync(path.join(machine.root, 'key'), KEY);
    // As it would be if something were missing: the right checksum of another archive.
    writeFileSync(path.join(machine.data, 'more.txt'), 'more');
    machine.backupAt('2026-01-03 00:00:00');
    const later = 'files-20260103T000000Z';
    const fewer = readFileSync(path.join(machine.archives, `${ARCHIVE}.age`));
    writeFileSync(path.join(machine.archives, `${later}.age`), fewer);
    expect(machine.run('drill').stderr).toContain(`${later}.age is not what was written`);
    const sums = readFileSync(path.join(machine.archives, `${later}.sha256`), 'utf8');
    const right = createHash('sha256').update(fewer).digest('hex');
    writeFileSync(path.join(machine.archives, `${later}.sha256`), sums.replace(/^[0-9a-f]{64}/, right));
    const { status, stderr } = machine.run('drill');
    expect(status).toBe(1);
    expect(stderr).toContain(`what ${later} gave back (+) is not what was backed up (-)`);
    expect(stderr).toMatch(/^-entries - 2$/m);
    expect(stderr).toMatch(/^\+entries - 1$/m);
  });

  test('without an archive fails', () => {
    expect(machine.run('drill')).toMatchObject({ status: 1 });
  });
});

describe('the key', () => {
  const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
  const identityOf = (key: string): string => {
    writeFileSync(path.join(machine.root, 'key'), key);
    const script = `name=x run=${machine.root}/run; fail() { exit 1; }; refuse() { exit 78; }; . ${FILES}/usr/share/trellis/backup/key.sh; make_identity; cat "$identity"`;
    return spawnSync('/bin/bash', ['-euc', script], {
      env: { PATH: '/usr/bin:/bin', BACKUP_KEY_FILE: path.join(machine.root, 'key') },
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
