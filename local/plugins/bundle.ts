import * as fs from 'node:fs';
import * as path from 'node:path';
import { bundle, keptFolder, keyOf } from '../kept';
import { root, state } from '../paths';
import { silent } from '../report';
import type { Report } from '../report';

/** The embedded plugins, by the name that the Pulumi CLI starts, with the folder of their source. */
export const EMBEDDED = {
  'pulumi-language-nodejs': 'language-nodejs',
  'pulumi-resource-kubernetes': 'kubernetes',
  'pulumi-resource-random': 'random',
  'pulumi-resource-docker': 'docker',
} as const;
export type PluginName = keyof typeof EMBEDDED;
export const PLUGIN_NAMES = Object.keys(EMBEDDED) as readonly PluginName[];

export interface BundleOptions {
  readonly report?: Report;
  /** Folder of the plugins' sources. @default local/plugins of this clone */
  readonly sources?: string;
  /** Where bundles lie, one folder for each state of the sources. @default .trellis/build/plugins */
  readonly target?: string;
  /** The lockfile that pins what is bundled along. @default package-lock.json of this clone */
  readonly lockfile?: string;
}

/** Every TypeScript file below a folder, in a fixed order. */
function sourceFiles(folder: string): readonly string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => path.join(folder, file));
}

/** What the bundles are made from, as sixteen hexadecimal digits: the plugins' sources, what they share, and the lockfile. */
export function bundleKey(sources: string, lockfile: string): string {
  const shared = path.dirname(sources);
  const beside = fs
    .readdirSync(shared)
    .filter((file) => file.endsWith('.ts'))
    .sort();
  const files = [...sourceFiles(sources), ...beside.map((name) => path.join(shared, name)), lockfile];
  return keyOf(...files.flatMap((file) => [path.relative(shared, file), fs.readFileSync(file)]));
}

/**
 * Bundles every embedded plugin into one file each, unless they are there from the same sources.
 *
 * @returns the folder that holds `<name>.js` for each
 * @throws LocalError where a source doesn't build
 */
export async function bundlePlugins(options: BundleOptions = {}): Promise<string> {
  const report = options.report ?? silent;
  const sources = options.sources ?? path.join(root, 'local', 'plugins');
  const target = options.target ?? state('build', 'plugins');
  const key = bundleKey(sources, options.lockfile ?? path.join(root, 'package-lock.json'));
  const make = (draft: string): Promise<void> => {
    report('bundling the embedded plugins');
    const entries = PLUGIN_NAMES.map((name) => [name, path.join(sources, EMBEDDED[name], 'main.ts')] as const);
    return bundle('The embedded plugins', { entryPoints: Object.fromEntries(entries), outdir: draft });
  };
  return keptFolder({ parent: target, key, make });
}
