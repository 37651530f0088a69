import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';

import type * as Client from '@kubernetes/client-node';
import { LocalError } from './errors';
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

async function bundle(target: string): Promise<void> {
  const { build } = await import('esbuild');
  const contents = `export { ${PARTS.join(', ')} } from '${PACKAGE}';`;
  const output = {
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minifyWhitespace: true,
    outfile: target,
  } as const;
  try {
    await build({
      ...{ stdin: { contents, resolveDir: root }, bundle: true, ...output },
      ...{ logLevel: 'silent', tsconfigRaw: {} },
    });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new LocalError(`${PACKAGE} could not be bundled: ${text}`, { fix: 'npm ci', cause: error });
  }
}

/**
 * The client library in one file, made once from each state of the lockfile: of its 1,000 modules each costs its own way through the loader,
 * 0.7 s of processor time and 113 MiB in all, where this takes 0.12 s and 65 MiB (docs/performance.md).
 *
 * @param folder where it is kept. @default .trellis/build/kubernetes-client
 * @throws LocalError where it can't be made
 */
export async function kubernetesClientFile(folder: string = state('build', 'kubernetes-client')): Promise<string> {
  const lockfile = fs.readFileSync(path.join(root, 'package-lock.json'));
  const key = createHash('sha256').update(PARTS.join()).update(lockfile).digest('hex').slice(0, 16);
  const file = path.join(folder, `${key}.js`);
  if (fs.existsSync(file)) return file;
  fs.mkdirSync(folder, { recursive: true });
  // Others may make it too: it is written beside its place and renamed.
  const draft = fs.mkdtempSync(path.join(folder, '.draft-'));
  try {
    await bundle(path.join(draft, 'client.js'));
    fs.renameSync(path.join(draft, 'client.js'), file);
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
  for (const old of fs.readdirSync(folder))
    if (old.endsWith('.js') && old !== `${key}.js`) fs.rmSync(path.join(folder, old));
  return file;
}

/** The client library, loaded. @throws LocalError where its bundle can't be made */
export const kubernetesClient = async (): Promise<KubernetesClient> =>
  createRequire(__filename)(await kubernetesClientFile()) as KubernetesClient;
