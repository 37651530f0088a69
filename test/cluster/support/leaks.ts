import * as fs from 'node:fs';
import * as path from 'node:path';

/**
 * Texts that betray a secret: itself, and its base64 wherever in a longer text it stands. A secret's first and last characters
 * share base64 digits with their neighbours, so those digits are left out.
 */
export function spellings(secrets: readonly string[]): readonly string[] {
  const all = secrets.flatMap((secret) => [
    secret,
    ...[0, 1, 2].map((before) => {
      const encoded = Buffer.from(`${'\0'.repeat(before)}${secret}`)
        .toString('base64')
        .replace(/=+$/, '');
      return encoded.slice(before === 0 ? 0 : before + 1, -1);
    }),
  ]);
  return [...new Set(all)];
}

/** Files below some folders (or these files) that hold one of the texts. */
export function filesWith(
  needles: readonly string[],
  places: readonly string[],
  without: readonly string[],
): readonly string[] {
  const look = (place: string): string[] => {
    const stat = fs.lstatSync(place, { throwIfNoEntry: false });
    if (stat === undefined || stat.isSymbolicLink() || without.includes(place)) return [];
    if (stat.isDirectory()) return namesIn(place).flatMap((name) => look(path.join(place, name)));
    return stat.isFile() && holds(place, needles) ? [place] : [];
  };
  return places.flatMap(look);
}

/** A folder that a running program has just removed holds nothing. */
function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return [];
  }
}

function holds(file: string, needles: readonly string[]): boolean {
  try {
    const content = fs.readFileSync(file);
    return needles.some((needle) => content.includes(needle));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
}
