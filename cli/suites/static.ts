import * as os from 'node:os';
import * as path from 'node:path';
import { root, run, state, typescript } from '../../local/index';
import type { StepUi } from '../steps';
import { BACKGROUND, countChecks, type Check, type SuiteResult } from './suite';

const program = (name: string): string => path.join(root, 'node_modules', name);

/** What was formatted well is, as long as the file, the options and Prettier's version stay: looked at by content, not by time. */
const CACHED = ['--cache', '--cache-strategy', 'content', '--cache-location', state('build', 'format.json')];

/** Each is a program of Node's. The longest is first. */
const CHECKS: readonly (readonly [name: string, ...argv: string[]])[] = [
  ['public API', ...typescript, path.join(root, 'cli', 'package', 'build.ts'), 'check'],
  ['format', program('prettier/bin/prettier.cjs'), '--check', '.', '--log-level', 'warn', ...CACHED],
  ['lint', program('oxlint/bin/oxlint')],
  ['types', program('typescript-native/bin/tsc'), '-p', 'tsconfig.json', '--pretty', 'false'],
];

/** What a check says; it writes to none of the clone's files. */
async function outcome([name, ...argv]: (typeof CHECKS)[number]): Promise<Check> {
  const { code, stdout, stderr } = await run([...BACKGROUND, process.execPath, ...argv], {
    cwd: root,
    env: { FORCE_COLOR: '0', NO_COLOR: '1' },
  });
  return { name, problem: code === 0 ? undefined : `${stdout}${stderr}`.trim() || `ended with code ${code}` };
}

/** Types, lint, format and the public API's reports, each one test, as many at once as there are cores. */
export async function staticSuite(ui: StepUi): Promise<SuiteResult> {
  const checks = new Map<string, Check>();
  const waiting = [...CHECKS];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      ui.progress(next[0]);
      checks.set(next[0], await outcome(next));
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, work));
  return countChecks(CHECKS.flatMap(([name]) => checks.get(name) ?? []));
}
