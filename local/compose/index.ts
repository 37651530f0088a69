import { createHmac, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ensureAuthority, ensureCertificate } from '../cluster/pki';
import { cloneId, state } from '../paths';

/** Folder of what belongs to Compose in this clone's state: the key of its secrets, and its certificates. */
const own = (...parts: string[]): string => state('compose', ...parts);

/** Where secrets are while Compose runs: in memory, readable by this user alone, gone after a restart of the machine. */
export const composeRunFolder = (environment: string): string =>
  path.join(process.env.XDG_RUNTIME_DIR ?? '/run', `trellis-compose-${cloneId}-${environment}`);

/** The key that all secrets of this clone's Compose follow from. */
function key(): Buffer {
  const file = own('key');
  if (!fs.existsSync(file)) {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    fs.writeFileSync(`${file}.tmp`, randomBytes(32), { mode: 0o600 });
    fs.renameSync(`${file}.tmp`, file);
  }
  return fs.readFileSync(file);
}

/** The same value for the same name each time, so that data of the last start can be read; no value is kept. */
export const composeSecret = (environment: string, name: string): string =>
  createHmac('sha256', key()).update(`${environment}/${name}`).digest('hex').slice(0, 40);

/** A certificate of this clone's own authority for a host. @returns PEM texts, and the authority's file */
export async function composeCertificate(
  host: string,
): Promise<{ readonly cert: string; readonly key: string; readonly authority: string }> {
  const dir = own('pki');
  const authority = await ensureAuthority(dir, 'ca', 'Trellis local Compose');
  const files = await ensureCertificate(dir, authority, { name: host, commonName: host, dns: [host, 'localhost'] });
  const read = (file: string): string => fs.readFileSync(file, 'utf8');
  return { cert: read(files.certFile), key: read(files.keyFile), authority: authority.certFile };
}

/** A file of the folder of secrets. */
export interface RunFile {
  readonly path: string;
  readonly content: string;
  readonly group: number;
}

/**
 * Makes folders and files below the folder of secrets. Where this user is not root, groups can't be given away: files are then
 * readable by every user inside of a folder that only this one can enter.
 */
export function fillRunFolder(
  folder: string,
  folders: readonly { readonly path: string; readonly group: number }[],
  files: readonly RunFile[],
): void {
  const root = process.getuid?.() === 0;
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  fs.chmodSync(folder, 0o700);
  const give = (target: string, group: number, mode: number, open: number): void => {
    if (root) fs.chownSync(target, 0, group);
    fs.chmodSync(target, root ? mode : open);
  };
  for (const { path: below, group } of folders) {
    const target = path.join(folder, below);
    fs.mkdirSync(target, { recursive: true });
    give(target, group, 0o2770, 0o777);
  }
  for (const { path: below, content, group } of files) {
    const target = path.join(folder, below);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, content, { mode: 0o600 });
    give(target, group, 0o440, 0o444);
  }
}

/** Removes the folder of secrets. */
export const emptyRunFolder = (folder: string): void => fs.rmSync(folder, { recursive: true, force: true });
