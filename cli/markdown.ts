/** What a comment on GitHub can hold. */
export const LONGEST_COMMENT = 65_536;
/** Beyond so many characters a value is cut. */
export const LONGEST_VALUE = 120;
const LONGEST_CELL = 300;

/** A value in one line: texts as they are where nothing in them could be mistaken. */
export function shown(value: unknown): string {
  const content = typeof value === 'string' && /^[^\s"'{}[\]]+$/.test(value) ? value : JSON.stringify(value);
  return cut(content, LONGEST_VALUE);
}

const cut = (text: string, longest: number): string =>
  text.length > longest ? `${text.slice(0, longest - 1)}…` : text;

/** A value as a cell of a table; empty for none. */
export function cell(value: unknown): string {
  if (value === undefined) return '';
  // In a table a bar ends the cell, also within code.
  const content = cut(typeof value === 'string' && value !== '' ? value : shown(value), LONGEST_CELL)
    .replaceAll('|', '\\|')
    .replace(/\s+/g, ' ');
  const fence = '`'.repeat(1 + Math.max(0, ...[...content.matchAll(/`+/g)].map(([ticks]) => ticks.length)));
  const space = fence.length > 1 ? ' ' : '';
  return `${fence}${space}${content}${space}${fence}`;
}

/** A table; cells are Markdown already. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Text that no reader takes for HTML, such as the reason of an error. */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** One part of a report: what always stays, then parts of which the last ones go where there is no room. */
export interface Section {
  readonly head: string;
  readonly details: readonly string[];
  /** Says how to see those that were left out. */
  readonly note: (missing: number) => string;
}

/**
 * A report of at most `longest` characters. Each section gets the same share of what the heads leave; what one does not use, the
 * next ones may.
 */
export function fitted(title: string, sections: readonly Section[], longest: number): string {
  const gap = 2;
  const fixed = [title, ...sections.flatMap(({ head, details, note }) => [head, note(details.length)])];
  let room = longest - fixed.reduce((sum, text) => sum + text.length + gap, 1);
  const parts = [title];
  for (const [index, { head, details, note }] of sections.entries()) {
    const share = Math.floor(room / (sections.length - index));
    let used = 0;
    const fits = details.findIndex((text) => (used += text.length + gap) > share);
    const taken = fits < 0 ? details : details.slice(0, fits);
    room -= taken.reduce((sum, text) => sum + text.length + gap, 0);
    parts.push(head, ...taken, ...(fits < 0 ? [] : [note(details.length - taken.length)]));
  }
  const text = `${parts.filter(Boolean).join('\n\n')}\n`;
  return text.length <= longest ? text : `${text.slice(0, longest - CUT.length)}${CUT}`;
}

const CUT = '\n\n… cut here\n';
