import * as fs from 'node:fs';
import * as path from 'node:path';

/** A package of `node_modules` that is reachable from the program's own dependencies. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Named by the program's own package.json, rather than by one of its dependencies. */
  readonly direct: boolean;
  readonly manifest: Manifest;
}

/** A provider plugin that an installed package needs. */
export interface PluginRequirement {
  readonly name: string;
  /** With a leading `v`. */
  readonly version: string;
  /** Where the plugin is downloaded from; empty for the default place. */
  readonly server: string;
  readonly parameterization?: { readonly name: string; readonly version: string; readonly value: string };
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly pulumi?: {
    readonly resource?: boolean;
    readonly name?: string;
    readonly version?: string;
    readonly server?: string;
    readonly parameterization?: { readonly name: string; readonly version: string; readonly value: string };
  };
}

function readManifest(directory: string): Manifest | undefined {
  try {
    return JSON.parse(fs.readFileSync(path.join(directory, 'package.json'), 'utf8')) as Manifest;
  } catch {
    return undefined;
  }
}

/** The directory of a package as Node resolves it from `from`: the nearest `node_modules` upwards. */
function locate(name: string, from: string): string | undefined {
  for (let directory = from; ; directory = path.dirname(directory)) {
    if (path.basename(directory) !== 'node_modules') {
      const candidate = path.join(directory, 'node_modules', name);
      if (fs.existsSync(path.join(candidate, 'package.json'))) return fs.realpathSync(candidate);
    }
    if (path.dirname(directory) === directory) return undefined;
  }
}

/** The nearest directory upwards that has a package.json, or the program's own. */
export function packageRoot(program: string): string {
  for (let directory = program; ; directory = path.dirname(directory)) {
    if (fs.existsSync(path.join(directory, 'package.json'))) return directory;
    if (path.dirname(directory) === directory) return program;
  }
}

/**
 * Every installed package that the program depends on, directly or not, in the order found. What is declared and not installed
 * is left out: the program's own start names it.
 */
export function installedPackages(program: string): readonly InstalledPackage[] {
  const root = packageRoot(program);
  const found = new Map<string, InstalledPackage>();
  const queue: { readonly name: string; readonly from: string; readonly direct: boolean }[] = [];
  const own = readManifest(root) ?? {};
  for (const name of Object.keys({ ...own.dependencies, ...own.devDependencies, ...own.optionalDependencies })) {
    queue.push({ name, from: root, direct: true });
  }
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const directory = locate(next.name, next.from);
    if (directory === undefined || found.has(directory)) continue;
    const manifest = readManifest(directory);
    if (manifest === undefined) continue;
    const { name = next.name, version = '0.0.0' } = manifest;
    found.set(directory, { name, version, direct: next.direct, manifest });
    const wanted = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies };
    for (const dependency of Object.keys(wanted)) queue.push({ name: dependency, from: directory, direct: false });
  }
  return [...found.values()];
}

/** The provider plugins that the program's packages ask for, each once. */
export function requiredPlugins(program: string): readonly PluginRequirement[] {
  const plugins = new Map<string, PluginRequirement>();
  for (const { name, version, manifest } of installedPackages(program)) {
    const declared = manifest.pulumi;
    if (declared?.resource !== true) continue;
    const requirement: PluginRequirement = {
      // @pulumi/random → random; @scope/name → scope/name
      name: declared.name ?? name.replace(/^@pulumi\//, '').replace(/^@/, ''),
      version: `v${(declared.version ?? version).replace(/^v/, '')}`,
      server: declared.server ?? '',
      ...(declared.parameterization && { parameterization: declared.parameterization }),
    };
    plugins.set(`${requirement.name}@${requirement.version}@${requirement.parameterization?.name ?? ''}`, requirement);
  }
  return [...plugins.values()];
}
