/** What some runs of one thing came to. */
export interface Summary {
  readonly minimum: number;
  readonly median: number;
  readonly maximum: number;
}

/** @throws RangeError for no figures at all */
export function summary(figures: readonly number[]): Summary {
  const sorted = [...figures].sort((a, b) => a - b);
  const [minimum, maximum] = [sorted[0], sorted.at(-1)];
  if (minimum === undefined || maximum === undefined) throw new RangeError('no run, no figure');
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? minimum) + (sorted[Math.ceil(middle)] ?? minimum)) / 2;
  return { minimum, median, maximum };
}

/** A bar, and whether a figure is within it. */
export interface Bar {
  readonly text: string;
  readonly met: boolean;
}

/** `≤ 0.35 s`. */
export const atMost = (figure: number, bar: number, unit = ''): Bar => ({
  text: `≤ ${bar}${unit === '' ? '' : ` ${unit}`}`,
  met: figure <= bar,
});

/** Runs that other work slows down: more of it than half of the cores wait for. */
export const isBusy = (load: number, cores: number): boolean => load > cores / 2;

/** Columns as wide as their widest cell; the first to the left, the rest to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join(' | ');
  const [head = [], ...body] = rows;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), rule.join(' | '), ...body.map(line)].map((text) => `| ${text} |`).join('\n');
}
