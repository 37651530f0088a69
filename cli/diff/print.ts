import { LONGEST_VALUE, shown } from '../markdown';
import type { Comparison, ObjectChange } from './compare';
import type { FieldChange } from './fields';

const SIGN = { added: '+', removed: '-', changed: '~', replaced: '±' } as const;
const COLOUR = { added: 32, removed: 31, changed: 33, replaced: 35 } as const;

/** Comparisons for a terminal or a log. @param colour whether a terminal shows it */
export const printed = (comparisons: readonly Comparison[], colour = false): string =>
  comparisons.map((comparison) => text(comparison, colour)).join('\n');

/** Comparisons for a program: one as it is, more than one as a list. */
export const json = (comparisons: readonly Comparison[]): string =>
  `${JSON.stringify(comparisons.length === 1 ? comparisons[0] : comparisons, null, 2)}\n`;

const count = (comparison: Comparison, change: ObjectChange['change']): number =>
  comparison.objects.filter((object) => object.change === change).length;

/** What a comparison found, in one line. */
export function summary(comparison: Comparison): string {
  const { environment, left, right, equal, objects, following } = comparison;
  const where = environment === undefined || left === environment ? '' : `${environment}: `;
  if (objects.length === 0) {
    return `${where}${left} and ${right} are the same, ${equal} of ${equal + following.length} objects`;
  }
  const replaced = count(comparison, 'replaced');
  const parts = [
    `${count(comparison, 'changed')} differ`,
    ...(replaced === 0 ? [] : [`${replaced} made anew`]),
    `${count(comparison, 'added')} only in ${right}`,
    `${count(comparison, 'removed')} only in ${left}`,
    `${equal} the same`,
  ];
  return `${where}${left} → ${right}, object by object: ${parts.join(', ')}`;
}

/** Namespaces that stand for each other. */
export const pairs = ({ namespaces }: Comparison): string =>
  namespaces.map(({ left, right }) => `${left} → ${right}`).join(', ');

function text(comparison: Comparison, colour: boolean): string {
  const paint = (change: ObjectChange['change'], line: string): string =>
    colour ? `\u001b[${COLOUR[change]}m${line}\u001b[0m` : line;
  const lines = [summary(comparison)];
  if (comparison.namespaces.length > 0) lines.push(`namespaces: ${pairs(comparison)}`);
  const add = ({ change, path, kind, name, fields }: ObjectChange): void => {
    lines.push('', paint(change, `${SIGN[change]} ${path}  ${kind} ${name}`));
    for (const field of fields) lines.push(...fieldLines(field).map(([each, line]) => `    ${paint(each, line)}`));
  };
  comparison.objects.forEach(add);
  if (comparison.following.length > 0) {
    lines.push('', 'and what follows from it, sums of what a namespace holds:');
    comparison.following.forEach(add);
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
