import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { run } from '../../local/index';
import { CliError } from '../exit';

/** Configuration of Prometheus and Alertmanager, as their pods will read it. */
export interface MonitoringFiles {
  readonly prometheus: string;
  /** Rule files by name. */
  readonly rules: Readonly<Record<string, string>>;
  readonly alertmanager: string;
}

interface Document {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly target?: { readonly template?: { readonly data?: Readonly<Record<string, string>> } } };
}

/** What an address from a store stands as in a render. */
const STORED = /\{\{ \.\w+ \}\}/g;

/** Takes the files out of rendered manifests. @throws CliError where they are not there */
export function monitoringFiles(manifests: string): MonitoringFiles {
  const documents = parseAllDocuments(manifests).map((document) => document.toJS() as Document | null);
  const dataOf = (name: string): Readonly<Record<string, string>> => {
    const found = documents.find(
      (one) => one?.metadata?.name === name && (one.kind === 'ConfigMap' || one.kind === 'ExternalSecret'),
    );
    const data = found?.data ?? found?.spec?.target?.template?.data;
    if (data === undefined) throw new CliError(`The manifests have no ${name}.`);
    return data;
  };
  return {
    prometheus: dataOf('prometheus-config')['prometheus.yml'] ?? '',
    rules: dataOf('prometheus-rules'),
    alertmanager: (dataOf('alertmanager-config')['alertmanager.yml'] ?? '').replaceAll(STORED, 'https://stored.test/'),
  };
}

const complaints = (tool: string, result: { code: number; stdout: string; stderr: string }): readonly string[] => {
  if (result.code === 0) return [];
  const lines = `${result.stdout}\n${result.stderr}`.split('\n').filter((line) => line.trim() !== '');
  return lines.length === 0 ? [`${tool} ended with code ${result.code}`] : lines;
};

/** Configuration and rules of Prometheus, by promtool; a rule that is there twice is a finding too. */
export async function promtool(manifests: string, folder: string): Promise<readonly string[]> {
  const { prometheus, rules } = monitoringFiles(manifests);
  const ruleFolder = path.join(folder, 'rules');
  fs.mkdirSync(ruleFolder);
  for (const [name, text] of Object.entries(rules)) fs.writeFileSync(path.join(ruleFolder, name), text);
  const config = path.join(folder, 'prometheus.yml');
  // It reads the rules where the configuration says.
  const read = prometheus.replaceAll('/etc/prometheus-rules', ruleFolder).replaceAll('/etc/prometheus-tokens', folder);
  // Of a token it only looks whether there is one.
  for (const [, token = ''] of read.matchAll(/credentials_file: (\S+)/g)) fs.writeFileSync(token, 'a-token');
  fs.writeFileSync(config, read);
  const argv = ['promtool', 'check', 'config', '--lint=all', '--lint-fatal', config];
  return complaints('promtool', await run(argv));
}

/** Configuration of Alertmanager, by amtool. */
export async function amtool(manifests: string, folder: string): Promise<readonly string[]> {
  const config = path.join(folder, 'alertmanager.yml');
  fs.writeFileSync(config, monitoringFiles(manifests).alertmanager);
  return complaints('amtool', await run(['amtool', 'check-config', config]));
}
