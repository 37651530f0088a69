'use strict';

/**
 * Node.js runs TypeScript with it: `node --require ./local/register-typescript.js FILE.ts`. It is JavaScript, since nothing has taken types
 * out of a file before it.
 *
 * esbuild takes the types out of each file, once for each content; what comes of it lies in `.trellis/build/typescript`. Files outside of the
 * clone are compiled anew each time. Packages are left to Node.js: a loader that looks into them as well, for the sake of ES modules, takes
 * half a second of every start (docs/performance.md). That the types are right is a gate of its own: `npm run types`.
 */
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

// Errors name lines of TypeScript. It reads a map when a stack is first asked for, and so costs nothing where none is.
require('source-map-support').install({ environment: 'node', hookRequire: true, handleUncaughtExceptions: false });

const root = path.dirname(__dirname);
const folder = path.join(root, '.trellis', 'build', 'typescript');
const { version } = require('esbuild/package.json');

/** @type {import('esbuild').TransformOptions} */
const OPTIONS = {
  loader: 'ts',
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  sourcemap: 'inline',
  sourcesContent: false,
  logLevel: 'silent',
};

const settings = JSON.stringify([version, OPTIONS]);
/** Also of the file's place, which its source map names: a clone may move. */
const hashOf = (file, source) => createHash('sha256').update(`${settings}\n${file}\n${source}`).digest('hex');

/** Where the JavaScript of a file is kept; undefined for a file that is not the clone's own. */
function keptAt(file) {
  const relative = path.relative(root, file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? undefined : path.join(folder, `${relative}.js`);
}

/** What is kept, where it was made of the same source; its last line says so. */
function kept(at, hash) {
  try {
    const made = fs.readFileSync(at, 'utf8');
    return made.endsWith(hash) ? made : undefined;
  } catch {
    return undefined;
  }
}

/** Others may read the file now: it is written beside and renamed. Where that can't be done, nothing is kept, and the program runs all the same. */
function keep(at, made) {
  const draft = `${at}.${process.pid}`;
  try {
    fs.mkdirSync(path.dirname(at), { recursive: true });
    try {
      fs.writeFileSync(draft, made);
      fs.renameSync(draft, at);
    } finally {
      fs.rmSync(draft, { force: true });
    }
  } catch {
    // It is compiled anew the next time.
  }
}

/** @throws esbuild's error, with file, line and column, where the syntax is wrong */
function compiled(file) {
  const source = fs.readFileSync(file, 'utf8');
  const hash = hashOf(file, source);
  const at = keptAt(file);
  const before = at === undefined ? undefined : kept(at, hash);
  if (before !== undefined) return before;
  const { code } = require('esbuild').transformSync(source, { ...OPTIONS, sourcefile: file });
  const made = `${code}//${hash}`;
  if (at !== undefined) keep(at, made);
  return made;
}

Module._extensions['.ts'] = (module, file) => module._compile(compiled(file), file);
