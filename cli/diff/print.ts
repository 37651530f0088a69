import type { Comparison, ObjectChange } from './compare';
import type { FieldChange } from './fields';

/** How a comparison is written. */
export type DiffFormat = 'text' | 'json' | 'markdown';

const LONGEST_VALUE = 120;
const SIGN = { added: '+', removed: '-', changed: '~' } as const;
const COLOUR = { added: 32, removed: 31, changed: 33 } as const;

/** @param colour whether a terminal shows it */
export function printed(comparison: Comparison, format: DiffFormat, colour = false): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(comparison, null, 2)}\n`;
    case 'markdown':
      return markdown(comparison);
    case 'text':
      return text(comparison, colour);
  }
}

const count = (comparison: Comparison, change: ObjectChange['change']): number =>
  comparison.objects.filter((object) => object.change === change).length;

function summary(comparison: Comparison): string {
  const { left, right, equal, objects } = comparison;
  if (objects.length === 0) return `${left} and ${right} are the same, ${equal} of ${equal} objects`;
  const parts = [
    `${count(comparison, 'changed')} differ`,
    `${count(comparison, 'added')} only in ${right}`,
    `${count(comparison, 'removed')} only in ${left}`,
    `${equal} the same`,
  ];
  return `${left} → ${right}, object by object: ${parts.join(', ')}`;
}

const pairs = ({ namespaces }: Comparison): string =>
  namespaces.map(({ left, right }) => `${left} → ${right}`).join(', ');

function text(comparison: Comparison, colour: boolean): string {
  const paint = (change: ObjectChange['change'], line: string): string =>
    colour ? `\u001b[${COLOUR[change]}m${line}\u001b[0m` : line;
  const lines = [summary(comparison)];
  if (comparison.namespaces.length > 0) lines.push(`namespaces: ${pairs(comparison)}`);
  for (const object of comparison.objects) {
    lines.push('', paint(object.change, `${SIGN[object.change]} ${object.path}  ${object.kind} ${object.name}`));
    for (const field of object.fields)
      lines.push(...fieldLines(field).map(([change, line]) => `    ${paint(change, line)}`));
  }
  return `${lines.join('\n')}\n`;
}

function fieldLines({ field, ...sides }: FieldChange): readonly (readonly [ObjectChange['change'], string])[] {
  if (!('right' in sides)) return [['removed', `- ${field}: ${shown(sides.left)}`]];
  if (!('left' in sides)) return [['added', `+ ${field}: ${shown(sides.right)}`]];
  const [left, right] = [shown(sides.left), shown(sides.right)];
  if (left.length + right.length < LONGEST_VALUE) return [['changed', `${field}: ${left} → ${right}`]];
  return [
    ['removed', `- ${field}: ${left}`],
    ['added', `+ ${field}: ${right}`],
  ];
}

function markdown(comparison: Comparison): string {
  const lines = [`### ${summary(comparison)}`, ''];
  if (comparison.namespaces.length > 0) lines.push(`Namespaces: ${pairs(comparison)}`, '');
  for (const change of ['added', 'removed'] as const) {
    const objects = comparison.objects.filter((object) => object.change === change);
    if (objects.length === 0) continue;
    lines.push(`**Only in ${change === 'added' ? comparison.right : comparison.left}**`, '');
    lines.push(...objects.map(({ path, kind, name }) => `- ${kind} \`${name}\` (${path})`), '');
  }
  for (const { change, path, kind, name, fields } of comparison.objects) {
    if (change !== 'changed') continue;
    lines.push(`<details><summary>${kind} <code>${name}</code> (${path}): ${fields.length}</summary>`, '');
    lines.push(`| field | ${comparison.left} | ${comparison.right} |`, '|---|---|---|');
    lines.push(...fields.map(({ field, left, right }) => `| ${cell(field)} | ${cell(left)} | ${cell(right)} |`));
    lines.push('', '</details>', '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

// In a table a bar ends the cell, also within code.
const cell = (value: unknown): string => {
  if (value === undefined) return '';
  const content = (typeof value === 'string' && value !== '' ? value : shown(value))
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ');
  const fence = content.includes('`') ? '``' : '`';
  return `${fence}${fence === '``' ? ' ' : ''}${content}${fence === '``' ? ' ' : ''}${fence}`;
};

/** A value in one line: texts as they are where nothing in them could be mistaken. */
function shown(value: unknown): string {
  const content = typeof value === 'string' && /^[^\s"'{}[\]]+$/.test(value) ? value : JSON.stringify(value);
  return content.length > LONGEST_VALUE ? `${content.slice(0, LONGEST_VALUE - 1)}…` : content;
}
