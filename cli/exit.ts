/** How `./trellis` ends. Documented in `./trellis --help`; scripts may rely on them. */
export const EXIT = {
  ok: 0,
  /** The work was tried and failed; a check or a test failed; something isn't Ready. */
  failed: 1,
  /** An unknown verb, option or value. */
  usage: 2,
  /** The machine lacks what the verb needs; `./trellis doctor` says what. */
  machine: 3,
  /** Another run holds the clone's lock. */
  locked: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a message of its own and a chosen code. */
export class CliError extends Error {
  public constructor(
    message: string,
    public readonly code: ExitCode = EXIT.failed,
  ) {
    super(message);
    this.name = 'CliError';
  }
}

/** Commander's own ends (help, a wrong option), which have told what they have to tell. */
const isCommander = (error: unknown): error is { code: string; exitCode: number } =>
  error instanceof Error && error.name === 'CommanderError';

export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.code;
  if (isCommander(error)) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  // By name: the classes are in local/, which the help must not load.
  const name = error instanceof Error ? error.name : '';
  if (name === 'InterruptedError') return EXIT.interrupted;
  return name === 'LockedError' ? EXIT.locked : EXIT.failed;
}

/** One message, without a stack trace; `TRELLIS_DEBUG=1` adds it. Empty where everything was said already. */
export function messageOf(error: unknown, debug = false): string {
  if (isCommander(error)) return '';
  if (!(error instanceof Error)) return String(error);
  return debug ? (error.stack ?? error.message) : error.message;
}
