import * as fs from 'node:fs';
import { LocalError } from '../errors';
import { run } from '../system/run';

/** Mount points at or below a directory, the deepest first. The kernel writes blanks in paths as \040. */
export function mountsBelow(directory: string, mountinfo = '/proc/self/mountinfo'): readonly string[] {
  return fs
    .readFileSync(mountinfo, 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((point) => point.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8))))
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
    .sort((a, b) => b.length - a.length);
}

/**
 * Unmounts all that is mounted at or below a directory.
 *
 * @throws LocalError where something still uses one of them
 */
export async function unmountBelow(directory: string): Promise<void> {
  for (const point of mountsBelow(directory)) await run(['umount', point]);
  const left = mountsBelow(directory);
  if (left.length > 0) {
    throw new LocalError(`Still mounted: ${left.join(', ')}.`, { fix: `umount ${left.join(' ')}` });
  }
}
