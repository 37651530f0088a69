import * as path from 'node:path';
import { root } from '../../local/index';
import { compare } from '../diff/compare';
import { readPrices, type Prices } from '../diff/prices';
import { json, printed } from '../diff/print';
import { report } from '../diff/report';
import { parseRange, renderSides } from '../diff/sides';
import { CliError, EXIT } from '../exit';
import { fromCaller, put } from '../output';
import { ENVIRONMENTS } from '../stack-program';

export interface DiffOptions {
  /** Environment that revisions are rendered for. @default - each */
  readonly stack?: string;
  readonly format: 'text' | 'json' | 'markdown';
  /** File that it is written to. @default - stdout */
  readonly output?: string;
  /** Characters of Markdown. */
  readonly limit: number;
  /** What a unit costs. @default - `cost.yaml` of the clone where there is one, else no cost is shown */
  readonly prices?: string;
}

/** Prints in what two environments, or two revisions, differ. It needs no cluster and no engine, and reads no secret. */
export async function diff(range: string, { stack, format, output, limit, prices }: DiffOptions): Promise<void> {
  const asked = parseRange(range);
  const known = pricesOf(prices);
  const sides = await renderSides(asked, stack === undefined ? ENVIRONMENTS : [stack]);
  const compared = sides.map(([left, right]) => ({ left, right, comparison: compare(left, right) }));
  const comparisons = compared.map(({ comparison }) => comparison);
  const colour = output === undefined && process.stdout.isTTY && (process.env.NO_COLOR ?? '') === '';
  switch (format) {
    case 'text':
      return put(printed(comparisons, colour), output);
    case 'json':
      return put(json(comparisons), output);
    case 'markdown':
      return put(report(compared, { range, prices: known, longest: limit }), output);
  }
}

function pricesOf(file: string | undefined): Prices | undefined {
  const prices = readPrices(file === undefined ? path.join(root, 'cost.yaml') : fromCaller(file));
  if (file !== undefined && prices === undefined) throw new CliError(`There is no file ${file}.`, EXIT.usage);
  return prices;
}
