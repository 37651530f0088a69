import { compare } from '../diff/compare';
import type { DiffFormat } from '../diff/print';
import { printed } from '../diff/print';
import { parseRange, renderSides } from '../diff/sides';

export interface DiffOptions {
  /** Environment that revisions are rendered for. */
  readonly stack: string;
  readonly format: DiffFormat;
}

/** Prints in what two environments, or two revisions of one, differ. It needs no cluster and no engine, and reads no secret. */
export async function diff(range: string, { stack, format }: DiffOptions): Promise<void> {
  const [left, right] = await renderSides(parseRange(range), stack);
  const colour = process.stdout.isTTY && (process.env.NO_COLOR ?? '') === '';
  process.stdout.write(printed(compare(left, right), format, colour));
}
