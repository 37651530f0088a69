import * as fs from 'node:fs';
import * as path from 'node:path';
import { cache, cloneId, ensurePassphrase, root, run } from '../../local/index';
import { CliError } from '../exit';
import { dockerStep, packagesStep, toolsStep } from '../machine-steps';
import { REHEARSAL_TOOLS } from '../rehearsal';
import type { StepUi } from '../steps';
import { first } from './base';
import { runJest } from './jest';
import type { SuiteResult } from './suite';

const LEFT_OUT = new Set(['.git', '.trellis', 'node_modules']);

/** Ends what runs in a clone, and removes it. @throws CliError where a run is at work there */
async function removeClone(folder: string): Promise<void> {
  const trellis = path.join(folder, 'trellis');
  if (fs.existsSync(trellis)) {
    const { code, stderr } = await run([trellis, 'down', '--purge', '--yes'], { cwd: folder });
    if (code !== 0) throw new CliError(`The clone for rehearsals, ${folder}, can't be ended:\n${stderr}`);
  }
  fs.rmSync(folder, { recursive: true, force: true });
}

/** Copies what this clone consists of, its packages as a link, and the passphrase by which its files are encrypted. */
function copyClone(folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  const passphrase = path.relative(root, ensurePassphrase());
  fs.mkdirSync(path.dirname(path.join(folder, passphrase)), { recursive: true, mode: 0o700 });
  fs.copyFileSync(path.join(root, passphrase), path.join(folder, passphrase));
  for (const name of fs.readdirSync(root)) {
    if (!LEFT_OUT.has(name)) fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
}

/**
 * Rehearsals, in a clone of their own: they take turns with each other by its lock, and none with the cluster of this one.
 * They build with the same Docker engine, which has most layers already.
 */
export async function rehearsalSuite(ui: StepUi): Promise<SuiteResult> {
  await first(ui, [packagesStep, toolsStep(REHEARSAL_TOOLS), dockerStep]);
  const folder = cache('clones', cloneId);
  // A run that was killed may have left one there.
  await removeClone(folder);
  copyClone(folder);
  try {
    // What ends the cluster waits for it, since its Docker engine builds the rehearsals' images: it gets its turn before what only computes.
    return await runJest({ project: 'rehearsal', folder, workers: 1, ui });
  } finally {
    await removeClone(folder);
  }
}
