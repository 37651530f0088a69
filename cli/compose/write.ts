import * as fs from 'node:fs';
import * as path from 'node:path';
import { stringify } from 'yaml';
import { composeCertificate, composeRunFolder, composeSecret, fillRunFolder, type RunFile } from '../../local/index';
import { certificateFolder } from './edge';
import type { Composition, SecretFile } from './model';
import { RUN_FOLDER } from './model';

const FILE = 'compose.yaml';

/**
 * Writes the configuration in place: a container sees the folder that was mounted, and not one that has its name later.
 * What an earlier run wrote and this one has not goes.
 */
function writeConfigs(folder: string, configs: Composition['configs']): void {
  for (const [name, content] of configs) {
    const target = path.join(folder, name);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    if (!fs.existsSync(target) || fs.readFileSync(target, 'utf8') !== content) fs.writeFileSync(target, content);
  }
  const own = path.join(folder, 'config');
  const written = fs.existsSync(own) ? fs.readdirSync(own, { recursive: true, encoding: 'utf8' }) : [];
  for (const name of written.map((one) => path.join('config', one))) {
    const target = path.join(folder, name);
    if (!configs.has(name) && fs.statSync(target).isFile()) fs.rmSync(target);
  }
}

/** Writes the Compose file and the configuration beside it. @returns path of the file */
export function writeComposition(folder: string, environment: string, { file, configs }: Composition): string {
  fs.mkdirSync(folder, { recursive: true });
  writeConfigs(folder, configs);
  const head = [
    `# Written by ./trellis compose ${environment}: change Pulumi.${environment}.yaml or the charts, and write it anew.`,
    `# No secret is in it. ./trellis compose ${environment} up makes them and starts it.`,
  ];
  const target = path.join(folder, FILE);
  fs.writeFileSync(
    target,
    `${head.join('\n')}\n${stringify(file, { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' })}`,
  );
  return target;
}

/** What Compose is run with: the values of secrets, which nothing keeps. */
export function composeEnvironment(environment: string, { secrets }: Composition): Record<string, string> {
  const values = [...secrets].map(([variable, name]) => [variable, composeSecret(environment, name)] as const);
  return { ...Object.fromEntries(values), [RUN_FOLDER]: composeRunFolder(environment) };
}

/** A template with its secrets; a doubled dollar sign is one. */
const filled = ({ template }: SecretFile, values: Readonly<Record<string, string>>): string =>
  template.replaceAll(/\$\$|\$\{(\w+):\?\}/g, (all, name: string | undefined) =>
    name === undefined ? '$' : (values[name] ?? all),
  );

/** Makes the files that containers read secrets from, in memory. @returns file of the authority, where there are certificates */
export async function writeSecrets(environment: string, made: Composition): Promise<string | undefined> {
  const values = composeEnvironment(environment, made);
  const files: RunFile[] = made.secretFiles.map((file) => ({ ...file, content: filled(file, values) }));
  let authority: string | undefined;
  for (const host of made.hosts) {
    const certificate = await composeCertificate(host);
    const folder = certificateFolder(host);
    const group = made.sharedFolders.find((one) => one.path === folder)?.group ?? 0;
    files.push({ path: `${folder}/tls.crt`, content: certificate.cert, group });
    files.push({ path: `${folder}/tls.key`, content: certificate.key, group });
    authority = certificate.authority;
  }
  fillRunFolder(composeRunFolder(environment), made.sharedFolders, files);
  return authority;
}
