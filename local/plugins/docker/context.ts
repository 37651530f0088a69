import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { createReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { pipeline } from 'node:stream/promises';

import { Ignore } from './ignore';

/** A file's mode as the vendor's plugin writes it into its digest: `-rw-r--r--`, `Lrwxrwxrwx`, `urwxr-xr-x`. */
export function modeText(mode: number, symlink: boolean): string {
  const kinds = [symlink && 'L', mode & 0o4000 && 'u', mode & 0o2000 && 'g', mode & 0o1000 && 't'];
  const prefix = kinds.filter(Boolean).join('') || '-';
  const bits = Array.from('rwxrwxrwx', (letter, index) => (mode & (1 << (8 - index)) ? letter : '-'));
  return prefix + bits.join('');
}

async function contentHash(file: string, stats: Stats): Promise<Buffer> {
  const hash = createHash('sha256');
  if (stats.isSymbolicLink()) hash.update(await fs.readlink(file));
  else await pipeline(createReadStream(file), hash);
  return hash.digest();
}

/** The files below a directory that the builder gets, in a fixed order, relative and with `/`. */
async function* files(root: string, below: string, ignore: Ignore): AsyncGenerator<string> {
  const entries = await fs.readdir(path.join(root, below), { withFileTypes: true });
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  for (const entry of entries) {
    const relative = below === '' ? entry.name : `${below}/${entry.name}`;
    const excluded = ignore.excludes(relative);
    if (entry.isDirectory()) {
      if (!excluded || ignore.hasExceptions) yield* files(root, relative, ignore);
    } else if (!excluded && (entry.isFile() || entry.isSymbolicLink())) yield relative;
  }
}

/**
 * What a build reads, as one SHA-256 in hex: the Dockerfile, and of each file of the context that `.dockerignore` lets through
 * its path, mode and content. Times and owners have no part in it. The vendor's algorithm, except that a symbolic link counts by
 * its text rather than by the absolute path behind it, which differs between machines.
 */
export async function contextDigest(context: string, dockerfile: string): Promise<string> {
  const text = await fs.readFile(path.join(context, '.dockerignore'), 'utf8').catch(() => '');
  const total = createHash('sha256');
  const add = async (name: string, file: string, mode: string): Promise<void> => {
    const stats = await fs.lstat(file);
    total.update(name).update(mode || modeText(stats.mode, stats.isSymbolicLink()));
    total.update(await contentHash(file, stats)).update('\0');
  };
  await add('Dockerfile', await fs.realpath(dockerfile), '----------');
  for await (const relative of files(context, '', new Ignore(text)))
    await add(relative, path.join(context, relative), '');
  return total.digest('hex');
}
