import * as fs from 'node:fs';
import * as path from 'node:path';

import { build } from 'esbuild';

import { keptFolder as kept, keyOf, type Kept } from '../../local/kept';
import { state } from '../../local/paths';
import { EMBEDDED } from '../../local/plugins/bundle';

export const repository = path.resolve(__dirname, '..', '..');

const DAY_MS = 24 * 3_600_000;

/** Names the folder with the plugins that the files of one run share; jest's global setup makes it. */
export const PLUGIN_FOLDER = 'TRELLIS_TEST_PLUGINS';

let plugins: Promise<string> | undefined;

/** A folder with the plugins as their sources are now: no test runs against an older bundle. */
export function pluginFolder(): Promise<string> {
  plugins ??= (async () => {
    const made = process.env[PLUGIN_FOLDER];
    if (made !== undefined) return made;
    const files = new Map<string, string>();
    for (const [name, source] of Object.entries(EMBEDDED)) {
      const entry = path.join(repository, 'local/plugins', source, 'main.ts');
      const common = { bundle: true, platform: 'node', target: 'node20', logLevel: 'error', write: false } as const;
      const { outputFiles } = await build({ entryPoints: [entry], ...common });
      files.set(`${source}.js`, outputFiles[0]?.text ?? '');
      files.set(name, `#!/bin/sh\nexec '${process.execPath}' "$(dirname "$0")/${source}.js" "$@"\n`);
    }
    return keptFolder('test-plugins', JSON.stringify([...files]), (draft) => {
      for (const [name, content] of files) fs.writeFileSync(path.join(draft, name), content, { mode: 0o755 });
    });
  })();
  return plugins;
}

/** A folder that is made once from the same source. Files of a run that was started before use theirs on. */
export const keptFolder = (kind: string, source: string, make: Kept['make']): Promise<string> =>
  kept({ parent: state('build', kind), key: keyOf(source), make, keepMs: DAY_MS });
