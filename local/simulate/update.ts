import { LocalError } from '../errors';
import { readCheckpoint } from '../engine/checkpoint';
import { recover } from '../engine/recovery';
import { runUpdate, type UpdateResult } from '../engine/update';
import { silent, type Report } from '../report';
import type { RehearsalEngine } from './engine';
import type { Rehearsal } from './place';
import { unschedulable } from './target';

export interface RehearsalUpdate {
  readonly rehearsal: Rehearsal;
  readonly engine: RehearsalEngine;
  /** Look first for changes made by hand. @default false */
  readonly refresh?: boolean;
  readonly report?: Report;
  readonly onProgress?: Report;
  /** Seconds that a pod may wait for a node before the update is given up. @default 20 */
  readonly patience?: number;
}

/** How often pods without a node are looked for, in milliseconds. */
const LOOK_MS = 2_000;

/** Looks again and again for pods that no node takes; aborts with the scheduler's words. @returns what ends the looking */
function guard(rehearsal: Rehearsal, patience: number, controller: AbortController): () => void {
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy || controller.signal.aborted) return;
    busy = true;
    // An API server that doesn't answer is for the engine to report.
    const words = await unschedulable(rehearsal, patience).catch(() => []);
    busy = false;
    if (words.length === 0) return;
    const lines = words.map((line) => `  ${line}`).join('\n');
    controller.abort(new LocalError(`No simulated node takes what ${rehearsal.environment} asks for:\n${lines}`));
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  return () => clearInterval(timer);
}

/**
 * `pulumi up` of an environment against its simulated cluster, with every wait of the real one.
 *
 * @throws LocalError with the engine's diagnostics, or as soon as a pod finds no node
 */
export async function rehearse(options: RehearsalUpdate): Promise<UpdateResult> {
  const { rehearsal, engine, report = silent } = options;
  const { environment: stack, backend, configFile } = rehearsal;
  for (const line of await recover({ stack, ...engine, report, backend, configFile })) report(line);
  const controller = new AbortController();
  const release = guard(rehearsal, options.patience ?? 20, controller);
  try {
    return await runUpdate({
      ...{ verb: 'up', stack, ...engine, configFile, signal: controller.signal },
      again: `./trellis up -s ${stack} --simulate`,
      refresh: options.refresh ?? false,
      expected: readCheckpoint(stack, backend)?.resources ?? 0,
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    });
  } finally {
    release();
  }
}
