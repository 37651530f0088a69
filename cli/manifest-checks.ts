import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { customResourceDefinitions, run } from '../local/index';
import { CliError } from './exit';
import { excepted, exceptedNamespaces } from './manifests/exceptions';
import { amtool, promtool } from './manifests/monitoring';
import { customSchemaFiles, schemaLocation } from './manifests/openapi';
import type { Check } from './suites/suite';

/** Programs and files that the checks need. */
export interface ManifestTools {
  readonly kubeconform: string;
  readonly 'kube-score': string;
  readonly 'psa-check': string;
  /** Folder of the schemas, made by `writeSchemas`. */
  readonly schemas: string;
  /** `1.34.4`; some of kube-score's rules depend on it. */
  readonly kubernetes: string;
}

/** A finding of a tool about one object. */
export type Finding = string;

interface Conformance {
  readonly resources?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly status: string;
    readonly msg: string;
  }[];
}

/** Everything that kubeconform did not find valid; what it skips was not checked, so that is a finding too. */
export function readConformance(output: string): readonly Finding[] {
  return ((JSON.parse(output) as Conformance).resources ?? [])
    .filter(({ status }) => status !== 'statusValid')
    .map(({ kind, name, status, msg }) => `${kind} ${name}: ${msg || status}`);
}

interface Score {
  readonly object_name: string;
  readonly checks:
    | readonly {
        readonly check: { readonly id: string };
        readonly grade: number;
        readonly skipped: boolean;
        readonly comments: readonly { readonly path: string; readonly summary: string }[] | null;
      }[]
    | null;
}

/** kube-score's grades: 1 critical, 5 warning, 7 a remark, 10 all well; it calls the first two failures. */
const WARNING = 5;

export function readScores(output: string): readonly Finding[] {
  return (JSON.parse(output) as readonly Score[]).flatMap(({ object_name: object, checks }) =>
    (checks ?? [])
      .filter(({ skipped, grade }) => !skipped && grade <= WARNING)
      .map(({ check, comments }) => {
        const why = (comments ?? []).map(({ path: where, summary }) => [where, summary].filter(Boolean).join(': '));
        return `${object}: ${check.id}: ${why.join('; ')}`;
      }),
  );
}

/** A tool that ended otherwise than with "clean" or "findings" has checked nothing. */
function trusted(tool: string, result: { code: number; stdout: string; stderr: string }): string {
  if (result.code > 1) throw new CliError(`${tool} ended with code ${result.code}: ${result.stderr.trim()}`);
  return result.stdout;
}

async function kubeconform(tools: ManifestTools, file: string): Promise<readonly Finding[]> {
  // Kinds that a bare API server doesn't know.
  const custom = path.join(path.dirname(file), 'custom');
  fs.mkdirSync(custom);
  for (const [name, text] of customSchemaFiles(customResourceDefinitions()))
    fs.writeFileSync(path.join(custom, name), text);
  const locations = [custom, tools.schemas].flatMap((folder) => ['-schema-location', schemaLocation(folder)]);
  const argv = [tools.kubeconform, '-strict', '-verbose', '-output', 'json', ...locations, file];
  return readConformance(trusted('kubeconform', await run(argv)));
}

async function kubeScore(tools: ManifestTools, file: string): Promise<readonly Finding[]> {
  const version = `v${tools.kubernetes.split('.').slice(0, 2).join('.')}`;
  const argv = [tools['kube-score'], 'score', '--output-format', 'json', '--kubernetes-version', version, file];
  return readScores(trusted('kube-score', await run(argv)));
}

async function psaCheck(tools: ManifestTools, file: string): Promise<readonly Finding[]> {
  const result = await run([tools['psa-check'], file]);
  const lines = trusted('psa-check', result).trim().split('\n');
  if (result.code === 0) return [];
  const namespaces = exceptedNamespaces(fs.readFileSync(file, 'utf8'));
  // The last line only counts.
  const findings = lines.slice(0, -1).filter((line) => !excepted(line, namespaces));
  return findings.length === 0 ? [] : [...findings, ...lines.slice(-1)];
}

const problemOf = (findings: readonly Finding[]): string | undefined =>
  findings.length === 0 ? undefined : findings.map((line) => `  ${line}`).join('\n');

/** The first lines that differ between the reviewed manifests and the rendered ones; undefined where they are the same. */
export function drift(golden: string | undefined, rendered: string, file: string): string | undefined {
  const fix = `review what changed, then: ./trellis render -s ${path.basename(file, '.yaml')} -o ${file}`;
  if (golden === undefined) return `  ${file} is missing.\n  To mend it: ${fix}`;
  if (golden === rendered) return undefined;
  const [old, now] = [golden.split('\n'), rendered.split('\n')];
  const at = old.findIndex((line, index) => line !== now[index]);
  const from = at === -1 ? old.length : at;
  const around = [
    ...old.slice(from, from + 5).map((line) => `  - ${line}`),
    ...now.slice(from, from + 5).map((line) => `  + ${line}`),
  ];
  return `  ${file} differs from line ${from + 1} on:\n${around.join('\n')}\n  To mend it: ${fix}`;
}

/** The manifests of one environment through each tool, and against the reviewed ones; each is one test. */
export async function checkManifests(
  environment: string,
  manifests: string,
  golden: string,
  tools: ManifestTools,
): Promise<readonly Check[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-manifests-'));
  const file = path.join(folder, `${environment}.yaml`);
  fs.writeFileSync(file, manifests);
  const each = { kubeconform, 'kube-score': kubeScore, 'psa-check': psaCheck };
  try {
    const checks: Check[] = [];
    for (const [name, check] of Object.entries(each))
      checks.push({ name: `${environment}: ${name}`, problem: problemOf(await check(tools, file)) });
    for (const [name, check] of Object.entries({ promtool, amtool }))
      checks.push({ name: `${environment}: ${name}`, problem: problemOf(await check(manifests, folder)) });
    const reviewed = fs.existsSync(golden) ? fs.readFileSync(golden, 'utf8') : undefined;
    const problem = drift(reviewed, manifests, path.join('test', 'golden', path.basename(golden)));
    return [...checks, { name: `${environment}: golden file`, problem }];
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
