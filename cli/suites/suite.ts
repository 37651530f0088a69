import type { StepUi } from '../steps';

/** What a suite found. */
export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Everything about what failed, or why something was skipped; empty where all passed. */
  readonly details: string;
}

export interface Suite {
  readonly name: string;
  /** What it looks at, in a few words. */
  readonly about: string;
  /** Why it can't run on this machine; undefined where it can. */
  readonly unable?: () => string | undefined;
  run(ui: StepUi): Promise<SuiteResult>;
}

/** A suite that ended before it could count: never passed, never merely skipped. */
export const crashed = (error: unknown): SuiteResult => ({
  passed: 0,
  failed: 1,
  skipped: 0,
  details: `  could not run: ${error instanceof Error ? error.message : String(error)}`,
});

export interface Check {
  readonly name: string;
  /** What is wrong; undefined where nothing is. */
  readonly problem: string | undefined;
}

/** Counts checks as tests. */
export function countChecks(checks: readonly Check[]): SuiteResult {
  const failed = checks.filter(({ problem }) => problem !== undefined);
  return {
    passed: checks.length - failed.length,
    failed: failed.length,
    skipped: 0,
    details: failed.map(({ name, problem }) => `✖ ${name}\n${problem ?? ''}`).join('\n\n'),
  };
}
