/** `npm run imports`: fetches the pinned definitions, writes them to `local/cluster/crds` and their types to `components/imports`. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { LocalError } from '../errors';
import { root } from '../paths';
import { runOrThrow } from '../system/run';
import { CRD_FOLDER } from './crds';
import type { CustomResourceDefinition } from './crds';
import { CRD_SOURCES } from './crds-sources';
import type { CrdSource } from './crds-sources';
import { wireNames } from './crds-wire';

const IMPORTS = path.join(root, 'components', 'imports');
const GENERATOR = path.join(root, 'local', 'toolchain', 'cdk8s-cli');

interface Download {
  readonly Dir: string;
  readonly Sum: string;
}

/** The definitions of one source as its authors publish them. */
async function fetchSource({ module, sum, folder, files }: CrdSource): Promise<readonly CustomResourceDefinition[]> {
  const cwd = os.tmpdir();
  const { stdout } = await runOrThrow(['go', 'mod', 'download', '-json', module], { cwd, env: { GOWORK: 'off' } });
  const { Dir, Sum } = JSON.parse(stdout) as Download;
  if (Sum !== sum) throw new LocalError(`${module} has the checksum ${Sum}, not ${sum}.`);
  return files.flatMap((file) =>
    parseAllDocuments(fs.readFileSync(path.join(Dir, folder, `${file}.yaml`), 'utf8'))
      .map((document) => document.toJS() as CustomResourceDefinition | null)
      .filter((document) => document !== null),
  );
}

/** `value` with each description replaced; a property that is called `description` is no description. */
function describe(value: unknown, description: (text: string) => string | undefined, names = false): unknown {
  if (Array.isArray(value)) return value.map((item) => describe(item, description));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]: [string, unknown]): [string, unknown][] => {
      if (names || key !== 'description' || typeof inner !== 'string')
        return [[key, describe(inner, description, key === 'properties' && !names)]];
      const text = description(inner);
      return text === undefined ? [] : [[key, text]];
    }),
  );
}

/** As the cluster takes it: a version that is not served has no place there. */
function forCluster(crd: CustomResourceDefinition, module: string): unknown {
  const annotations = { ...crd.metadata.annotations, 'trellis.local/origin': module };
  const versions = crd.spec.versions.filter(({ served }) => served);
  const whole = { ...crd, metadata: { ...crd.metadata, annotations }, spec: { ...crd.spec, versions } };
  return describe(whole, () => undefined);
}

/** As the types are made from it: the stored version alone, with the first paragraph of each description. */
function forTypes(crd: CustomResourceDefinition): unknown {
  const versions = crd.spec.versions.filter(({ storage }) => storage);
  return describe({ ...crd, spec: { ...crd.spec, versions } }, (text) => text.split(/\n\s*\n/)[0]?.slice(0, 400));
}

async function writeTypes(crds: readonly CustomResourceDefinition[], work: string): Promise<void> {
  for (const file of ['package.json', 'package-lock.json'])
    fs.copyFileSync(path.join(GENERATOR, file), path.join(work, file));
  await runOrThrow(['npm', 'ci', '--no-audit', '--no-fund'], { cwd: work });
  for (const group of new Set(crds.map(({ spec }) => spec.group))) {
    const file = path.join(work, `${group}.json`);
    const ofGroup = crds.filter(({ spec }) => spec.group === group).map(forTypes);
    fs.writeFileSync(file, ofGroup.map((crd) => JSON.stringify(crd)).join('\n---\n'));
    const argv = ['import', file, '--language', 'typescript', '--output', work, '--no-save', '--check-upgrade=false'];
    await runOrThrow([path.join(work, 'node_modules', '.bin', 'cdk8s'), ...argv], { cwd: work });
    const source = fs.readFileSync(path.join(work, `${group}.ts`), 'utf8');
    fs.writeFileSync(path.join(IMPORTS, `${group}.ts`), wireNames(source));
  }
  await checkTypes();
}

/** Checks the files once and for all: they are large, and nothing changes them but the next import. */
async function checkTypes(): Promise<void> {
  const files = fs.readdirSync(IMPORTS).filter((file) => file.endsWith('.ts'));
  const tsc = path.join(root, 'node_modules', 'typescript-native', 'bin', 'tsc');
  const [options, target] = ['--noEmit --strict --skipLibCheck', '--target es2022 --module node20 --types node'];
  await runOrThrow([process.execPath, tsc, ...`${options} ${target}`.split(' '), ...files], { cwd: IMPORTS });
  for (const file of files.map((name) => path.join(IMPORTS, name)))
    fs.writeFileSync(file, `// @ts-nocheck: checked when it was written.\n${fs.readFileSync(file, 'utf8')}`);
}

async function main(): Promise<void> {
  const all: CustomResourceDefinition[] = [];
  fs.readdirSync(CRD_FOLDER)
    .filter((file) => file.endsWith('.json'))
    .forEach((file) => fs.rmSync(path.join(CRD_FOLDER, file)));
  for (const source of CRD_SOURCES) {
    const crds = await fetchSource(source);
    for (const crd of crds) {
      const text = `${JSON.stringify(forCluster(crd, source.module))}\n`;
      fs.writeFileSync(path.join(CRD_FOLDER, `${crd.metadata.name}.json`), text);
    }
    all.push(...crds);
  }
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-imports-'));
  try {
    await writeTypes(all, work);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

void main();
