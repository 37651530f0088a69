import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { LIST, writeTree } from '../../../../cli/gitops/write';

let folder: string;
const file = (name: string): string => path.join(folder, name);

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-tree-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

test('a tree replaces what an earlier run wrote, and nothing else', () => {
  writeTree(
    folder,
    new Map([
      ['a/old.yaml', '1'],
      ['a/stays.yaml', '1'],
      ['b/old.yaml', '1'],
    ]),
  );
  fs.writeFileSync(file('a/mine.yaml'), 'mine');
  const written = writeTree(
    folder,
    new Map([
      ['a/stays.yaml', '2'],
      ['c/new.yaml', '1'],
    ]),
  );
  expect(written).toEqual({ files: 2, removed: ['a/old.yaml', 'b/old.yaml'] });
  expect(fs.readFileSync(file('a/stays.yaml'), 'utf8')).toBe('2');
  expect(fs.readFileSync(file('a/mine.yaml'), 'utf8')).toBe('mine');
  expect(fs.existsSync(file('b'))).toBe(false);
});

test('a file that no run wrote is not overwritten, and nothing is written then', () => {
  fs.mkdirSync(file('a'));
  fs.writeFileSync(file('a/mine.yaml'), 'mine');
  expect(() =>
    writeTree(
      folder,
      new Map([
        ['a/mine.yaml', '1'],
        ['a/new.yaml', '1'],
      ]),
    ),
  ).toThrow(/holds files that no render wrote.*\n {2}- a\/mine.yaml$/s);
  expect(fs.readdirSync(file('a'))).toEqual(['mine.yaml']);
});

test.each(['{"files":["../out.yaml"]}', '{"files":[1]}', 'no json'])('a list that reads %s is refused', (text) => {
  fs.writeFileSync(file(LIST), text);
  expect(() => writeTree(folder, new Map([['a.yaml', '1']]))).toThrow('is not as a render wrote it');
});
