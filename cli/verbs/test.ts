import { CliError, EXIT } from '../exit';
import { duration, named, runLanes, type Lane, type Step } from '../steps';
import { afterSuites, allSuites } from '../suites/all';
import { crashed, FOLLOWS, LANES, type LaneName, type Suite, type SuiteResult } from '../suites/suite';

export interface TestOptions {
  readonly suite?: readonly string[];
}

/** The suites that were asked for, in their own order. @throws CliError where a name is unknown */
export function chosen(suites: readonly Suite[], names: readonly string[] | undefined): readonly Suite[] {
  const known = suites.map(({ name }) => name);
  const unknown = (names ?? []).filter((name) => !known.includes(name));
  if (unknown.length > 0 || names?.length === 0) {
    throw new CliError(`There is no suite '${unknown.join(', ')}'. There are: ${known.join(', ')}.`, EXIT.usage);
  }
  return suites.filter(({ name }) => names === undefined || names.includes(name));
}

interface Outcome {
  readonly suite: Suite;
  readonly result: SuiteResult;
  readonly milliseconds: number;
}

const counts = ({ passed, failed, skipped }: SuiteResult): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** Runs a suite; one that can't run here is skipped with its reason, one that ends early has failed. */
async function outcomeOf(suite: Suite, ui: Parameters<Suite['run']>[0]): Promise<SuiteResult> {
  const reason = suite.unable?.();
  if (reason !== undefined) return { passed: 0, failed: 0, skipped: 1, details: `- skipped: ${suite.name}: ${reason}` };
  try {
    return await suite.run(ui);
  } catch (error) {
    return crashed(error);
  }
}

/** The table of suites, what failed or was skipped, and the one line that counts all tests. */
export function summary(outcomes: readonly Outcome[]): string {
  const total = outcomes.reduce(
    (sum, { result }) => ({
      passed: sum.passed + result.passed,
      failed: sum.failed + result.failed,
      skipped: sum.skipped + result.skipped,
      details: '',
    }),
    { passed: 0, failed: 0, skipped: 0, details: '' },
  );
  const details = outcomes
    .filter(({ result }) => result.details !== '')
    .map(({ suite, result }) => `── ${suite.name} ──\n${result.details}\n`);
  const width = Math.max(...outcomes.map(({ suite }) => suite.name.length));
  const rows = outcomes.map(
    ({ suite, result, milliseconds }) =>
      `${suite.name.padEnd(width)}  ${counts(result)}  (${duration(milliseconds)}): ${suite.about}`,
  );
  return `\n${[...details, ...rows].join('\n')}\n\n${counts(total)}\n`;
}

/** A suite as a step; where several run at once, its lines begin with its name. */
const stepOf = (suite: Suite, alone: boolean, done: (outcome: Outcome) => void): Step => ({
  title: `${suite.name}: ${suite.about}`,
  run: async (ui) => {
    const started = Date.now();
    const result = await outcomeOf(suite, alone ? ui : named(suite.name, ui));
    done({ suite, result, milliseconds: Date.now() - started });
    return { text: counts(result), failed: result.failed > 0 };
  },
});

/** A promise, and what settles it. */
function deferred(): { readonly ended: Promise<void>; readonly end: () => void } {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { ended, end };
}

/**
 * Runs the suites of each lane one after the other, whatever came of the one before, lanes at once where none follows another, then `finish`.
 * The last line of all that is printed counts all tests.
 */
export async function runSuites(
  suites: readonly Suite[],
  finish: () => Promise<void> = () => Promise.resolve(),
): Promise<boolean> {
  const outcomes: Outcome[] = [];
  const all = suites.map((suite) => ({ suite, lane: suite.lane ?? 'checks', ...deferred() }));
  const names = (Object.keys(LANES) as LaneName[]).filter((name) => all.some(({ lane }) => lane === name));
  const lane = (name: LaneName): Lane => ({
    title: LANES[name],
    after: () => Promise.all(all.flatMap((one) => (FOLLOWS[name]?.includes(one.lane) === true ? [one.ended] : []))),
    steps: all
      .filter((one) => one.lane === name)
      .map(({ suite, end }) =>
        stepOf(suite, names.length === 1, (outcome) => {
          outcomes.push(outcome);
          end();
        }),
      ),
  });
  try {
    await runLanes(names.map(lane));
  } finally {
    await finish();
  }
  outcomes.sort((a, b) => suites.indexOf(a.suite) - suites.indexOf(b.suite));
  process.stdout.write(summary(outcomes));
  return outcomes.every(({ result }) => result.failed === 0);
}

export async function test(options: TestOptions): Promise<void> {
  const suites = chosen(allSuites(), options.suite);
  if (!(await runSuites(suites, afterSuites))) process.exitCode = EXIT.failed;
}
