import { createHash, type BinaryLike } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BuildOptions } from 'esbuild';
import { LocalError } from './errors';

const DAY_MS = 24 * 3_600_000;
const DRAFT = '.draft-';

/** A name for what is made of these sources: sixteen hexadecimal digits. */
export function keyOf(...sources: readonly BinaryLike[]): string {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(source).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** Removes what was made of other sources, and what a killed run left half made. */
function drop(parent: string, key: string, keepMs: number): void {
  for (const entry of fs.readdirSync(parent)) {
    const old = path.join(parent, entry);
    const age = Date.now() - (fs.statSync(old, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    const limit = entry.startsWith(DRAFT) ? DAY_MS : keepMs;
    if (entry !== key && age >= limit) fs.rmSync(old, { recursive: true, force: true });
  }
}

export interface Kept {
  /** Holds one folder for each state of the sources. */
  readonly parent: string;
  /** Names this state of the sources; of `keyOf`. */
  readonly key: string;
  /** Fills the folder, which lies elsewhere while it does. */
  readonly make: (draft: string) => Promise<void> | void;
  /** How long folders of other sources stay, for those who use them still. @default 0 */
  readonly keepMs?: number;
}

/**
 * A folder that is made once of the same sources: beside its place and renamed, since others may make it at the same time.
 *
 * @throws what `make` throws; nothing is left of the attempt then
 */
export async function keptFolder({ parent, key, make, keepMs = 0 }: Kept): Promise<string> {
  const folder = path.join(parent, key);
  if (fs.existsSync(folder)) return folder;
  fs.mkdirSync(parent, { recursive: true });
  const draft = fs.mkdtempSync(path.join(parent, DRAFT));
  try {
    await make(draft);
    fs.renameSync(draft, folder);
  } catch (error) {
    // Another one may have been faster; its folder has the same content.
    if (!fs.existsSync(folder)) throw error;
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
  drop(parent, key, keepMs);
  return folder;
}

/**
 * Bundles for the Node.js that this project needs at least.
 *
 * @param what in the error
 * @throws LocalError with file, line and column, where a source doesn't build
 */
export async function bundle(what: string, options: BuildOptions): Promise<void> {
  const { build } = await import('esbuild');
  const common = { bundle: true, platform: 'node', target: 'node20', format: 'cjs' } as const;
  try {
    await build({ ...common, logLevel: 'silent', tsconfigRaw: {}, ...options });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new LocalError(`${what} could not be bundled: ${text}`, { fix: 'npm ci', cause: error });
  }
}
