import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { root, state } from '../../local/index';
import { CliError, EXIT } from '../exit';
import { checkApi, ENTRIES, writeApi } from './api';

/** Folder that is packed: compiled output and a manifest of its own. */
export const packageFolder = (): string => state('build', 'package');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: object;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Loaded by the components, or by the bridge; whoever imports the library brings them, so that there is one copy. */
const PEERS = ['cdk8s', 'cdk8s-plus-28', 'constructs'] as const;
/** Needed by `./bridge` alone. */
const BRIDGE_PEERS = ['@pulumi/pulumi', '@pulumi/kubernetes'] as const;
/** Needed by `./charts` alone, for dashboards. */
const CHART_PEERS = ['@grafana/grafana-foundation-sdk'] as const;
const OPTIONAL_PEERS = [...BRIDGE_PEERS, ...CHART_PEERS] as const;

const caret = (version: string | undefined): string => `^${version ?? ''}`;

/** The manifest of the package: the program's own tools are no business of those who import the library. */
export function packageManifest(manifest: Manifest): object {
  const { name, version, description, license, engines, dependencies } = manifest;
  const entry = (folder: string) => ({ types: `./${folder}/index.d.ts`, default: `./${folder}/index.js` });
  return {
    ...{ name, version, description, license, engines },
    type: 'commonjs',
    sideEffects: false,
    exports: {
      ...Object.fromEntries(ENTRIES.map((folder) => [`./${folder}`, entry(folder)])),
      './package.json': './package.json',
    },
    peerDependencies: Object.fromEntries(
      [...PEERS, ...OPTIONAL_PEERS].map((peer) => [peer, caret(dependencies[peer])]),
    ),
    peerDependenciesMeta: Object.fromEntries(OPTIONAL_PEERS.map((peer) => [peer, { optional: true }])),
  };
}

/** Files that are read at run time and lie beside the source. */
const DATA = ['charts/noa-server/sql'] as const;

/** Compiles the library into {@link packageFolder}. @throws CliError with the compiler's messages */
export function buildPackage(): string {
  const folder = packageFolder();
  fs.rmSync(folder, { recursive: true, force: true });
  const tsc = path.join(root, 'node_modules', 'typescript-native', 'bin', 'tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', path.join(root, 'tsconfig.build.json')], { encoding: 'utf8' });
  } catch (error) {
    throw new CliError(`The library does not compile:\n${String((error as { stdout?: unknown }).stdout)}`, EXIT.failed);
  }
  for (const data of DATA) fs.cpSync(path.join(root, data), path.join(folder, data), { recursive: true });
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md']) {
    fs.copyFileSync(path.join(root, file), path.join(folder, file));
  }
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(packageManifest(manifest), null, 2)}\n`);
  return folder;
}

/** `npm run build`, `npm run api` (writes the reports) and `npm run api:check`. */
function main(verb: string | undefined): void {
  const folder = buildPackage();
  if (verb === 'api') writeApi(folder);
  if (verb === 'check') checkApi(folder);
}

if (require.main === module) {
  try {
    main(process.argv[2]);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = EXIT.failed;
  }
}
