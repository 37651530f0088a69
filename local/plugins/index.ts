import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalError } from '../errors';
import { cacheDir, root, state, stateDir } from '../paths';
import type { Report } from '../report';
import { pathDirectories } from '../system/which';
import { vendorPlugin as findVendorPlugin } from '../toolchain';
import { bundlePlugins, PLUGIN_NAMES } from './bundle';
import type { PluginName } from './bundle';

export { bundlePlugins, EMBEDDED, PLUGIN_NAMES } from './bundle';
export type { BundleOptions, PluginName } from './bundle';

export interface PluginOptions {
  /** The `PULUMI_HOME` that commands will run with. @default - this clone's own */
  readonly pulumiHome?: string;
  /** Finds a plugin that the user or the vendor provides. @default - PATH, the user's Pulumi homes, the vendor's release */
  readonly vendorPlugin?: (name: PluginName) => Promise<string | undefined>;
  /** Directories where the CLI itself finds plugins. @default - those of PATH, without this clone's and the cache */
  readonly searchPath?: readonly string[];
  /** Folder for programs of this clone. @default .trellis/bin */
  readonly binDir?: string;
  /** Bundles the embedded plugins and returns their folder. */
  readonly bundle?: (report: Report) => Promise<string>;
}

export interface Plugins {
  /** Must come first on PATH. */
  readonly binDir: string;
  /** The plugins that are ours, for want of the vendor's. */
  readonly embedded: readonly PluginName[];
}

/** Tells our own executables from those that someone installed. */
const MARK = '# Written by Trellis; it is replaced by every ./trellis up.';

/** The SDK whose version a plugin must have, as the CLI reads it from the program's packages. */
const sdks: Readonly<Record<PluginName, string>> = {
  'pulumi-language-nodejs': '@pulumi/pulumi',
  'pulumi-resource-kubernetes': '@pulumi/kubernetes',
  'pulumi-resource-random': '@pulumi/random',
  'pulumi-resource-docker': '@pulumi/docker',
};

function sdkVersion(name: PluginName): string {
  const file = path.join(root, 'node_modules', sdks[name], 'package.json');
  try {
    return (JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string }).version;
  } catch (error) {
    throw new LocalError(`${sdks[name]} is not installed.`, { fix: 'npm ci', cause: error });
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const script = (command: string): string => `#!/bin/sh\n${MARK}\nexec ${command} "$@"\n`;

function isOurs(file: string): boolean {
  try {
    return fs.readFileSync(file, 'utf8').includes(MARK);
  } catch {
    return false;
  }
}

/** Writes an executable unless it is there already, in one step: an engine may start it at any moment. */
function writeExecutable(file: string, content: string): void {
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === content) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, content, { mode: 0o755 });
  fs.renameSync(temporary, file);
}

/** `pulumi-resource-random` → `resource-random`: how the CLI names the folder of an installed plugin, before its version. */
const folderName = (name: PluginName): string => name.replace(/^pulumi-/, '');

/** Removes our own executables of that plugin below a Pulumi home, save the one in `keep`. */
function forget(name: PluginName, plugins: string, keep?: string): void {
  for (const entry of fs.existsSync(plugins) ? fs.readdirSync(plugins) : []) {
    const folder = path.join(plugins, entry);
    if (!entry.startsWith(`${folderName(name)}-v`) || folder === keep) continue;
    if (isOurs(path.join(folder, name))) fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Where a plugin's executable goes. In a Pulumi home of this clone it lies where `pulumi plugin install` would put it, which
 * the CLI uses without a word; a user's own home is left alone, and PATH serves instead, of which the CLI warns.
 */
function place(name: PluginName, home: string, binDir: string): { readonly file: string; readonly home: boolean } {
  const inside = path.resolve(home) === stateDir || path.resolve(home).startsWith(`${stateDir}${path.sep}`);
  if (!inside) return { file: path.join(binDir, name), home: false };
  return { file: path.join(home, 'plugins', `${folderName(name)}-v${sdkVersion(name)}`, name), home: true };
}

function install(name: PluginName, command: string | undefined, home: string, binDir: string): void {
  const { file, home: inHome } = place(name, home, binDir);
  forget(name, path.join(home, 'plugins'), inHome && command !== undefined ? path.dirname(file) : undefined);
  const onPath = path.join(binDir, name);
  if (isOurs(onPath) && (inHome || command === undefined)) fs.rmSync(onPath, { force: true });
  if (command !== undefined) writeExecutable(file, script(command));
}

/**
 * Makes the language host and the three providers available to plain `pulumi` commands: the user's own where there is one, the
 * vendor's release where it can be had, and the embedded ones otherwise, which it says in one line.
 *
 * @throws LocalError where the packages of this clone are not installed, or a plugin doesn't build
 */
export async function ensurePlugins(report: Report, options: PluginOptions = {}): Promise<Plugins> {
  const home = options.pulumiHome ?? state('pulumi', 'home');
  const binDir = options.binDir ?? state('bin');
  const searchPath = options.searchPath ?? pathDirectories([stateDir, cacheDir]);
  const vendor = options.vendorPlugin ?? ((name: PluginName) => findVendorPlugin(name, { report }));
  const embedded: PluginName[] = [];
  for (const name of PLUGIN_NAMES) {
    const { file, home: inHome } = place(name, home, binDir);
    // Someone ran `pulumi plugin install` with this clone's home.
    if (inHome && fs.existsSync(file) && !isOurs(file)) continue;
    const found = await vendor(name);
    if (found === undefined) embedded.push(name);
    // The CLI finds on PATH by itself; anything else needs an executable where it looks.
    else install(name, searchPath.includes(path.dirname(found)) ? undefined : quoted(found), home, binDir);
  }
  if (embedded.length === 0) return { binDir, embedded };
  const bundles = await (options.bundle ?? ((to: Report) => bundlePlugins({ report: to })))(report);
  for (const name of embedded) install(name, `node ${quoted(path.join(bundles, `${name}.js`))}`, home, binDir);
  report(`plugins: embedded ${embedded.map((name) => name.replace(/^pulumi-(resource-)?/, '')).join(', ')}`);
  return { binDir, embedded };
}
