import * as path from 'node:path';
import { root, run } from '../../local/index';
import type { StepUi } from '../steps';
import { countChecks, type Check, type SuiteResult } from './suite';

const CHECKS: readonly (readonly [name: string, program: string, ...args: string[]])[] = [
  ['types', 'typescript/bin/tsc', '-p', 'tsconfig.json', '--pretty', 'false'],
  ['lint', 'eslint/bin/eslint.js', '.', '--max-warnings', '0', '--no-color'],
  ['format', 'prettier/bin/prettier.cjs', '--check', '.', '--log-level', 'warn'],
];

/** Types, lint and format, each one test. None of them writes. */
export async function staticSuite(ui: StepUi): Promise<SuiteResult> {
  const checks: Check[] = [];
  for (const [name, program, ...args] of CHECKS) {
    ui.progress(name);
    const argv = [process.execPath, path.join(root, 'node_modules', program), ...args];
    const { code, stdout, stderr } = await run(argv, { cwd: root, env: { FORCE_COLOR: '0', NO_COLOR: '1' } });
    checks.push({ name, problem: code === 0 ? undefined : `${stdout}${stderr}`.trim() || `ended with code ${code}` });
  }
  return countChecks(checks);
}
