/**
 * A failure of the machine or of a tool, told in one message.
 * `fix` is the one command or step that mends it.
 */
export class LocalError extends Error {
  public readonly fix: string | undefined;

  public constructor(message: string, options: { readonly fix?: string; readonly cause?: unknown } = {}) {
    super(options.fix === undefined ? message : `${message}\n  To mend it: ${options.fix}`, { cause: options.cause });
    this.name = 'LocalError';
    this.fix = options.fix;
  }
}
