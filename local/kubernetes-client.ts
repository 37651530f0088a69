import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';

import type * as Client from '@kubernetes/client-node';
import { bundle, keptFolder, keyOf } from './kept';
import { root, state } from './paths';

/** What the verbs use of the client library. */
const PARTS = [
  'AppsV1Api',
  'AutoscalingV2Api',
  'BatchV1Api',
  'CoreV1Api',
  'Exec',
  'KubeConfig',
  'Log',
  'NetworkingV1Api',
] as const;
export type KubernetesClient = Pick<typeof Client, (typeof PARTS)[number]>;

const PACKAGE = '@kubernetes/client-node';
const FILE = 'client.js';

/**
 * The client library in one file, made once from each state of the lockfile: of its 1,000 modules each costs its own way through the loader,
 * 0.7 s of processor time and 113 MiB in all, where this takes 0.12 s and 65 MiB (docs/performance.md).
 *
 * @param folder where it is kept. @default .trellis/build/kubernetes-client
 * @throws LocalError where it can't be made
 */
export async function kubernetesClientFile(folder: string = state('build', 'kubernetes-client')): Promise<string> {
  const key = keyOf(PARTS.join(), fs.readFileSync(path.join(root, 'package-lock.json')));
  const contents = `export { ${PARTS.join(', ')} } from '${PACKAGE}';`;
  const make = (draft: string): Promise<void> =>
    bundle(PACKAGE, {
      stdin: { contents, resolveDir: root },
      minifyWhitespace: true,
      outfile: path.join(draft, FILE),
    });
  return path.join(await keptFolder({ parent: folder, key, make }), FILE);
}

/** The client library, loaded. @throws LocalError where its bundle can't be made */
export const kubernetesClient = async (): Promise<KubernetesClient> =>
  createRequire(__filename)(await kubernetesClientFile()) as KubernetesClient;
