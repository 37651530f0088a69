import * as fs from 'node:fs';
import * as path from 'node:path';

/** When the newest of some files was changed; of a folder, what lies below counts too. */
const newest = (paths: readonly string[]): number =>
  Math.max(
    ...paths.map((one) => {
      const stat = fs.statSync(one);
      const { mtimeMs } = stat;
      return stat.isDirectory()
        ? Math.max(mtimeMs, newest(fs.readdirSync(one).map((name) => path.join(one, name))))
        : mtimeMs;
    }),
  );

/**
 * Whether a file has to be made: it is missing, or something that it is made from changed since.
 * @param sources files and folders; each exists
 */
export function mustBeMade(file: string, sources: readonly string[]): boolean {
  const made = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return made === undefined || made <= newest(sources);
}

/** Writes a file as a whole: a run that is killed leaves none that looks made. */
export function writeMade(file: string, content: Uint8Array): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, content);
  fs.renameSync(draft, file);
}
