import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { cache, root, stateDir } from '../paths';
import { silent } from '../report';
import type { Report } from '../report';
import { withLock } from '../system/lock';
import { executables } from '../system/which';
import { userDirectories } from './ensure';
import { fetchRelease, releaseHere } from './release';
import type { Platform, Release } from './tools';

/** The programs that the Pulumi CLI starts beside itself. */
export type VendorPlugin =
  'pulumi-language-nodejs' | 'pulumi-resource-kubernetes' | 'pulumi-resource-random' | 'pulumi-resource-docker';

interface Plugin {
  /** npm package whose version is the plugin's. */
  readonly sdk: string;
  /**
   * @default - none: checksums of the versions in package.json are public nowhere but at the vendor itself
   * (nixpkgs' pulumi-bin ends at kubernetes 4.25.0, random 4.19.1, docker 4.11.0, and the CLI 3.221.0 whose archive
   * holds the language host). An SDK newer than its plugin is not supported, so no older release is given.
   */
  readonly releases?: Partial<Record<Platform, Release>>;
}

export const VENDOR_PLUGINS: Readonly<Record<VendorPlugin, Plugin>> = {
  'pulumi-language-nodejs': { sdk: '@pulumi/pulumi' },
  'pulumi-resource-kubernetes': { sdk: '@pulumi/kubernetes' },
  'pulumi-resource-random': { sdk: '@pulumi/random' },
  'pulumi-resource-docker': { sdk: '@pulumi/docker' },
};

function sdkVersion(sdk: string): string | undefined {
  try {
    const manifest = fs.readFileSync(path.join(root, 'node_modules', sdk, 'package.json'), 'utf8');
    return (JSON.parse(manifest) as { version?: string }).version;
  } catch {
    return undefined;
  }
}

/** The user's Pulumi homes: `PULUMI_HOME` unless it is the one of this clone, and the default. */
function homes(): readonly string[] {
  const own = process.env.PULUMI_HOME;
  const chosen = own === undefined || path.resolve(own).startsWith(stateDir) ? [] : [own];
  return [...chosen, path.join(os.homedir(), '.pulumi')];
}

/** Where `pulumi plugin install` puts a provider of exactly this version, and the installer the CLI and its hosts. */
function installedDirectories(name: VendorPlugin, version: string | undefined): readonly string[] {
  const provider = /^pulumi-resource-(.+)$/.exec(name)?.[1];
  return homes().flatMap((home) => [
    ...(provider === undefined || version === undefined
      ? []
      : [path.join(home, 'plugins', `resource-${provider}-v${version}`)]),
    ...(provider === undefined ? [path.join(home, 'bin')] : []),
  ]);
}

export interface VendorPluginOptions {
  readonly report?: Report;
  /** Where a user's own plugin may be. @default - PATH, without this clone's wrappers and the cache */
  readonly directories?: readonly string[];
}

/**
 * The vendor's own plugin: on PATH, else installed by the user's Pulumi in the SDK's version, else its release.
 *
 * @returns the path of the executable, or nothing: then the embedded plugin is the one to use
 */
export async function vendorPlugin(name: VendorPlugin, options: VendorPluginOptions = {}): Promise<string | undefined> {
  const { sdk, releases } = VENDOR_PLUGINS[name];
  const directories = [...(options.directories ?? userDirectories()), ...installedDirectories(name, sdkVersion(sdk))];
  const users = executables(name, directories)[0];
  if (users !== undefined) return users;
  const release = releaseHere(releases);
  if (release === undefined) return undefined;
  return fetched(name, release, options.report ?? silent);
}

/** The release from the cache, fetched now if need be. */
async function fetched(name: VendorPlugin, release: Release, report: Report): Promise<string | undefined> {
  const hash = createHash('sha256').update(release.sha256).digest('hex').slice(0, 16);
  const directory = cache('tools', `${name}-${hash}`);
  const target = path.join(directory, name);
  if (fs.existsSync(target)) return target;
  fs.mkdirSync(cache('tools'), { recursive: true });
  return withLock(cache('locks', `${name}-${hash}.lock`), { what: `fetches ${name}`, report }, async () => {
    if (fs.existsSync(target)) return target;
    const temporary = fs.mkdtempSync(cache('tools', `.tmp-${name}-${hash}-`));
    try {
      if ((await fetchRelease(name, release, temporary, report)) === undefined) return undefined;
      fs.chmodSync(temporary, 0o755);
      fs.renameSync(temporary, directory);
      return target;
    } finally {
      fs.rmSync(temporary, { recursive: true, force: true });
    }
  });
}
