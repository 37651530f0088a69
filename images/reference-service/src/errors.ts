/** Configuration that the service refuses to start with; `problems` holds every one, never a secret's value. */
export class ConfigError extends Error {
  /** Exit code of a program whose configuration is wrong (sysexits.h EX_CONFIG). */
  static readonly exitCode = 78;

  constructor(readonly problems: readonly string[]) {
    super(`The environment has ${problems.length} problem(s):\n${problems.map((one) => `  - ${one}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** An answer other than success; `message` is written for the client and says nothing of the service's inside. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'HttpError';
  }
}

/** A back end did not do what it was asked in time, or at all. */
export class BackendError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BackendError';
  }
}
