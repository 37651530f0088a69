import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { startControlPlane } from '../../local/cluster';
import { resolveTool, SHARED } from './api-server';
import { PLUGIN_FOLDER, pluginFolder } from './engine-folders';

/** Jest calls it before the files of a project: they inherit the folders. */
export default async function setUp(): Promise<void> {
  process.env[SHARED] = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-api-'));
  process.env[PLUGIN_FOLDER] = await pluginFolder();
}

/** Jest calls it when all files have ended. */
export async function tearDown(): Promise<void> {
  const dir = process.env[SHARED] ?? '';
  // The first file that asked for it made its certificates; a start where it runs only finds it.
  if (fs.existsSync(path.join(dir, 'kubeconfig')))
    await (await startControlPlane({ dir, resolve: resolveTool })).stop();
  fs.rmSync(dir, { recursive: true, force: true });
}
