import { join } from 'node:path';
import type { BuildOptions } from 'esbuild';
import { build, context } from 'esbuild';
import { mustBeMade, writeMade } from '../made';

const root = join(__dirname, '..', '..');

const optionsFor = (outFile: string): BuildOptions => ({
  entryPoints: [join(__dirname, 'src', 'main.ts')],
  outfile: outFile,
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  // Debian 12's Node, which the image installs.
  target: 'node18',
  format: 'cjs',
  // Names stay, so that a stack trace can be read.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'eof',
  charset: 'utf8',
  // Optional accelerators that pg looks for at run time and does without.
  external: ['pg-native', 'pg-cloudflare'],
  tsconfigRaw: {},
  logLevel: 'silent',
});

const OUT_FILE = join(__dirname, 'dist', 'server.js');
/** What the bundle is made from; its libraries change with the lock file. */
const SOURCES = [
  ...['src', 'bundle.ts'].map((name) => join(__dirname, name)),
  ...['package.json', 'package-lock.json'].map((name) => join(root, name)),
];

/**
 * Bundles the reference service with its libraries into one file, which its Dockerfile copies.
 * The same sources and libraries give the same bytes, wherever the repository lies. A bundle that is newer than they are is left as it is.
 * @param outFile @default - `dist/server.js` beside this file
 * @returns the path of the bundle
 * @throws esbuild's BuildFailure, which names file and line
 */
export async function bundleReferenceService(outFile = OUT_FILE): Promise<string> {
  if (!mustBeMade(outFile, SOURCES)) return outFile;
  const { outputFiles } = await build({ ...optionsFor(outFile), write: false });
  for (const { contents } of outputFiles) writeMade(outFile, contents);
  return outFile;
}

/** Bundles it again whenever a source changes, until this process ends. */
export async function watchReferenceService(): Promise<void> {
  const bundling = await context({ ...optionsFor(OUT_FILE), logLevel: 'info' });
  await bundling.watch();
}

if (require.main === module) {
  void bundleReferenceService().then((path) => process.stdout.write(`${path}\n`));
}
