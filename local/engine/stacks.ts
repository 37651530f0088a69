import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { LocalError } from '../errors';
import { root } from '../paths';
import { run, runOrThrow, writeAtomic } from '../process';
import { silent, type Report } from '../report';
import { checkpointFile, readCheckpoint } from './checkpoint';
import { engineFiles, ownBackend, stacks, type Environment } from './owner';

export interface StackOptions {
  /** Path of the Pulumi CLI. */
  readonly pulumi: string;
  /** As `engineEnv` made it. */
  readonly env: Record<string, string>;
  readonly report?: Report;
  /** @default process.env */
  readonly environment?: Environment;
  /** The folder with Pulumi.yaml. @default - the clone's */
  readonly folder?: string;
  /** The file back end. @default - the clone's */
  readonly backend?: string;
  /** @default - the clone's */
  readonly scratch?: string;
}

/** Where each file's line is kept for git, below the clone's root. */
const SALTS = '.trellis/pulumi/salts';
const SALT = /^encryptionsalt:.*$\n?/m;

/** A configuration file without the line that belongs to this machine. */
export const withoutSalt = (text: string): string => text.replace(SALT, '');

/** A configuration file with the salt as its last line; every other character stays as the user wrote it. */
export function withSalt(text: string, salt: string): string {
  const rest = withoutSalt(text);
  return `${rest === '' || rest.endsWith('\n') ? rest : `${rest}\n`}encryptionsalt: ${salt}\n`;
}

/**
 * The salt proves this machine's passphrase, so it can't be committed, and Pulumi finds it nowhere but in
 * `Pulumi.<stack>.yaml`. Git is told to leave that one line out of what it compares and commits, and to put it back
 * whenever it writes the file.
 */
export async function hideSaltFromGit(folder: string = root): Promise<void> {
  const git = (...args: string[]): Promise<{ code: number; stdout: string }> => run(['git', '-C', folder, ...args]);
  if ((await git('rev-parse', '--is-inside-work-tree')).stdout.trim() !== 'true') return;
  const filter = { clean: "sed '/^encryptionsalt:/d'", smudge: `cat - ${SALTS}/%f 2>/dev/null || true` };
  for (const [side, command] of Object.entries(filter)) {
    const key = `filter.trellis-salt.${side}`;
    if ((await git('config', '--local', '--get', key)).stdout.trim() !== command)
      await git('config', '--local', key, command);
  }
  for (const file of stacks.map((stack) => `Pulumi.${stack}.yaml`)) {
    // Git takes a file of another size for changed without a look at it. Where nothing but the salt was added, the index
    // learns the new size; a file with changes of the user's is left alone, since it would be staged.
    const tracked = (await git('ls-files', '--', file)).stdout !== '';
    if (!tracked || (await git('diff-files', '--quiet', '--', file)).code === 0) continue;
    if ((await git('diff', '--numstat', '--', file)).stdout === '') await git('add', '--', file);
  }
}

/** Adds the state's salt to the configuration file; never touches one that is right already. */
function writeSalt(file: string, salt: string): void {
  const text = fs.readFileSync(file, 'utf8');
  writeAtomic(path.join(path.dirname(file), SALTS, path.basename(file)), `encryptionsalt: ${salt}\n`);
  // As it is written here and by Pulumi: to parse the file takes as long as to start a command.
  if (text.split('\n').includes(`encryptionsalt: ${salt}`)) return;
  const current = (parse(text) as { encryptionsalt?: string } | null)?.encryptionsalt;
  if (current === salt) return;
  if (current !== undefined && /^\s+secure:/m.test(text)) {
    throw new LocalError(`${path.basename(file)} holds values that were encrypted with another passphrase.`, {
      fix: 'set PULUMI_BACKEND_URL and PULUMI_CONFIG_PASSPHRASE to where they were made, or remove the values and set them again',
    });
  }
  // Not by a rename: an editor that watches the file, and a hard link, keep what they hold.
  fs.writeFileSync(file, withSalt(text, salt));
}

/** Makes a stack in the back end that the environment names, from the project in `scratch`. */
export async function initStack(
  stack: string,
  options: Pick<StackOptions, 'pulumi' | 'env'>,
  scratch: string,
): Promise<void> {
  await runOrThrow(
    [options.pulumi, 'stack', 'init', `organization/trellis/${stack}`, '--no-select', '--non-interactive'],
    {
      cwd: scratch,
      env: options.env,
      timeoutMs: 120_000,
    },
  );
}

/** Makes the stacks that the clone's own back end lacks. In a back end of the user's nothing is made. @returns those that were made */
export async function ensureStacks(options: StackOptions): Promise<readonly string[]> {
  if (ownBackend(options.environment ?? process.env) !== undefined) return [];
  const folder = options.folder ?? root;
  const report = options.report ?? silent;
  const scratch = options.scratch ?? engineFiles.scratch;
  const made: string[] = [];
  const configured = stacks.filter((stack) => fs.existsSync(path.join(folder, `Pulumi.${stack}.yaml`)));
  for (const stack of configured) {
    if (!fs.existsSync(checkpointFile(stack, options.backend))) {
      report(`stack ${stack} is made`);
      fs.rmSync(scratch, { recursive: true, force: true });
      writeAtomic(path.join(scratch, 'Pulumi.yaml'), 'name: trellis\nruntime: nodejs\n');
      await initStack(stack, options, scratch);
      made.push(stack);
    }
    const salt = readCheckpoint(stack, options.backend)?.salt;
    if (salt !== undefined) writeSalt(path.join(folder, `Pulumi.${stack}.yaml`), salt);
  }
  if (configured.length > 0) await hideSaltFromGit(folder);
  return made;
}

/** Takes the salts out again, for a clone whose state is removed. */
export function removeSalts(folder: string = root): void {
  for (const stack of stacks) {
    const file = path.join(folder, `Pulumi.${stack}.yaml`);
    if (!fs.existsSync(file)) continue;
    const text = fs.readFileSync(file, 'utf8');
    if (withoutSalt(text) !== text) fs.writeFileSync(file, withoutSalt(text));
  }
}
