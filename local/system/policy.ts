import * as fs from 'node:fs';
import * as path from 'node:path';
import { isAlive, recordOf } from '../process';
import type { ProcessRecord } from '../process';

/** First line of ours after the interpreter; what follows it names the process that put the file in place. */
const MARKER = '# put in place by trellis while it installs packages: ';

const location = (rootDir: string): string => path.join(rootDir, 'usr/sbin/policy-rc.d');

/** Removes a policy that a killed run of ours left; never someone else's. */
function removeLeftOver(file: string): void {
  const line = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n')[1] : undefined;
  if (line?.startsWith(MARKER) !== true) return;
  const owner = JSON.parse(line.slice(MARKER.length)) as ProcessRecord;
  if (!isAlive(owner)) fs.rmSync(file);
}

/**
 * Runs `work` while no package may start a service: Debian asks `policy-rc.d`, and 101 means no. The file is put in
 * place only where there is none, and is removed again whatever happens, an interrupt included.
 *
 * @param rootDir @default "/"
 */
export async function withoutServices<T>(work: () => Promise<T>, rootDir = '/'): Promise<T> {
  const file = location(rootDir);
  removeLeftOver(file);
  if (fs.existsSync(file)) return work();
  const owner = JSON.stringify(recordOf('trellis', process.pid));
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\n${MARKER}${owner}\nexit 101\n`, { mode: 0o755, flag: 'wx' });
  const remove = (): void => fs.rmSync(file, { force: true });
  const onSignal = (signal: NodeJS.Signals): void => {
    remove();
    process.off(signal, onSignal);
    // A listener takes the default away; without another one the signal is sent again, to end us as it would have.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  process.on('exit', remove);
  try {
    return await work();
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    process.off('exit', remove);
    remove();
  }
}
