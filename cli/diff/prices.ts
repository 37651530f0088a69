import * as fs from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Totals } from '../../components/namespace-quota';
import { CliError, EXIT } from '../exit';

const price = z.number().min(0).max(1_000_000);

const schema = z.strictObject({
  /** Such as `EUR`; shown, and never converted. */
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be the three letters of a currency'),
  /** Hours that are charged for a month. */
  hoursPerMonth: z.number().min(1).max(744),
  /** One virtual CPU for an hour. */
  vcpuHour: price,
  /** One GiB of memory for an hour. */
  gibHour: price,
  /** One GiB of disk for a month. */
  gibMonth: price,
  /** One device for an hour. */
  gpuHour: price,
});

/** What the owner of the platform pays for, by unit. */
export type Prices = z.output<typeof schema>;

/**
 * Reads a price file.
 *
 * @returns nothing where there is no such file: then no cost is known
 * @throws CliError with all that is wrong with it
 */
export function readPrices(file: string): Prices | undefined {
  if (!fs.existsSync(file)) return undefined;
  const { data, error } = schema.safeParse(parsed(file));
  if (data !== undefined) return data;
  const problems = (error?.issues ?? []).map(({ path, message }) => `  ${path.join('.') || 'it'}: ${message}`);
  throw new CliError(`${file} can't be used:\n${problems.join('\n')}`, EXIT.usage);
}

function parsed(file: string): unknown {
  try {
    return parse(fs.readFileSync(file, 'utf8'), { uniqueKeys: true });
  } catch (error) {
    throw new CliError(`${file} can't be read as YAML: ${error instanceof Error ? error.message : ''}`, EXIT.usage);
  }
}

/** What requests add up to in a month: nodes and disks are paid for what is reserved, whether it is used or not. */
export function monthly(totals: Totals, prices: Prices): number {
  const gibibytes = (name: string): number => (totals[name] ?? 0) / 1024 ** 3;
  const devices = Object.entries(totals).filter(([name]) => name.startsWith('requests.') && name.includes('/'));
  const hourly =
    ((totals['requests.cpu'] ?? 0) / 1000) * prices.vcpuHour +
    gibibytes('requests.memory') * prices.gibHour +
    devices.reduce((sum, [, count]) => sum + count, 0) * prices.gpuHour;
  return hourly * prices.hoursPerMonth + gibibytes('requests.storage') * prices.gibMonth;
}
