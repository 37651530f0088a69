import { CliError, EXIT } from './exit';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** `30s`, `5m`, `1h` in milliseconds. @throws CliError for anything else */
export function milliseconds(option: string, text: string): number {
  const [, amount, unit = ''] = /^([1-9]\d{0,4})([smh])$/.exec(text) ?? [];
  if (amount !== undefined) return Number(amount) * (UNITS[unit] ?? 0);
  throw new CliError(`${option} takes a time such as 30s, 5m or 1h; got '${text}'.`, EXIT.usage);
}
