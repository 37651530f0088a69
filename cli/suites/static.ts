import * as path from 'node:path';
import { root, run } from '../../local/index';
import type { StepUi } from '../steps';
import { countChecks, type Check, type SuiteResult } from './suite';

const program = (name: string): string => path.join(root, 'node_modules', name);

/** Each is a program of Node's. */
const CHECKS: readonly (readonly [name: string, ...argv: string[]])[] = [
  ['types', program('typescript/bin/tsc'), '-p', 'tsconfig.json', '--pretty', 'false'],
  ['lint', program('eslint/bin/eslint.js'), '.', '--max-warnings', '0', '--no-color'],
  ['format', program('prettier/bin/prettier.cjs'), '--check', '.', '--log-level', 'warn'],
  ['public API', '--require', 'tsx/cjs', path.join(root, 'cli', 'package', 'build.ts'), 'check'],
];

/** Types, lint, format and the public API's reports, each one test. None of them writes to the clone's files. */
export async function staticSuite(ui: StepUi): Promise<SuiteResult> {
  const checks: Check[] = [];
  for (const [name, ...argv] of CHECKS) {
    ui.progress(name);
    const { code, stdout, stderr } = await run([process.execPath, ...argv], {
      cwd: root,
      env: { FORCE_COLOR: '0', NO_COLOR: '1' },
    });
    checks.push({ name, problem: code === 0 ? undefined : `${stdout}${stderr}`.trim() || `ended with code ${code}` });
  }
  return countChecks(checks);
}
