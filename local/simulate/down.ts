import * as fs from 'node:fs';
import { end } from '../cluster/supervise';
import { ownProcesses, stop } from '../process';
import { REHEARSED, type Rehearsed } from './capacity';
import { rehearsalOf, type Rehearsal } from './place';
import { PROGRAMS } from './target';

export interface RehearsalDownOptions {
  /** Also remove its data: objects, state, certificates. @default false */
  readonly purge?: boolean;
}

/** Programs whose record was lost. */
async function stopStrays({ dir }: Rehearsal): Promise<void> {
  for (const record of ownProcesses()) if (record.argv.some((word) => word.includes(`${dir}/`))) await stop(record);
}

/** Ends an environment's simulated cluster. Its data stays, so that the next rehearsal continues, unless `purge` is set. @returns whether anything ran */
export async function rehearsalDown(rehearsal: Rehearsal, options: RehearsalDownOptions = {}): Promise<boolean> {
  let ran = false;
  for (const name of PROGRAMS) ran = (await end(rehearsal.layout, name)) || ran;
  await stopStrays(rehearsal);
  if (options.purge === true) fs.rmSync(rehearsal.dir, { recursive: true, force: true });
  return ran;
}

/** `rehearsalDown` for every environment. @returns those of which something ran */
export async function rehearsalsDown(): Promise<readonly Rehearsed[]> {
  const ended: Rehearsed[] = [];
  for (const environment of REHEARSED) if (await rehearsalDown(rehearsalOf(environment))) ended.push(environment);
  return ended;
}
