import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Environment } from './owner';

/** With `true` the engine writes the logs that it has by itself. */
export const LOGS_VARIABLE = 'TRELLIS_ENGINE_LOGS';

const NOTE = `In place of the folder of the engine's own logs, which it then does not write. ${LOGS_VARIABLE}=true brings them back.\n`;

/**
 * Says whether the engine writes a log of each run. Pulumi 3.250 always does, with every property of every resource: more than half of its own
 * time (docs/performance.md), and a megabyte a run. There is no switch (pkg/logging/encrypted.go); where the folder can't be made it goes on
 * without.
 *
 * @param home `PULUMI_HOME` of this clone, never a user's own
 */
export function setEngineLogs(home: string, environment: Environment): void {
  const logs = path.join(home, 'logs');
  const there = fs.statSync(logs, { throwIfNoEntry: false });
  if (environment[LOGS_VARIABLE] === 'true') {
    if (there?.isFile() === true) fs.rmSync(logs);
    return;
  }
  if (there?.isFile() === true) return;
  fs.rmSync(logs, { recursive: true, force: true });
  fs.mkdirSync(home, { recursive: true, mode: 0o700 });
  fs.writeFileSync(logs, NOTE);
}
