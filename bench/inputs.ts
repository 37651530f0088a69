import * as fs from 'node:fs';
import * as path from 'node:path';
import { stringify } from 'yaml';
import { state } from '../local/index';
import { benchObjects } from './platform';

/** Where each of the other tools finds the same objects. */
export interface Inputs {
  /** A JSON list of the manifests. */
  readonly json: string;
  /** A chart whose templates take namespace and image tag from its values. */
  readonly helm: string;
  /** A base of as many files, under an overlay that labels everything. */
  readonly kustomize: string;
  /** A program with a function for each team, that writes a YAML stream. */
  readonly jsonnet: string;
}

type Manifest = Readonly<Record<string, unknown>>;
const LABEL = { 'bench.example/run': 'one' };

/** Writes the objects of a platform as input of the other tools. */
export function writeInputs(objects: number): Inputs {
  const folder = state('bench', 'inputs', String(objects));
  fs.rmSync(folder, { recursive: true, force: true });
  const manifests = benchObjects({ objects }).map(({ manifest }) => manifest);
  const write = (file: string, text: string): string => {
    const target = path.join(folder, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
    return target;
  };
  const files = manifests.map(
    (manifest, index) => [`object-${index}.yaml`, stringify(manifest, { lineWidth: 0 })] as const,
  );
  write('helm/Chart.yaml', stringify({ apiVersion: 'v2', name: 'bench', version: '1.0.0' }));
  write('helm/values.yaml', stringify({ tag: '1.0.0', level: 'info' }));
  write('kustomize/kustomization.yaml', kustomization(files.map(([name]) => name)));
  for (const [name, text] of files) {
    write(`helm/templates/${name}`, templated(text));
    write(`kustomize/${name}`, text);
  }
  return {
    json: write('objects.json', JSON.stringify(manifests)),
    helm: path.join(folder, 'helm'),
    kustomize: path.join(folder, 'kustomize'),
    jsonnet: write('objects.jsonnet', jsonnet(manifests)),
  };
}

/** What differs between environments comes from the values, as a chart's author would have it. */
const templated = (text: string): string =>
  text.replaceAll('api:1.0.0', 'api:{{ .Values.tag }}').replaceAll('value: info', 'value: {{ .Values.level | quote }}');

const kustomization = (resources: readonly string[]): string =>
  stringify({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources,
    labels: [{ pairs: LABEL, includeSelectors: false }],
  });

/** JSON is jsonnet; what differs between teams is an argument, so that there is something to evaluate. */
function jsonnet(manifests: readonly Manifest[]): string {
  const teams = new Map<string, Manifest[]>();
  for (const manifest of manifests) {
    const { name, namespace = name } = manifest.metadata as { readonly name: string; readonly namespace?: string };
    teams.set(namespace, [...(teams.get(namespace) ?? []), manifest]);
  }
  const calls = [...teams].map(([team, own]) => {
    const body = JSON.stringify(own)
      .replaceAll(`"${team}"`, 'team')
      .replaceAll('"registry.example/team/api:1.0.0"', 'image');
    return `(function(team, image) ${body})("${team}", "registry.example/team/api:" + tag)`;
  });
  return `local tag = "1.0.0";\nstd.manifestYamlStream(\n${calls.join(' +\n')}\n)\n`;
}
