import * as fs from 'node:fs';
import { LocalError } from './errors';
import { run } from './system/run';

/** `mountinfo` writes space, tab, newline and backslash as octal. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

/** Mount points at or under a directory, the last mounted first. */
export function mountsUnder(directory: string, mountinfo = fs.readFileSync('/proc/self/mountinfo', 'utf8')): string[] {
  return mountinfo
    .split('\n')
    .map((line) => unescape(line.split(' ')[4] ?? ''))
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
    .reverse();
}

/** Unmounts everything under a directory. @throws LocalError where something stays mounted */
export async function unmountUnder(directory: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const points = mountsUnder(directory);
    if (points.length === 0) return;
    for (const point of points) {
      // The lazy way only where the plain one is refused: it hides who still uses the mount.
      if ((await run(['umount', point])).code !== 0) await run(['umount', '--lazy', point]);
    }
  }
  const left = mountsUnder(directory);
  if (left.length > 0) {
    throw new LocalError(`Still mounted: ${left.join(', ')}.`, { fix: `umount ${left.join(' ')}` });
  }
}

/** Removes a directory that nobody uses. */
export function removeIfEmpty(directory: string): void {
  try {
    fs.rmdirSync(directory);
  } catch {
    // Missing, or in use.
  }
}
