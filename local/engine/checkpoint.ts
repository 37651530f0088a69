import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalError } from '../errors';
import { writeAtomic } from '../process';
import { engineFiles } from './owner';

interface Deployment {
  readonly manifest?: { readonly time?: string };
  readonly secrets_providers?: { readonly state?: { readonly salt?: string } };
  readonly resources?: readonly { readonly type: string; readonly urn: string }[];
  readonly pending_operations?: readonly unknown[];
}

/** What is read of a stack's state; nothing in it is a secret. */
export interface Checkpoint {
  /** Names the key that secrets are encrypted with, and proves a passphrase; it is no secret. */
  readonly salt: string | undefined;
  /** Number of resources, the stack itself and providers included. */
  readonly resources: number;
  /** Operations that were begun and not ended: the engine was killed. */
  readonly pending: number;
  /** When the state was written last, ISO 8601. */
  readonly updated: string | undefined;
}

export const checkpointFile = (stack: string, backend: string = engineFiles.backend): string =>
  path.join(backend, '.pulumi', 'stacks', 'trellis', `${stack}.json`);

const hasStack = (file: string): boolean => fs.existsSync(file);

/** The file's content; undefined where it is cut short, empty, or no checkpoint. */
function load(file: string): Deployment | undefined {
  try {
    const document = JSON.parse(fs.readFileSync(file, 'utf8')) as { checkpoint?: { latest?: Deployment } } | null;
    return document?.checkpoint === undefined ? undefined : (document.checkpoint.latest ?? {});
  } catch {
    return undefined;
  }
}

/**
 * The stack's state as it is on disk.
 *
 * @returns undefined where there is no such stack
 * @throws LocalError where the file can't be read: a full disk or a lost machine cut it short
 */
export function readCheckpoint(stack: string, backend?: string): Checkpoint | undefined {
  const file = checkpointFile(stack, backend);
  if (!hasStack(file)) return undefined;
  const latest = load(file);
  if (latest === undefined) {
    throw new LocalError(`The state of stack ${stack} can't be read: ${file} was cut short.`, {
      fix: `cp ${file}.bak ${file}, if ${path.basename(file)}.bak is whole; then ./trellis up -s ${stack}`,
    });
  }
  return {
    salt: latest.secrets_providers?.state?.salt,
    resources: latest.resources?.length ?? 0,
    pending: latest.pending_operations?.length ?? 0,
    updated: latest.manifest?.time,
  };
}

/**
 * Puts the backup that Pulumi keeps in the place of a state that was cut short; the broken file stays beside it.
 * What was made after the backup is adopted by the next `up`, since the objects have names of their own.
 *
 * @returns what was done, for the user; undefined where the state is whole
 * @throws LocalError where the backup isn't whole either
 */
export function restoreCheckpoint(stack: string, backend?: string): string | undefined {
  const file = checkpointFile(stack, backend);
  if (!hasStack(file) || load(file) !== undefined) return undefined;
  const backup = load(`${file}.bak`);
  if (backup === undefined) {
    throw new LocalError(
      `The state of stack ${stack} was cut short, and so was its backup: ${file}, ${path.basename(file)}.bak.`,
      { fix: `restore ${file} from a backup of yours, or start anew with ./trellis down --purge` },
    );
  }
  const aside = `${file}.broken-${new Date().toISOString().replace(/[:.]/g, '')}`;
  fs.renameSync(file, aside);
  writeAtomic(file, fs.readFileSync(`${file}.bak`, 'utf8'), 0o600);
  return `state of ${stack} was cut short: its backup of ${backup.manifest?.time ?? 'an unknown time'} was restored, the broken file is ${aside}`;
}
