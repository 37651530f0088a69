import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

const FOLDER = path.join(__dirname, 'sql');

/** The scripts that make schemas, tables and first data, by file name: the order in which they run. */
export function initScripts(): Readonly<Record<string, string>> {
  const files = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sql'))
    .sort();
  return Object.fromEntries(files.map((file) => [file, readFileSync(path.join(FOLDER, file), 'utf8')]));
}
