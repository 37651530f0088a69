import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { state } from '../../local/index';
import { buildPackage } from './build';

/** Packs the library as npm would publish it. @returns the tarball's path, in `.trellis/build` */
export function packLibrary(folder = buildPackage()): string {
  const destination = state('build');
  const argv = ['pack', folder, '--pack-destination', destination, '--json', '--loglevel', 'error'];
  const [packed] = JSON.parse(execFileSync('npm', argv, { encoding: 'utf8' })) as readonly { filename: string }[];
  return path.join(destination, packed?.filename ?? '');
}

if (require.main === module) process.stdout.write(`${packLibrary()}\n`);
