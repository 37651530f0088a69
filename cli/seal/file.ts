import * as fs from 'node:fs';
import * as path from 'node:path';
import { stringify } from 'yaml';
import type { Ciphertexts } from './plan';

const HEADER = `# Written by ./trellis seal. Ciphertexts alone, each bound to its Secret: they belong into the repository.
`;

const sorted = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Writes the file whole or not at all, in the same order each time. */
export function writeSealed(file: string, ciphertexts: Ciphertexts): void {
  const content = Object.fromEntries(Object.entries(sorted(ciphertexts)).map(([id, sealed]) => [id, sorted(sealed)]));
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.draft`;
  fs.writeFileSync(draft, HEADER + stringify(content, { lineWidth: 0 }));
  fs.renameSync(draft, file);
}
