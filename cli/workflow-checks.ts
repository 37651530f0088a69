import * as fs from 'node:fs';
import * as path from 'node:path';
import { root, run } from '../local/index';
import type { Check } from './suites/suite';

/** The workflows through actionlint: syntax, expressions, contexts, permissions and what is put into a shell unquoted. */
export async function checkWorkflows(actionlint: string, folder = path.join('.github', 'workflows')): Promise<Check> {
  const files = fs.readdirSync(path.resolve(root, folder)).map((file) => path.join(folder, file));
  // What of other linters a machine happens to have does not count.
  const argv = [actionlint, '-no-color', '-shellcheck=', '-pyflakes=', ...files];
  const { code, stdout, stderr } = await run(argv, { cwd: root });
  return { name: 'workflows: actionlint', problem: code === 0 ? undefined : `${stdout}${stderr}`.trim() };
}
