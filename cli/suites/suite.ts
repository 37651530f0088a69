import type { StepUi } from '../steps';

/** What a suite found. */
export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Everything about what failed, or why something was skipped; empty where all passed. */
  readonly details: string;
}

/** Where a suite runs: lanes run at once, the suites of a lane one after the other. */
export const LANES = {
  servers: 'what needs no cluster, but Docker or servers of its own',
  stack: 'what changes the stack that is deployed',
  own: 'what has namespaces or clusters of its own',
  checks: 'what only computes',
  last: 'what ends the cluster',
} as const;

export type LaneName = keyof typeof LANES;

/** What ends before a lane begins. What only computes comes late: it fills the processor when others leave it idle. */
export const FOLLOWS: Readonly<Partial<Record<LaneName, readonly LaneName[]>>> = {
  checks: ['servers'],
  last: ['servers', 'stack', 'own'],
};

/** Before a command: lets what meets real pods, with their clocks, and what another lane waits for go first on the processor. */
export const BACKGROUND = ['nice', '-n', '15'] as const;

export interface Suite {
  readonly name: string;
  /** @default checks */
  readonly lane?: LaneName;
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
