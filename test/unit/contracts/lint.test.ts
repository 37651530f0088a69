import { execFileSync } from 'node:child_process';
import * as path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
const IMPORTS = 'no-restricted-imports';
const SYNTAX = 'no-restricted-syntax';

const READS_CONFIGURATION = "import * as pulumi from '@pulumi/pulumi';\nexport const config = new pulumi.Config();\n";

interface Sample {
  readonly file: string;
  readonly text: string;
  /** Whether the rules that need types are asked too, which takes seconds. @default false */
  readonly typed?: boolean;
}

/** Lints samples in a process of its own, since jest has no dynamic import, which ESLint reads its configuration with. */
const LINTER = `
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { readFileSync } from 'node:fs';
const untyped = new ESLint({ overrideConfig: tseslint.configs.disableTypeChecked });
const typed = new ESLint();
const found = [];
for (const { file, text, ...sample } of JSON.parse(readFileSync(0, 'utf8'))) {
  const [result] = await (sample.typed ? typed : untyped).lintText(text, { filePath: file });
  found.push(result.messages.map(({ ruleId, message }) => ruleId ?? message));
}
process.stdout.write(JSON.stringify(found));
`;

/** Rules that each sample breaks if it stands in its file. The file exists, since typed rules need its project. */
function lint(samples: readonly Sample[]): readonly (readonly string[])[] {
  // With CI=true the parser takes each file to be read once, and a sample that stands in for it gets no types.
  const env = { ...process.env, TSESTREE_SINGLE_RUN: 'false' };
  const options = { cwd: ROOT, env, input: JSON.stringify(samples), encoding: 'utf8' } as const;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', LINTER], options);
  return JSON.parse(output) as string[][];
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
  [
    'a promise that nobody waits for',
    '@typescript-eslint/no-floating-promises',
    { file: FILES.cli, text: 'Promise.resolve(1);\n', typed: true },
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

describe('lint', () => {
  let found: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    const all = [...REFUSED, ...PERMITTED];
    const rules = lint(all.map(([, , sample]) => sample));
    found = new Map(all.map(([title], index) => [title, rules[index] ?? []]));
    expect(found.size).toBe(all.length);
  }, 180_000);

  it.each(REFUSED)('refuses %s', (title, rule) => {
    expect(found.get(title)).toContain(rule);
  });

  it.each(PERMITTED)('permits %s', (title, rule) => {
    expect(found.get(title)).not.toContain(rule);
  });
});
