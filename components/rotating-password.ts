import type { Construct } from 'constructs';
import type { LateSecret } from './late';
import { LateTokens } from './late';
import type { Problems } from './validation';

/** Passwords of one credential, each following the one before. */
export interface RotatingPasswordOptions {
  /**
   * Those that servers accept, by their numbers: one, or two that follow each other. The first ever is 1. Each is of the characters that a
   * single password is.
   */
  readonly accepted: Readonly<Record<number, LateSecret>>;
  /** Number of the one that clients use. */
  readonly used: number;
}

/** A password, or two of them while one follows the other. */
export type Password = LateSecret | RotatingPassword;

/** One password that servers accept. */
export interface AcceptedPassword {
  readonly number: number;
  readonly password: LateSecret;
}

const LARGEST_NUMBER = 9999;

/**
 * A password that another one can follow without a refused client, in three deployments: the server accepts the next one too (`stage`),
 * clients go over to it (`switch`), the server no longer accepts the former (`retire`). Servers take it over while they run.
 */
export class RotatingPassword {
  /** Two at most are accepted at a time, so that there are never more than two places: odd numbers have one, even numbers the other. */
  public static of(options: RotatingPasswordOptions): RotatingPassword {
    return new RotatingPassword(options);
  }

  private constructor(private readonly options: RotatingPasswordOptions) {}

  /** Number of the password that clients use. */
  public get used(): number {
    return this.options.used;
  }

  /** Numbers of the passwords that servers accept, in order. */
  public get accepted(): readonly number[] {
    return this._passwords.map(({ number }) => number);
  }

  /** The first password alone is what a server starts with; there is nothing that it would have to take over. @internal */
  public get _first(): boolean {
    return this.accepted.join() === '1';
  }

  /** What servers accept, in the order of the numbers. @internal */
  public get _passwords(): readonly AcceptedPassword[] {
    return Object.entries(this.options.accepted)
      .map(([number, password]) => ({ number: Number(number), password }))
      .sort((one, other) => one.number - other.number);
  }
}

/** The passwords of a credential in the order of their numbers; a single one is number 1. */
export const acceptedPasswords = (password: Password): readonly AcceptedPassword[] =>
  password instanceof RotatingPassword ? password._passwords : [{ number: 1, password }];

/** The password that clients use, as a token. */
export function usedPassword(scope: Construct, password: Password): string {
  const used = password instanceof RotatingPassword ? password.used : 1;
  const found = acceptedPasswords(password).find(({ number }) => number === used);
  return found === undefined ? '' : LateTokens.of(scope).asSecret(scope, found.password);
}

/** Adds what is wrong with the numbers; the passwords themselves have rules of their own. */
export function rotationProblems(problems: Problems, prop: string, password: Password | undefined): void {
  if (!(password instanceof RotatingPassword)) return;
  const { accepted, used } = password;
  const [first = 0, second = first + 1] = accepted;
  const literals = password._passwords.map((one) => one.password).filter((one) => typeof one === 'string');
  const shown = accepted.join(' and ') || 'none';
  problems
    .require(
      accepted.length > 0 &&
        accepted.length <= 2 &&
        accepted.every((number) => Number.isInteger(number) && number >= 1 && number <= LARGEST_NUMBER) &&
        second === first + 1,
      `${prop}: accepted must be one number from 1 to ${LARGEST_NUMBER} or two that follow each other, got ${shown}`,
    )
    .require(
      accepted.includes(used),
      `${prop}: used (${used}) must be accepted (${shown}), or clients would be locked out`,
    )
    .require(new Set(literals).size === literals.length, `${prop}: the two accepted passwords must differ`);
}
