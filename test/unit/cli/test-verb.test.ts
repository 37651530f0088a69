import { chosen, runSuites, summary } from '../../../cli/verbs/test';
import { countJest, type JestReport } from '../../../cli/suites/jest';
import { countChecks, type Suite, type SuiteResult } from '../../../cli/suites/suite';
import { CliError } from '../../../cli/exit';

const report = (changes: Partial<JestReport>): JestReport => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
  success: true,
  testResults: [],
  ...changes,
});
const failedFile = (message: string) => ({
  name: '/r/test/a.test.ts',
  status: 'failed',
  message,
  assertionResults: [],
});
const clean: SuiteResult = { passed: 2, failed: 0, skipped: 0, details: '' };
const suite = (name: string, result: () => Promise<SuiteResult>, unable?: () => string | undefined): Suite => ({
  name,
  about: `about ${name}`,
  run: result,
  ...(unable === undefined ? {} : { unable }),
});

describe('counts from jest', () => {
  test('are jest’s own', () => {
    expect(countJest(report({ numPassedTests: 7 }))).toEqual({ passed: 7, failed: 0, skipped: 0, details: '' });
  });

  test('hold the whole message of a failure', () => {
    const result = countJest(
      report({ numPassedTests: 1, numFailedTests: 1, success: false, testResults: [failedFile('Expected 1\nGot 2')] }),
      '/r',
    );
    expect(result).toMatchObject({ passed: 1, failed: 1 });
    expect(result.details).toBe('✖ test/a.test.ts\nExpected 1\nGot 2');
  });

  test('take a file that could not be loaded for a failure', () => {
    const broken = report({
      numPassedTests: 3,
      numRuntimeErrorTestSuites: 1,
      success: false,
      testResults: [failedFile('Cannot find module')],
    });
    expect(countJest(broken)).toMatchObject({
      passed: 3,
      failed: 1,
      details: expect.stringContaining('Cannot find') as string,
    });
  });

  test('take a run without any test for a failure', () => {
    expect(countJest(report({}))).toMatchObject({ passed: 0, failed: 1 });
  });

  test('take a failure that no test accounts for for a failure', () => {
    expect(countJest(report({ numPassedTests: 3, success: false }))).toMatchObject({ passed: 3, failed: 1 });
  });

  test('name what was skipped', () => {
    const assertionResults = [
      { status: 'pending', fullName: 'on another day' },
      { status: 'passed', fullName: 'today' },
    ];
    const file = { name: '/r/b.test.ts', status: 'passed', message: '', assertionResults };
    const result = countJest(
      report({ numPassedTests: 1, numPendingTests: 1, numTodoTests: 1, testResults: [file] }),
      '/r',
    );
    expect(result).toEqual({ passed: 1, failed: 0, skipped: 2, details: '- skipped: b.test.ts: on another day' });
  });
});

test('checks count as tests', () => {
  const result = countChecks([
    { name: 'types', problem: undefined },
    { name: 'lint', problem: 'a.ts: unused' },
  ]);
  expect(result).toEqual({ passed: 1, failed: 1, skipped: 0, details: '✖ lint\na.ts: unused' });
});

