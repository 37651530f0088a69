import * as fs from 'node:fs';
import * as path from 'node:path';
import { CliError } from '../exit';
import type { Tree } from './tree';

/** Says which files of a folder are ours: nothing else there is ever removed or overwritten. */
export const LIST = '.trellis-render.json';

/** What a run did to a folder. */
export interface Written {
  readonly files: number;
  /** Files of an earlier run that are no part of the tree any more. */
  readonly removed: readonly string[];
}

/**
 * Writes a tree into a folder, and removes what an earlier run wrote there and this one did not.
 * @throws CliError before anything is written, with every file that is in the way
 */
export function writeTree(folder: string, tree: Tree): Written {
  const earlier = new Set(listed(folder));
  const inTheWay = [...tree.keys()].filter((file) => !earlier.has(file) && fs.existsSync(path.join(folder, file)));
  if (inTheWay.length > 0) {
    throw new CliError(
      `${folder} holds files that no render wrote; move them away, or name another folder:\n${inTheWay.map((file) => `  - ${file}`).join('\n')}`,
    );
  }
  const removed = [...earlier].filter((file) => !tree.has(file) && fs.existsSync(path.join(folder, file))).sort();
  // The list is written first: a run that is cut short leaves files that the next one knows as its own.
  fs.mkdirSync(folder, { recursive: true });
  writeList(folder, [...new Set([...earlier, ...tree.keys()])]);
  for (const file of removed) remove(folder, file);
  for (const [file, content] of tree) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), content);
  }
  writeList(folder, [...tree.keys()]);
  return { files: tree.size, removed };
}

const writeList = (folder: string, files: readonly string[]): void =>
  fs.writeFileSync(path.join(folder, LIST), `${JSON.stringify({ files: [...files].sort() }, undefined, 2)}\n`);

/** Files of an earlier run. A list that was changed by hand may name nothing outside of the folder. */
function listed(folder: string): readonly string[] {
  const list = path.join(folder, LIST);
  if (!fs.existsSync(list)) return [];
  let files: unknown;
  try {
    files = (JSON.parse(fs.readFileSync(list, 'utf8')) as { files?: unknown }).files;
  } catch {
    files = undefined;
  }
  if (!Array.isArray(files) || !files.every(isInside))
    throw new CliError(`${list} is not as a render wrote it; remove it, and the files of earlier renders`);
  return files;
}

const isInside = (file: unknown): file is string =>
  typeof file === 'string' && file.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

/** Removes a file, and the folders that are empty then. */
function remove(folder: string, file: string): void {
  fs.rmSync(path.join(folder, file));
  for (let parent = path.dirname(file); parent !== '.'; parent = path.dirname(parent)) {
    if (fs.readdirSync(path.join(folder, parent)).length > 0) return;
    fs.rmdirSync(path.join(folder, parent));
  }
}
