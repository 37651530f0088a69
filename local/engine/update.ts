import { LocalError } from '../errors';
import { followed } from './event-log';
import { formatErrors, Progress } from './events';

export interface UpdateOptions {
  readonly verb: 'up' | 'destroy' | 'refresh';
  readonly stack: string;
  readonly pulumi: string;
  /** As `engineEnv` made it; added to this process's own. */
  readonly env: Record<string, string>;
  /** Resources of the last state, for the figure of progress. @default 0 */
  readonly expected?: number;
  /** Receives a line of progress whenever it changes. */
  readonly onProgress?: (line: string) => void;
  /** Ask the cluster first what was changed by hand. @default false */
  readonly refresh?: boolean;
  /** The folder with Pulumi.yaml. @default - the clone's */
  readonly folder?: string;
  /** The stack's configuration. @default - `Pulumi.<stack>.yaml` in the folder */
  readonly configFile?: string;
  /** What a user types to go on after an interruption. @default `./trellis up -s <stack>` */
  readonly again?: string;
  /** Ends the update in order as soon as it is aborted; its reason is thrown. @default - none */
  readonly signal?: AbortSignal;
}

export interface UpdateResult {
  readonly summary: string;
  readonly unchanged: boolean;
}

/** The update was interrupted; the engine has ended in order. */
export class InterruptedError extends LocalError {
  public constructor(stack: string, again = `./trellis up -s ${stack}`) {
    super(`The update of ${stack} was interrupted. Its state is whole: ${again} goes on from there.`);
    this.name = 'InterruptedError';
  }
}

const argsOf = (options: UpdateOptions): readonly string[] => [
  options.verb,
  '--yes',
  '--skip-preview',
  '--non-interactive',
  '--suppress-outputs',
  '-s',
  options.stack,
  ...(options.refresh === true ? ['--refresh'] : []),
  ...(options.configFile === undefined ? [] : ['--config-file', options.configFile]),
];

/**
 * Runs an update of a stack. Interrupted once, the engine finishes what it began, writes its state and gives its lock back.
 *
 * @throws LocalError with the resources' own diagnostics, and nothing else of the output
 */
export async function runUpdate(options: UpdateOptions): Promise<UpdateResult> {
  const { pulumi, env, folder, signal } = options;
  const progress = new Progress(options.expected ?? 0);
  let last = '';
  const { code, said, interrupted } = await followed({
    ...{ pulumi, env, args: argsOf(options) },
    ...(folder === undefined ? {} : { folder }),
    ...(signal === undefined ? {} : { signal }),
    onEvents: (events) => {
      for (const event of events) progress.add(event);
      if (progress.line() !== last) options.onProgress?.((last = progress.line()));
    },
  });
  if (code === 0) return { summary: progress.summary(), unchanged: progress.unchanged };
  if (interrupted) throw new InterruptedError(options.stack, options.again);
  signal?.throwIfAborted();
  throw failure(options, code, progress, said);
}

function failure(options: UpdateOptions, code: number, progress: Progress, said: string): LocalError {
  const errors = formatErrors(progress.errors);
  const head = `pulumi ${options.verb} -s ${options.stack} ended with code ${code}`;
  // Before the first event there are no diagnostics: a wrong passphrase, a missing plugin, a lock.
  const lines = said.trim().split('\n').slice(-20).join('\n');
  return new LocalError(`${head}.\n${errors === '' ? lines : errors}`);
}
