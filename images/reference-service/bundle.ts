import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(__dirname, '..', '..');

/**
 * Bundles the reference service with its libraries into one file, which its Dockerfile copies.
 * The same sources and libraries give the same bytes, wherever the repository lies.
 * @param outFile @default - `dist/server.js` beside this file
 * @returns the path of the bundle
 * @throws esbuild's BuildFailure, which names file and line
 */
export async function bundleReferenceService(outFile = join(__dirname, 'dist', 'server.js')): Promise<string> {
  await build({
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
  return outFile;
}

if (require.main === module) {
  void bundleReferenceService().then((path) => process.stdout.write(`${path}\n`));
}