describe('suites', () => {
  let written: string;
  beforeEach(() => {
    written = '';
    const write = (text: unknown): boolean => {
      written += String(text);
      return true;
    };
    jest.spyOn(process.stdout, 'write').mockImplementation(write);
    jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => jest.restoreAllMocks());

  const lastLine = (): string | undefined => written.trimEnd().split('\n').at(-1);

  test('that pass end with the one line that counts all tests', async () => {
    expect(await runSuites([suite('a', () => Promise.resolve(clean)), suite('b', () => Promise.resolve(clean))])).toBe(
      true,
    );
    expect(lastLine()).toBe('4 passed, 0 failed, 0 skipped');
    expect(written).toMatch(/^a  2 passed, 0 failed, 0 skipped  \(\d\.\d s\): about a$/m);
  });

  test('clean up before that line, so that it is the last of both streams', async () => {
    const finish = async (): Promise<void> => {
      await Promise.resolve();
      process.stdout.write('ending the cluster\n');
    };
    await runSuites([suite('a', () => Promise.resolve(clean))], finish);
    expect(written.indexOf('ending the cluster')).toBeGreaterThanOrEqual(0);
    expect(lastLine()).toBe('2 passed, 0 failed, 0 skipped');
  });

  test('go on after one that failed, and show its details', async () => {
    const failing = suite('a', () => Promise.resolve({ passed: 1, failed: 1, skipped: 0, details: '✖ it broke' }));
    expect(await runSuites([failing, suite('b', () => Promise.resolve(clean))])).toBe(false);
    expect(written).toContain('── a ──\n✖ it broke\n');
    expect(lastLine()).toBe('3 passed, 1 failed, 0 skipped');
  });

  test('that end early have failed', async () => {
    expect(await runSuites([suite('a', () => Promise.reject(new CliError('no Docker')))])).toBe(false);
    expect(written).toContain('could not run: no Docker');
    expect(lastLine()).toBe('0 passed, 1 failed, 0 skipped');
  });

  test('of one lane follow each other, lanes run at once, what only computes after what waits, and the end of the cluster after what uses it', async () => {
    const events: string[] = [];
    const said: string[] = [];
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    const open: Record<string, () => void> = {};
    const one = (name: string, lane: NonNullable<Suite['lane']>): Suite => ({
      ...suite(name, () => Promise.resolve(clean)),
      lane,
      run: async (ui) => {
        events.push(`${name} begins`);
        ui.report('works');
        await new Promise<void>((resolve) => (open[name] = resolve));
        events.push(`${name} ends`);
        return clean;
      },
    });
    const suites = [one('a', 'checks'), one('b', 'servers'), one('c', 'servers'), one('d', 'stack'), one('e', 'last')];
    const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const end = async (name: string): Promise<void> => {
      open[name]?.();
      await tick();
    };
    const all = runSuites(suites);
    await tick();
    expect(events).toEqual(['b begins', 'd begins']);
    await end('d');
    await end('b');
    expect(events.slice(2)).toEqual(['d ends', 'b ends', 'c begins']);
    await end('c');
    expect(events.slice(5)).toEqual(['c ends', 'a begins', 'e begins']);
    await end('e');
    await end('a');
    expect(await all).toBe(true);
    expect(events.slice(8)).toEqual(['e ends', 'a ends']);
    expect(said.join('')).toMatch(/ {4}a: works\n/);
    // In the order of the suites, whichever ended first.
    expect(written).toMatch(/^a .*\nb .*\nc .*\nd .*\ne .*\n/m);
  });

  test('that can not run here are skipped with their reason, never passed', async () => {
    const run = jest.fn(() => Promise.resolve(clean));
    expect(await runSuites([suite('cluster', run, () => 'needs root')])).toBe(true);
    expect(run).not.toHaveBeenCalled();
    expect(written).toContain('- skipped: cluster: needs root');
    expect(lastLine()).toBe('0 passed, 0 failed, 1 skipped');
  });

  test('run in their own order, and an unknown name is refused', () => {
    const all = ['static', 'unit', 'engine'].map((name) => suite(name, () => Promise.resolve(clean)));
    expect(chosen(all, ['engine', 'static']).map(({ name }) => name)).toEqual(['static', 'engine']);
    expect(chosen(all, undefined)).toEqual(all);
    expect(() => chosen(all, ['units'])).toThrow("There is no suite 'units'");
    expect(() => chosen(all, [])).toThrow('There are: static, unit, engine');
  });
});

test('the table lines up', () => {
  const outcome = (name: string) => ({
    suite: suite(name, () => Promise.resolve(clean)),
    result: clean,
    milliseconds: 61_000,
  });
  expect(summary([outcome('unit'), outcome('manifests')])).toContain(
    'unit       2 passed, 0 failed, 0 skipped  (1 min 01 s): about unit\nmanifests  2 passed',
  );
});
