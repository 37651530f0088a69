import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StatefulDatabase } from '../../../components/stateful-database';
import { minimalDatabase } from '../../support/props';
import { find, newChart } from '../../support/synth';

// The job's own text, with the folder of the dumps moved and PostgreSQL's two programs replaced.
const script = (folder: string): string => {
  const chart = newChart();
  new StatefulDatabase(chart, 'postgres', { ...minimalDatabase, backup: { schedule: '@daily' } });
  const { containers } = find(chart, 'batch/v1/CronJob', 'postgres-backup').spec.jobTemplate.spec.template.spec;
  const text = containers[0]?.args?.[2] ?? '';
  expect(text).toContain('cd /backup\n');
  return text.replace('cd /backup\n', `cd '${folder}'\n`);
};

describe('the dump', () => {
  let root = '';
  let folder = '';

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'trellis-backup-'));
    folder = mkdtempSync(join(root, 'dumps-'));
    writeFileSync(join(root, 'password'), 'canary-password');
    program(
      'pg_dump',
      'for arg; do case "$arg" in --file=*) echo "of $PGDATABASE with $PGPASSWORD" > "${arg#--file=}" ;; esac; done',
    );
    program('pg_restore', 'test -s "$2"');
    program('pg_isready', 'exit 0');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const program = (name: string, body: string): void =>
    writeFileSync(join(root, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  const run = (keep = 7) =>
    spawnSync('/bin/sh', ['-euc', script(folder)], {
      env: {
        PATH: `${root}:/usr/bin:/bin`,
        KEEP: String(keep),
        PGDATABASE: 'app',
        PASSWORD_FILE: join(root, 'password'),
      },
      encoding: 'utf8',
    });
  const listed = () => readdirSync(folder).sort();
  const old = (name: string): void => {
    for (const suffix of ['', '.sha256']) writeFileSync(join(folder, `${name}.dump${suffix}`), 'old');
  };

  test('is complete, readable and proven by the checksum beside it', () => {
    const { status, stdout } = run();
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^complete: app-.*\.dump/) as string,
    });
    const [dump = '', sum = '', ...others] = listed();
    expect(dump).toMatch(/^app-[0-9]{8}T[0-9]{6}Z\.dump$/);
    expect([sum, ...others]).toEqual([`${dump}.sha256`]);
    const content = readFileSync(join(folder, dump));
    expect(content.toString()).toBe('of app with canary-password\n');
    expect(readFileSync(join(folder, sum), 'utf8')).toBe(
      `${createHash('sha256').update(content).digest('hex')}  ${dump}\n`,
    );
  });

  test('that fails leaves nothing behind and prunes nothing', () => {
    old('app-20200101T000000Z');
    old('app-20200102T000000Z');
    const before = listed();
    program('pg_dump', 'for arg; do case "$arg" in --file=*) echo half > "${arg#--file=}" ;; esac; done; exit 1');
    expect(run(1).status).not.toBe(0);
    expect(listed()).toEqual(before);
  });

  test('that cannot be read back is no dump', () => {
    program('pg_restore', 'echo "input file does not appear to be a valid archive" >&2; exit 1');
    expect(run().status).not.toBe(0);
    expect(listed()).toEqual([]);
  });

  test('that was killed has no name yet, and the next run takes its place', () => {
    program(
      'pg_dump',
      'for arg; do case "$arg" in --file=*) echo half > "${arg#--file=}" ;; esac; done; kill -KILL $PPID',
    );
    expect(run().signal).toBe('SIGKILL');
    expect(listed()).toEqual(['.running.dump']);
    program('pg_dump', 'for arg; do case "$arg" in --file=*) echo whole > "${arg#--file=}" ;; esac; done');
    expect(run().status).toBe(0);
    expect(listed()).toEqual([expect.stringMatching(/\.dump$/), expect.stringMatching(/\.dump\.sha256$/)]);
  });

  test('pushes out the oldest beyond those that are kept, and nobody else’s', () => {
    for (const day of ['01', '02', '03']) old(`app-202001${day}T000000Z`);
    old('app_other-20200101T000000Z');
    writeFileSync(join(folder, 'app-notes.txt'), 'mine');
    expect(run(2).status).toBe(0);
    const names = listed().filter((name) => !name.endsWith('.sha256'));
    expect(names).toEqual([
      'app-20200103T000000Z.dump',
      expect.stringMatching(/^app-2[0-9T]+Z\.dump$/),
      'app-notes.txt',
      'app_other-20200101T000000Z.dump',
    ]);
    expect(listed()).not.toContain('app-20200102T000000Z.dump.sha256');
  });

  test('says nothing of the password', () => {
    const { stdout, stderr } = run();
    expect(stdout + stderr).not.toContain('canary');
  });
});
