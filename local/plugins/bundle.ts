import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalError } from '../errors';
import { root, state } from '../paths';
import { silent } from '../report';
import type { Report } from '../report';
import { withLock } from '../system/lock';

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
  const hash = createHash('sha256').update('node20');
  for (const file of [...sourceFiles(sources), ...beside.map((name) => path.join(shared, name)), lockfile]) {
    hash.update(path.relative(shared, file)).update('\0').update(fs.readFileSync(file)).update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

async function build(sources: string, target: string): Promise<void> {
  const { build: bundle } = await import('esbuild');
  try {
    await bundle({
      entryPoints: Object.fromEntries(
        PLUGIN_NAMES.map((name) => [name, path.join(sources, EMBEDDED[name], 'main.ts')]),
      ),
      outdir: target,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      logLevel: 'silent',
      tsconfigRaw: {},
    });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new LocalError(`The embedded plugins could not be bundled: ${text}`, { fix: 'npm ci', cause: error });
  }
}

/** Keeps the bundles that were just made and removes those of earlier sources; a plugin that runs has read its own already. */
function prune(target: string, key: string): void {
  for (const entry of fs.readdirSync(target)) {
    if (entry !== key && !entry.endsWith('.lock'))
      fs.rmSync(path.join(target, entry), { recursive: true, force: true });
  }
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
  const folder = path.join(target, key);
  if (fs.existsSync(folder)) return folder;
  fs.mkdirSync(target, { recursive: true });
  return withLock(path.join(target, 'bundle.lock'), { what: 'bundles the embedded plugins', report }, async () => {
    if (fs.existsSync(folder)) return folder;
    report('bundling the embedded plugins');
    const temporary = fs.mkdtempSync(path.join(target, '.tmp-'));
    await build(sources, temporary);
    fs.renameSync(temporary, folder);
    prune(target, key);
    return folder;
  });
}
