import { exitCodeOf, CliError, EXIT, messageOf } from '../../../cli/exit';
import { duration, runSteps, type Step } from '../../../cli/steps';
import { LockedError } from '../../../local/engine/run-lock';
import { InterruptedError } from '../../../local/engine/update';

function recorder(): {
  stream: { write(text: string): void };
  text: () => string;
  now: () => number;
  readonly tick: (ms: number) => void;
} {
  const written: string[] = [];
  let at = Date.UTC(2026, 0, 2, 3, 4, 5);
  return {
    stream: { write: (text) => void written.push(text) },
    text: () => written.join(''),
    now: () => at,
    tick: (ms) => void (at += ms),
  };
}

test('without a terminal each step is a line when it begins and a line with its time when it ends', async () => {
  const { stream, text, now, tick } = recorder();
  const steps: Step[] = [
    {
      title: 'Tools',
      run: ({ report }) => {
        tick(1_000);
        report('building pulumi');
        tick(64_000);
        return Promise.resolve('1 built');
      },
    },
    { title: 'Cluster', run: () => Promise.resolve() },
  ];
  await runSteps(steps, { stream, now });
  expect(text()).toBe(
    [
      '03:04:05 ▸ Tools',
      '03:04:06     building pulumi',
      '03:05:10 ✔ Tools (1 min 05 s): 1 built',
      '03:05:10 ▸ Cluster',
      '03:05:10 ✔ Cluster (0.0 s)',
      '',
    ].join('\n'),
  );
});

test('figures that move are shown now and then only', async () => {
  const { stream, text, now, tick } = recorder();
  const run: Step['run'] = ({ progress }) => {
    for (let at = 1; at <= 40; at += 1) {
      tick(1_000);
      progress(`${at}/40 resources`);
    }
    return Promise.resolve();
  };
  await runSteps([{ title: 'Deploy', run }], { stream, now, quietMs: 15_000 });
  expect(text().match(/\d+\/40/g)).toEqual(['15/40', '30/40']);
});

test('a step that fails ends the list, and its error comes out as it was', async () => {
  const { stream, text, now } = recorder();
  const error = new CliError('no Docker', EXIT.machine);
  const after = jest.fn<Promise<void>, []>();
  const steps = [
    { title: 'Docker', run: () => Promise.reject(error) },
    { title: 'Deploy', run: after },
  ];
  await expect(runSteps(steps, { stream, now })).rejects.toBe(error);
  expect(after).not.toHaveBeenCalled();
  expect(text()).toContain('✖ Docker (0.0 s)');
});

test('a step that says that it failed does not end the list', async () => {
  const { stream, text, now } = recorder();
  const steps: Step[] = [
    { title: 'unit', run: () => Promise.resolve({ text: '1 failed', failed: true }) },
    { title: 'engine', run: () => Promise.resolve({ text: '0 failed', failed: false }) },
  ];
  await runSteps(steps, { stream, now });
  expect(text()).toMatch(/✖ unit \(0\.0 s\): 1 failed\n.*▸ engine\n.*✔ engine \(0\.0 s\): 0 failed\n$/);
});

test.each([
  [49, '0.0 s'],
  [9_940, '9.9 s'],
  [41_400, '41 s'],
  [59_600, '1 min 00 s'],
  [362_000, '6 min 02 s'],
])('%d ms read as %s', (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text);
});

test('exit codes tell what kind of failure it was', () => {
  const holder = { name: 't', pid: 1, startTime: '1', bootId: 'b', argv: [], host: 'h', since: 's', verb: 'up' };
  expect(exitCodeOf(new LockedError(holder, '/f'))).toBe(EXIT.locked);
  expect(exitCodeOf(new CliError('x', EXIT.machine))).toBe(EXIT.machine);
  expect(exitCodeOf(new InterruptedError('dev'))).toBe(EXIT.interrupted);
  expect(exitCodeOf(new TypeError('x'))).toBe(EXIT.failed);
});

test('a message is the error’s own; the stack only where it is asked for', () => {
  const error = new CliError('one line');
  expect(messageOf(error)).toBe('one line');
  expect(messageOf(error, true)).toContain('steps.test.ts');
  expect(messageOf('text')).toBe('text');
});
