import { randomInt } from 'node:crypto';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A random text of letters and digits, since passwords become part of connection URLs. */
export const randomValue = (length: number): string =>
  Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');

/** What is wrong with a value that was brought in; it is never named. */
export function valueProblem(value: string): string | undefined {
  if (value.length < 8) return 'the value has fewer than 8 characters';
  return /^[A-Za-z0-9._~-]+$/.test(value)
    ? undefined
    : "the value has characters other than letters, digits, '-', '.', '_' and '~', which a URL would need escaped";
}
