import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { prepareRehearsal, rehearsalOf, rehearsalStatus, root } from '../local/index';
import type { Command } from './measure';
import { measure } from './measure';

/** `pulumi preview` of prod as it is, and of a program that does nothing: what the engine itself takes. */
export interface Previews {
  readonly prod: Command;
  readonly floor: Command;
  /** Drops the floor's project. */
  dispose(): void;
}

/** @returns nothing where prod's rehearsal does not run: a preview asks its API server */
export async function previews(): Promise<Previews | undefined> {
  const rehearsal = rehearsalOf('prod');
  const { state } = await rehearsalStatus(rehearsal);
  if (state !== 'running') return undefined;
  const { pulumi, env } = await prepareRehearsal(rehearsal);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-bench-'));
  const floorEnv = {
    ...env,
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: 'bench',
    // The passphrase in a file would win.
    PULUMI_CONFIG_PASSPHRASE_FILE: '',
  };
  const options = 'runtime:\n  name: nodejs\n  options:\n    typescript: false\n';
  fs.writeFileSync(path.join(folder, 'Pulumi.yaml'), `name: floor\n${options}`);
  fs.writeFileSync(path.join(folder, 'package.json'), '{"name":"floor","main":"index.js"}\n');
  fs.writeFileSync(path.join(folder, 'index.js'), "require('@pulumi/pulumi');\n");
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  await measure({ argv: [pulumi, 'stack', 'init', 'floor', '--non-interactive'], cwd: folder, env: floorEnv });
  const preview = [pulumi, 'preview', '--non-interactive', '--color', 'never', '-s'];
  return {
    prod: {
      argv: [...preview, 'prod', '--config-file', rehearsal.configFile, '--expect-no-changes'],
      cwd: root,
      env,
    },
    floor: { argv: [...preview, 'floor'], cwd: folder, env: floorEnv },
    dispose: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}
