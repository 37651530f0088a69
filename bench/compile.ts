import * as fs from 'node:fs';
import * as path from 'node:path';
import { build } from 'esbuild';
import { root, state } from '../local/index';

const SOURCES = ['components', 'charts', 'bridge', 'stacks', 'images', 'bench'];
const folder = state('bench', 'compiled');

/** Every source file of a folder, from the root. */
const sources = (area: string): readonly string[] =>
  fs
    .readdirSync(path.join(root, area), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
    .map((file) => path.join(area, file));

/**
 * The sources as JavaScript, file by file as in the package, so that what is measured is no compiler.
 * @returns the path of a compiled file
 */
export async function compile(): Promise<(file: string) => string> {
  fs.rmSync(folder, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: SOURCES.flatMap(sources),
    ...{ outdir: folder, outbase: root, format: 'cjs', platform: 'node', target: 'node20', logLevel: 'error' },
  });
  // Read at run time, from beside the source.
  fs.cpSync(path.join(root, 'charts/noa-server/sql'), path.join(folder, 'charts/noa-server/sql'), { recursive: true });
  for (const file of fs.readdirSync(root).filter((name) => /^Pulumi\..*\.yaml$/.test(name)))
    fs.copyFileSync(path.join(root, file), path.join(folder, file));
  return (file) => path.join(folder, file);
}
