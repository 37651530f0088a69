import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { run, state } from '../../local/index';
import type { StepUi } from '../steps';
import { BACKGROUND, type SuiteResult } from './suite';

/** What is read of jest's `--json` report. */
export interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Files that could not be loaded: none of their tests is counted anywhere. */
  readonly numRuntimeErrorTestSuites: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    /** The failures of the file, as jest prints them. */
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Counts from jest's own report. A file that could not be loaded is a failure, and so is a run without tests. */
export function countJest(report: JestReport, folder = ''): SuiteResult {
  const total = report.numPassedTests + report.numFailedTests + report.numPendingTests + report.numTodoTests;
  const broken = report.numRuntimeErrorTestSuites;
  const nothing = total + broken === 0;
  const others = !report.success && report.numFailedTests + broken === 0 && !nothing;
  const failures = report.testResults
    .filter(({ status, message }) => status === 'failed' && message !== '')
    .map(({ name, message }) => `✖ ${path.relative(folder, name)}\n${message}`);
  if (nothing) failures.push('jest found no test');
  if (others) failures.push('jest failed although no test did (an open handle, a coverage threshold, a setup file)');
  const skipped = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'pending' || status === 'todo' || status === 'skipped')
      .map(({ fullName }) => `- skipped: ${path.relative(folder, name)}: ${fullName}`),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken + (nothing || others ? 1 : 0),
    skipped: report.numPendingTests + report.numTodoTests,
    details: [...failures, ...skipped].join('\n'),
  };
}

export interface JestOptions {
  readonly project: string;
  readonly folder: string;
  /** Files that run at once; 1 for tests that share a cluster. @default - one a core */
  readonly workers?: number;
  /** Whether others come first on the processor. @default false */
  readonly background?: boolean;
  readonly env?: Record<string, string>;
  readonly ui: StepUi;
}

/** Where jest's own report of a project's last run is, with the time of every test. */
export const reportFile = (project: string): string => state('logs', `test-${project}.json`);

/** Runs one of jest's projects; quiet while all passes. */
export async function runJest(options: JestOptions): Promise<SuiteResult> {
  const file = reportFile(options.project);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  // That of an earlier run would be taken for this one's.
  fs.rmSync(file, { force: true });
  const jest = path.join(options.folder, 'node_modules', 'jest', 'bin', 'jest.js');
  const workers = options.workers ?? os.availableParallelism();
  const args = [
    '--ci',
    '--selectProjects',
    options.project,
    '--json',
    `--outputFile=${file}`,
    `--maxWorkers=${workers}`,
  ];
  let files = 0;
  const { code, stdout, stderr } = await run(
    [...(options.background === true ? BACKGROUND : []), process.execPath, jest, ...args],
    {
      cwd: options.folder,
      env: { ...options.env, FORCE_COLOR: '0' },
      onLine: (line) => {
        const done = /^(PASS|FAIL) +(?:\S+ +)?(\S+\.test\.ts)/.exec(line);
        if (done !== null) options.ui.progress(`${(files += 1)} files done, last: ${done[2] ?? ''}`);
      },
    },
  );
  if (!fs.existsSync(file)) {
    const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-40).join('\n');
    return { passed: 0, failed: 1, skipped: 0, details: `jest ended with code ${code} and no report:\n${said}` };
  }
  return countJest(JSON.parse(fs.readFileSync(file, 'utf8')) as JestReport, options.folder);
}
