import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

export const FILES = path.resolve(__dirname, '../../../images/backup/files');
export const KEY = 'canary-key-of-the-archives-0123456789';
export const TASK = path.join(FILES, 'usr/local/bin/trellis-backup');
/** The archive of {@link BackupMachine.good}. */
export const ARCHIVE = 'files-20260102T030405Z';

/** Age's frame without its cipher: what was encrypted to another identity is refused, and so is what was cut or changed. */
export const AGE_STAND_IN = `
task=$1; identity=$(sha256sum < "$3" | cut -c 1-64)
if [ "$task" = --encrypt ]; then
  content=$(base64 -w 0); printf 'stand-in %s %s %s\\n' "$identity" "$(printf %s "$content" | sha256sum | cut -c 1-64)" "$content"
else
  read -r frame whose sum content || true
  [ "$whose" = "$identity" ] || { echo "no identity matched" >&2; exit 1; }
  [ "$(printf %s "$content" | sha256sum | cut -c 1-64)" = "$sum" ] || { echo "failed to authenticate" >&2; exit 1; }
  printf %s "$content" | base64 -d
fi`;

/** Folders in the place of volumes, and stand-ins for programs. The scripts, tar, gzip and the checksums are the real ones. */
export class BackupMachine {
  public readonly root = mkdtempSync(path.join(tmpdir(), 'trellis-backup-'));
  public readonly archives = path.join(this.root, 'archives');
  public readonly data = path.join(this.root, 'data');

  public constructor() {
    for (const folder of ['bin', 'archives', 'data', 'run', 'scratch']) mkdirSync(path.join(this.root, folder));
    writeFileSync(path.join(this.root, 'key'), KEY);
    writeFileSync(path.join(this.data, 'note.txt'), 'as it was');
    this.standIn('age', AGE_STAND_IN);
  }

  public remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** A program of the image, by a stand-in that does what the test says. */
  public standIn(name: string, body: string): void {
    writeFileSync(path.join(this.root, 'bin', name), `#!/bin/bash\n${body}\n`, { mode: 0o755 });
  }

  public get environment(): Record<string, string> {
    return {
      PATH: `${path.join(this.root, 'bin')}:/usr/bin:/bin`,
      BACKUP_SHARE_DIR: path.join(FILES, 'usr/share/trellis/backup'),
      BACKUP_KIND: 'volume',
      BACKUP_NAME: 'files',
      BACKUP_DIR: this.archives,
      BACKUP_DATA_DIR: this.data,
      BACKUP_KEY_FILE: path.join(this.root, 'key'),
      BACKUP_RUN_DIR: path.join(this.root, 'run'),
      BACKUP_SCRATCH_DIR: path.join(this.root, 'scratch'),
      BACKUP_CONNECT_SECONDS: '1',
    };
  }

  public run(task: string, env: Readonly<Record<string, string>> = {}) {
    return spawnSync('/bin/bash', [TASK, task], { env: { ...this.environment, ...env }, encoding: 'utf8' });
  }

  /** Every file among the archives, save locks. */
  public get listed(): readonly string[] {
    const all = readdirSync(this.archives);
    return all.filter((name) => !name.endsWith('.lock')).sort();
  }

  /** Complete archives. */
  public get names(): readonly string[] {
    return this.listed.flatMap((name) => (name.endsWith('.sha256') ? [name.replace('.sha256', '')] : []));
  }

  /** Backs up at a given time; `date -d`, which reads one, stays as it is. */
  public backupAt(iso: string, env: Readonly<Record<string, string>> = {}) {
    this.standIn(
      'date',
      `case "$*" in *-d*) exec /bin/date "$@" ;; *) exec /bin/date -u -d '${iso}' "\${@: -1}" ;; esac`,
    );
    const result = this.run('backup', env);
    expect(result).toMatchObject({ status: 0 });
    return result;
  }

  public good() {
    return this.backupAt('2026-01-02 03:04:05');
  }
}
