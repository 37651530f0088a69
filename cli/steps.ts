/** One line about what runs now. */
export type Report = (line: string) => void;

/** What a step may say while it runs. */
export interface StepUi {
  /** Worth a line in a log. */
  readonly report: Report;
  /** Figures that move: shown as they come on a terminal, now and then in a log. */
  readonly progress: Report;
}

/** The same, each line after a name. */
export const named = (name: string, { report, progress }: StepUi): StepUi => ({
  report: (line) => report(`${name}: ${line}`),
  progress: (line) => progress(`${name}: ${line}`),
});

/** What came of a step, in a few words. */
export type StepNote = string | { readonly text: string; readonly failed: boolean };

/** A part of a verb, shown with the time it took. */
export interface Step {
  readonly title: string;
  /** @returns what came of it; the list ends where this rejects, and goes on after a note that says `failed` */
  run(ui: StepUi): Promise<StepNote | void>;
}

/** Steps that follow each other. */
export interface Lane {
  /** Shown where there are several. */
  readonly title: string;
  /** Settles when the first step may begin. @default - it begins at once */
  readonly after?: () => Promise<unknown>;
  readonly steps: readonly Step[];
}

export interface StepsOptions {
  /** Receives every line. @default process.stderr */
  readonly stream?: NodeJS.WriteStream | { write(text: string): unknown; readonly isTTY?: boolean };
  /** Lines of progress in a log are at least so many milliseconds apart. @default 15 000 */
  readonly quietMs?: number;
  /** @default Date.now */
  readonly now?: () => number;
}

/** `0.3 s`, `41 s`, `6 min 02 s`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

const failed = (note: StepNote | void): boolean => typeof note === 'object' && note.failed;

function titleOf(step: Step, milliseconds: number, note?: StepNote | void): string {
  const text = typeof note === 'object' ? note.text : note;
  return `${step.title} (${duration(milliseconds)})${text === undefined || text === '' ? '' : `: ${text}`}`;
}

/** Shows a step as failed; what it was is told elsewhere. */
class StepFailed extends Error {}

const clock = (at: number): string => new Date(at).toISOString().slice(11, 19);

/** Without a terminal: a line when a step begins, its reports, and a line with the time when it ends. All times are UTC. */
async function runPlain(steps: readonly Step[], options: Required<StepsOptions>): Promise<void> {
  const say = (sign: string, text: string): void =>
    void options.stream.write(`${clock(options.now())} ${sign} ${text.split('\n').join('\n           ')}\n`);
  for (const step of steps) {
    const started = options.now();
    let told = started;
    say('▸', step.title);
    try {
      const note = await step.run({
        report: (line) => say(' ', `  ${line}`),
        progress: (line) => {
          if (options.now() - told < options.quietMs) return;
          told = options.now();
          say(' ', `  ${line}`);
        },
      });
      say(failed(note) ? '✖' : '✔', titleOf(step, options.now() - started, note));
    } catch (error) {
      say('✖', titleOf(step, options.now() - started));
      throw error;
    }
  }
}

/** On a terminal: a list that moves, the reports of the running steps below them, times beside those that ended. Several lanes are a list each. */
async function runOnTerminal(lanes: readonly Lane[], now: () => number): Promise<void> {
  const { Listr } = await import('listr2');
  let fatal: { readonly error: unknown } | undefined;
  const taskOf = (step: Step) => ({
    title: step.title,
    // Asked when the task has failed: only a failure that isn't a mere finding ends the list.
    exitOnError: () => fatal !== undefined,
    task: async (_: unknown, task: { title: string; output: string }): Promise<void> => {
      const started = now();
      const show = (line: string): void => void (task.output = line);
      let note: StepNote | void = undefined;
      try {
        note = await step.run({ report: show, progress: show });
      } catch (error) {
        fatal = { error };
      }
      task.title = titleOf(step, now() - started, note);
      if (fatal !== undefined || failed(note)) throw new StepFailed(step.title);
    },
    rendererOptions: { outputBar: 1, persistentOutput: false },
  });
  const rendererOptions = { showErrorMessage: false, collapseSkips: false, collapseSubtasks: false } as const;
  const options = { renderer: 'default', rendererOptions, registerSignalListeners: false } as const;
  const [only] = lanes;
  const list =
    only !== undefined && lanes.length === 1
      ? new Listr(only.steps.map(taskOf), options)
      : new Listr(
          lanes.map(({ title, after, steps }) => ({
            title,
            task: async (_, task) => {
              await after?.();
              return task.newListr(steps.map(taskOf));
            },
          })),
          { ...options, concurrent: true, exitOnError: false },
        );
  await list.run().catch((error: unknown) => {
    if (!(error instanceof StepFailed)) throw error;
  });
  if (fatal !== undefined) throw (fatal as { error: unknown }).error;
}

const withDefaults = (options: StepsOptions): Required<StepsOptions> => ({
  stream: options.stream ?? process.stderr,
  quietMs: options.quietMs ?? 15_000,
  now: options.now ?? Date.now,
});

/**
 * Runs the steps of a lane one after the other, and lanes at once. The first step that fails ends its lane; the others go on, and the error is
 * that of the first lane that had one.
 */
export async function runLanes(lanes: readonly Lane[], options: StepsOptions = {}): Promise<void> {
  const whole = withDefaults(options);
  if (whole.stream.isTTY === true && process.stdout.isTTY) return runOnTerminal(lanes, whole.now);
  const ended = await Promise.allSettled(
    lanes.map(async ({ after, steps }) => {
      await after?.();
      await runPlain(steps, whole);
    }),
  );
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Runs steps one after the other; the first that fails ends the list. The error is the step's own. */
export const runSteps = (steps: readonly Step[], options: StepsOptions = {}): Promise<void> =>
  runLanes([{ title: '', steps }], options);
