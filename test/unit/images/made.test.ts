import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustBeMade, writeMade } from '../../../images/made';

describe('a file that is made from others', () => {
  let folder: string;
  const at = (...parts: string[]): string => join(folder, ...parts);
  /** Dates a file or folder so many seconds after a moment. */
  const date = (second: number, ...parts: string[]): void => utimesSync(at(...parts), 1000 + second, 1000 + second);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'made-'));
    mkdirSync(at('src', 'deep'), { recursive: true });
    for (const file of [['lock.json'], ['src', 'deep', 'one.ts']]) writeFileSync(at(...file), '');
    for (const path of [['lock.json'], ['src', 'deep', 'one.ts'], ['src', 'deep'], ['src']]) date(0, ...path);
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const must = (): boolean => mustBeMade(at('out', 'made.js'), [at('src'), at('lock.json')]);

  test('is made where it is missing, and then left', () => {
    expect(must()).toBe(true);
    writeMade(at('out', 'made.js'), Buffer.from('content'));
    expect(readFileSync(at('out', 'made.js'), 'utf8')).toBe('content');
    expect(readdirSync(at('out'))).toEqual(['made.js']);
    expect(must()).toBe(false);
  });

  test.each([
    ['a file deep below a folder is as new', 10, ['src', 'deep', 'one.ts']],
    ['a file is newer', 11, ['lock.json']],
    ['a folder lost a file', 11, ['src', 'deep']],
  ])('is made again where %s', (_title, second, path) => {
    writeMade(at('out', 'made.js'), Buffer.from('content'));
    date(10, 'out', 'made.js');
    expect(must()).toBe(false);
    date(second, ...path);
    expect(must()).toBe(true);
  });
});
