import { execFileSync } from 'node:child_process';
import * as path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
const IMPORTS = 'no-restricted-imports';
const SYNTAX = 'no-restricted-syntax';

const READS_CONFIGURATION = "import * as pulumi from '@pulumi/pulumi';\nexport const config = new pulumi.Config();\n";

interface Sample {
  readonly file: string;
  readonly text: string;
}

/**
 * Lints samples in a process of its own, since jest has no dynamic import, which ESLint reads its configuration with. Rules that need types are
 * left out, since a program of the whole repository takes seconds: for them it says where they are on. ESLint ends with an error where one
 * of them is on and has no types.
 */
const LINTER = `
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { readFileSync } from 'node:fs';
const { samples, files } = JSON.parse(readFileSync(0, 'utf8'));
const untyped = new ESLint({ overrideConfig: tseslint.configs.disableTypeChecked });
const broken = [];
for (const { file, text } of samples) {
  const [result] = await untyped.lintText(text, { filePath: file });
  broken.push(result.messages.map(({ ruleId, message }) => ruleId ?? message));
}
const all = new ESLint();
const on = [];
for (const file of files) {
  const { rules } = await all.calculateConfigForFile(file);
  on.push(Object.keys(rules).filter((rule) => rules[rule][0] === 2));
}
process.stdout.write(JSON.stringify({ broken, on }));
`;

interface Linted {
  /** Rules that each sample breaks if it stands in its file. */
  readonly broken: readonly (readonly string[])[];
  /** Rules whose breach is an error, for each file. */
  readonly on: readonly (readonly string[])[];
}

function lint(samples: readonly Sample[], files: readonly string[]): Linted {
  const options = { cwd: ROOT, input: JSON.stringify({ samples, files }), encoding: 'utf8' } as const;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '--eval', LINTER], options)) as Linted;
}

/** A file of each area that samples stand in for. */
const FILES = {
  components: 'components/index.ts',
  charts: 'charts/index.ts',
  bridge: 'bridge/index.ts',
  stacks: 'stacks/index.ts',
  cli: 'cli/main.ts',
  local: 'local/index.ts',
} as const;
type Area = keyof typeof FILES;

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
const AREAS = Object.keys(FILES) as readonly Area[];
const PURE = ['components', 'charts', 'bridge', 'stacks'] as const;
const TEST = 'test/unit/contracts/lint.test.ts';
const READS_ENVIRONMENT = 'export const home = process.env.HOME;\n';

const REFUSED: readonly (readonly [title: string, rule: string, sample: Sample])[] = [
  ...FORBIDDEN.flatMap(([from, what]): [string, string, Sample][] => [
    [`${from}: import '${what}'`, IMPORTS, { file: FILES[from], text: importing(what) }],
    [`${from}: import type '${what}'`, IMPORTS, { file: FILES[from], text: importingTypes(what) }],
  ]),
  ...AREAS.flatMap((area): [string, string, Sample][] => [
    [`${area}: a bare Error`, SYNTAX, { file: FILES[area], text: "throw new Error('x');\n" }],
    [`${area}: reads configuration`, SYNTAX, { file: FILES[area], text: READS_CONFIGURATION }],
  ]),
  ...PURE.map((area): [string, string, Sample] => [
    `${area}: reads the environment`,
    SYNTAX,
    { file: FILES[area], text: READS_ENVIRONMENT },
  ]),
  [
    'an assertion that never runs',
    '@typescript-eslint/no-unused-expressions',
    { file: TEST, text: 'expect(1).toBeDefined;\n' },
  ],
  ['a test that hides the others', SYNTAX, { file: TEST, text: "it.only('is', () => undefined);\n" }],
  ['a file of 301 lines', 'max-lines', { file: FILES.cli, text: 'export const a = 1;\n'.repeat(301) }],
  [
    'a function of 62 lines',
    'max-lines-per-function',
    { file: FILES.cli, text: `export function f(): void {\n${'  f();\n'.repeat(60)}}\n` },
  ],
];

const PERMITTED: readonly (readonly [title: string, rule: string, sample: Sample])[] = [
  ...ALLOWED.map(([from, what]): [string, string, Sample] => [
    `${from}: import '${what}'`,
    IMPORTS,
    { file: FILES[from], text: importing(what) },
  ]),
  ['stacks/config.ts: reads configuration', SYNTAX, { file: 'stacks/config.ts', text: READS_CONFIGURATION }],
  ['cli: reads the environment', SYNTAX, { file: FILES.cli, text: READS_ENVIRONMENT }],
  ['local: reads the environment', SYNTAX, { file: FILES.local, text: READS_ENVIRONMENT }],
];

const NEED_TYPES = ['floating-promises', 'misused-promises', 'unsafe-assignment', 'unsafe-argument'].map(
  (rule) => `@typescript-eslint/no-${rule}`,
);

describe('lint', () => {
  const typed: readonly (readonly [string, string])[] = [...Object.entries(FILES), ['test', TEST]];
  let found: ReadonlyMap<string, readonly string[]>;
  let on: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    const all = [...REFUSED, ...PERMITTED];
    const linted = lint(
      all.map(([, , sample]) => sample),
      typed.map(([, file]) => file),
    );
    found = new Map(all.map(([title], index) => [title, linted.broken[index] ?? []]));
    on = new Map(typed.map(([area], index) => [area, linted.on[index] ?? []]));
    expect(found.size).toBe(all.length);
  }, 180_000);

  it.each(typed)('%s: a promise that nobody waits for, and the like, is an error', (area) => {
    expect(on.get(area)).toEqual(expect.arrayContaining(NEED_TYPES));
  });

  it.each(REFUSED)('refuses %s', (title, rule) => {
    expect(found.get(title)).toContain(rule);
  });

  it.each(PERMITTED)('permits %s', (title, rule) => {
    expect(found.get(title)).not.toContain(rule);
  });
});
