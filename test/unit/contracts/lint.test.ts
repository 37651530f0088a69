import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
const OXLINT = path.join(ROOT, 'node_modules', 'oxlint', 'bin', 'oxlint');
const IMPORTS = 'eslint(no-restricted-imports)';
const OWN_ERROR = 'trellis(own-error-class)';
const ENVIRONMENT = 'trellis(environment-at-the-edges)';
const CONFIGURATION = 'trellis(configuration-in-one-place)';

const READS_CONFIGURATION = "import * as pulumi from '@pulumi/pulumi';\nexport const config = new pulumi.Config();\n";

interface Sample {
  /** An area's own name stands for a file of it. */
  readonly file: string;
  readonly text: string;
}

interface Diagnostic {
  readonly filename: string;
  readonly code: string;
}

/** A folder with the configuration of lint and of types, and no more of the clone than its packages. */
function folder(): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-lint-'));
  fs.mkdirSync(path.join(made, 'local'));
  for (const file of ['.oxlintrc.jsonc', 'tsconfig.json', 'local/lint-rules.mjs'])
    fs.copyFileSync(path.join(ROOT, file), path.join(made, file));
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(made, 'node_modules'));
  return made;
}

/** What oxlint finds in a folder. */
function oxlint(cwd: string): readonly Diagnostic[] {
  const options = { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  const { stdout } = spawnSync(process.execPath, [OXLINT, '--format', 'json'], options);
  return (JSON.parse(stdout) as { readonly diagnostics: readonly Diagnostic[] }).diagnostics;
}

/** The rules that each sample breaks, all in one run. */
function lint(samples: readonly Sample[]): readonly (readonly string[])[] {
  const cwd = folder();
  try {
    const files = samples.map(({ file, text }, index) => {
      const at = path.extname(file) === '' ? path.join(file, `sample-${index}.ts`) : file;
      fs.mkdirSync(path.dirname(path.join(cwd, at)), { recursive: true });
      fs.writeFileSync(path.join(cwd, at), text, { flag: 'wx' });
      return at;
    });
    const found = oxlint(cwd);
    return files.map((at) => found.filter(({ filename }) => filename === at).map(({ code }) => code));
  } finally {
    fs.rmSync(cwd, { recursive: true });
  }
}

const PURE = ['components', 'charts', 'bridge', 'stacks'] as const;
const AREAS = [...PURE, 'cli', 'local'] as const;
type Area = (typeof AREAS)[number];

const FORBIDDEN: readonly (readonly [from: Area, what: string])[] = [
  ['components', '@pulumi/pulumi'],
  ['components', '@pulumi/kubernetes/core/v1'],
  ['components', '../charts/noodle-core/values'],
  ['components', '../charts'],
  ['components', '../stacks/schema'],
  ['components', '../bridge/render'],
  ['components', '../bridge'],
  ['components', '../cli/exit'],
  ['components', '../local/index'],
  ['charts', '@pulumi/random'],
  ['charts', '../stacks/schema'],
  ['charts', '../bridge/render'],
  ['charts', '../cli/exit'],
  ['charts', '../local/paths'],
  ['bridge', '../charts/noodle-core'],
  ['bridge', '../charts'],
  ['bridge', '../stacks/schema'],
  ['bridge', '../cli/exit'],
  ['bridge', '../local/paths'],
  ['stacks', '../cli/exit'],
  ['stacks', '../local/paths'],
  ['stacks', '../local'],
  ['stacks', 'cdk8s-plus-28'],
  ['local', '../components/rules'],
  ['local', '../components'],
  ['local', '../charts/noodle-core'],
  ['local', '../stacks/schema'],
  ['local', '../bridge/render'],
  ['local', '../cli/exit'],
  ['cli', '../local/cluster/up'],
  ['cli', '../local/engine'],
];

const ALLOWED: readonly (readonly [from: Area, what: string])[] = [
  ['components', 'cdk8s'],
  ['components', './late'],
  ['charts', '../components/late'],
  ['bridge', '../components/late'],
  ['bridge', '@pulumi/pulumi'],
  ['stacks', '../charts/noodle-core'],
  ['stacks', '../bridge/release'],
  ['cli', '../local/index'],
  ['local', './paths'],
];

const importing = (what: string): string => `import * as sample from '${what}';\nexport const used = sample;\n`;
const importingTypes = (what: string): string =>
  `import type * as sample from '${what}';\nexport type Used = typeof sample;\n`;
const READS_ENVIRONMENT = 'export const home = process.env.HOME;\n';

const NEED_TYPES: readonly (readonly [rule: string, text: string])[] = [
  ['no-floating-promises', 'Promise.resolve(1);\n'],
  ['no-misused-promises', 'export const is = (a: Promise<boolean>): string => (a ? "a" : "b");\n'],
  ['no-unsafe-assignment', 'export const parsed: string = JSON.parse("");\n'],
  ['no-unsafe-argument', 'export const number = Number.parseInt(JSON.parse(""));\n'],
  ['switch-exhaustiveness-check', 'export function f(a: "x" | "y"): void {\n  switch (a) {\n    case "x":\n  }\n}\n'],
];

const REFUSED: readonly (readonly [title: string, rule: string, sample: Sample])[] = [
  ...FORBIDDEN.flatMap(([from, what]): [string, string, Sample][] => [
    [`${from}: import '${what}'`, IMPORTS, { file: from, text: importing(what) }],
    [`${from}: import type '${what}'`, IMPORTS, { file: from, text: importingTypes(what) }],
  ]),
  ...AREAS.flatMap((area): [string, string, Sample][] => [
    [`${area}: a bare Error`, OWN_ERROR, { file: area, text: "throw new Error('x');\n" }],
    [`${area}: reads configuration`, CONFIGURATION, { file: area, text: READS_CONFIGURATION }],
  ]),
  ...PURE.map((area): [string, string, Sample] => [
    `${area}: reads the environment`,
    ENVIRONMENT,
    { file: area, text: READS_ENVIRONMENT },
  ]),
  ...[...AREAS, 'test'].flatMap((area) =>
    NEED_TYPES.map(([rule, text]): [string, string, Sample] => [
      `${area}: ${rule}`,
      `typescript(${rule})`,
      { file: area, text },
    ]),
  ),
  ['an assertion that never runs', 'eslint(no-unused-expressions)', { file: 'test', text: 'expect(1).toBeDefined;\n' }],
  ...['it.only', 'describe.only', 'test.only.each([1])'].map((only, index): [string, string, Sample] => [
    `a test that hides the others: ${only}`,
    'jest(no-focused-tests)',
    { file: `test/only-${index}.test.ts`, text: `${only}('is', () => undefined);\n` },
  ]),
  ['a file of 301 lines', 'eslint(max-lines)', { file: 'cli', text: 'void 0;\n'.repeat(301) }],
  [
    'a function of 62 lines',
    'eslint(max-lines-per-function)',
    { file: 'cli', text: `export function f(): void {\n${'  f();\n'.repeat(60)}}\n` },
  ],
];

const PERMITTED: readonly (readonly [title: string, rule: string, sample: Sample])[] = [
  ...ALLOWED.map(([from, what]): [string, string, Sample] => [
    `${from}: import '${what}'`,
    IMPORTS,
    { file: from, text: importing(what) },
  ]),
  ['stacks/config.ts: reads configuration', CONFIGURATION, { file: 'stacks/config.ts', text: READS_CONFIGURATION }],
  ['cli: reads the environment', ENVIRONMENT, { file: 'cli', text: READS_ENVIRONMENT }],
  ['local: reads the environment', ENVIRONMENT, { file: 'local', text: READS_ENVIRONMENT }],
];

describe('lint', () => {
  let found: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    const all = [...REFUSED, ...PERMITTED];
    const linted = lint(all.map(([, , sample]) => sample));
    found = new Map(all.map(([title], index) => [title, linted[index] ?? []]));
    expect(found.size).toBe(all.length);
  }, 60_000);

  it.each(REFUSED)('refuses %s', (title, rule) => {
    expect(found.get(title)).toContain(rule);
  });

  it.each(PERMITTED)('permits %s', (title, rule) => {
    expect(found.get(title)).not.toContain(rule);
  });
});
