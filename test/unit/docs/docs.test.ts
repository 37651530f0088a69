import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import ts from 'typescript';
import { parse } from 'yaml';
import { LateTokens } from '../../../components/late';
import { validateSettings } from '../../../stacks/validate';
import { renderSettings } from '../charts/platform';
import { typescript } from '../../../local/paths';

type Json = Record<string, unknown>;

const ROOT = path.resolve(__dirname, '../../..');
const PAGES = ['README.md', 'CONTRIBUTING.md', ...readdirSync(path.join(ROOT, 'docs')).map((file) => `docs/${file}`)];
const read = (page: string): string => readFileSync(path.join(ROOT, page), 'utf8');

/** The fenced blocks of one language. */
const fences = (page: string, language: string): readonly string[] =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);

const samples = PAGES.flatMap((page) =>
  fences(page, 'ts').map((text, index) => ({ name: `${page} ${index + 1}`, text })),
);

/** Type errors of programs as somebody who imports the package would write them, strictly; of each its own. */
function typeErrors(texts: readonly string[]): readonly (readonly string[])[] {
  const files = new Map(texts.map((text, index) => [path.join(ROOT, `sample-${index}-of-the-docs.ts`), text]));
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.CommonJS,
    // A sample without an import is a program of its own too.
    moduleDetection: ts.ModuleDetectionKind.Force,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    esModuleInterop: true,
    types: ['node'],
    paths: { 'trellis/*': [`${ROOT}/*`] },
  };
  const host = ts.createCompilerHost(options);
  const [fileExists, getSourceFile] = [host.fileExists.bind(host), host.getSourceFile.bind(host)];
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.getSourceFile = (name, ...rest) => {
    const text = files.get(name);
    return text === undefined ? getSourceFile(name, ...rest) : ts.createSourceFile(name, text, ts.ScriptTarget.ES2022);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].map((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'),
    );
  });
}

describe('the programs in the documentation', () => {
  const [{ text: first } = { text: '' }] = samples;
  let errors: readonly (readonly string[])[];
  beforeAll(() => {
    const wrong = first.replace('databaseName:', 'databaesName:');
    errors = typeErrors([...samples.map(({ text }) => text), wrong]);
  }, 60_000);

  it.each(samples.map(({ name }, index) => ({ name, index })))('compile: $name', ({ index }) =>
    expect(errors[index]).toEqual([]),
  );

  it('are compiled against the real library: a wrong prop is an error', () =>
    expect(errors.at(-1)).toEqual([expect.stringContaining("'databaesName' does not exist")]));
});

describe('the first program', () => {
  it('does what it says with plain cdk8s: manifests without a placeholder', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'trellis-docs-'));
    try {
      const [sample = ''] = samples.map(({ text }) => text);
      const file = path.join(folder, 'sample.ts');
      // Node finds the sample's packages beside the repository's own.
      symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
      writeFileSync(file, sample.replaceAll("'trellis/", `'${ROOT}/`));
      execFileSync(process.execPath, [...typescript, file], { cwd: folder, encoding: 'utf8' });
      const manifests = readFileSync(path.join(folder, 'dist', 'app.k8s.yaml'), 'utf8');
      expect(LateTokens.isToken(manifests)).toBe(false);
      const kinds = [...manifests.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind);
      expect(kinds).toEqual(expect.arrayContaining(['Deployment', 'HorizontalPodAutoscaler', 'Ingress', 'Namespace']));
      expect(manifests).toContain('name: orders-database');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

describe('docs/configuration.md and its second page', () => {
  it('list every key of the configuration, and no other', () => {
    const keys = (value: unknown, prefix: string): readonly string[] =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.entries(value).flatMap(([key, inner]) => keys(inner, prefix === '' ? key : `${prefix}.${key}`))
        : [prefix.replace(/^trellis:/, '')];
    const { config } = parse(read('Pulumi.dev.yaml')) as { config: unknown };
    const pages = ['docs/configuration.md', 'docs/configuration-noa-server.md'].map(read).join('\n');
    const listed = [...pages.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, key]) => key);
    expect([...listed].sort()).toEqual([...keys(config, '')].sort());
  });
});

describe('docs/recovery.md', () => {
  it('has a second region that is valid, and whose database follows the first', () => {
    const [fence = ''] = fences('docs/recovery.md', 'yaml');
    const { config: changes } = parse(fence) as { config: Json };
    const { config } = parse(read('Pulumi.prod.yaml')) as { config: Json };
    const merge = (under: Json, over: Json): Json =>
      Object.entries(over).reduce<Json>((merged, [key, value]) => {
        // A key that the first region has not would be a mistake of the page.
        expect(Object.keys(under)).toContain(key);
        const plain = typeof value !== 'object' || value === null || Array.isArray(value);
        return { ...merged, [key]: plain ? value : merge(under[key] as Json, value as Json) };
      }, under);
    const merged = Object.entries(merge(config, changes)).map(([key, value]) => [key.replace(/^trellis:/, ''), value]);
    const objects = renderSettings(validateSettings('Pulumi.west.yaml', Object.fromEntries(merged) as Json));
    const [server] = objects.filter(({ path: one }) => one === 'noodle-core/postgres/StatefulSet');
    expect(JSON.stringify(server?.manifest)).toContain('{"name":"POSTGRES_RECOVERY","value":"standby"}');
  }, 60_000);
});

describe('links', () => {
  it.each(PAGES)('lead to files that exist: %s', (page) => {
    const targets = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target = '']) => target);
    expect(targets.filter((target) => !existsSync(path.resolve(ROOT, path.dirname(page), target)))).toEqual([]);
  });
});
