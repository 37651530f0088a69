import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { LAZY_WORD_LISTS, writeModfile, type SourceEdit } from '../../../local/toolchain/edits';
import { moduleHash } from '../../../local/toolchain/go';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-edits-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

/** A file of a tool's module, or of one that it is built with. */
function write(file: string, content: string): void {
  const at = path.join(directory, file);
  fs.mkdirSync(path.dirname(at), { recursive: true });
  fs.writeFileSync(at, content);
}
const read = (file: string): string => fs.readFileSync(path.join(directory, file), 'utf8');
const edit = (file: string, from: string, to: string, module = 'example.com/a'): SourceEdit => ({
  ...{ module, file, from, to },
});

async function writeAll(edits: readonly SourceEdit[]): Promise<string> {
  write('tool/go.mod', 'module tool\n');
  write('tool/go.sum', 'sums\n');
  fs.mkdirSync(path.join(directory, 'out'));
  const source = (module: string): Promise<string> =>
    Promise.resolve(path.join(directory, 'cache', path.basename(module)));
  return writeModfile(edits, path.join(directory, 'tool'), source, path.join(directory, 'out'));
}

test('modules are copied, edited, and taken in place of themselves', async () => {
  write('cache/a/go.mod', 'module example.com/a\n\ngo 1.20\n');
  write('cache/a/x.go', 'package a // one\n');
  write('cache/a/inner/y.go', 'package inner\n');
  write('cache/b/z.go', 'package b\n');
  // As in Go's own cache.
  for (const file of ['cache/a/x.go', 'cache/a/inner/y.go', 'cache/a/inner', 'cache/a'])
    fs.chmodSync(path.join(directory, file), fs.statSync(path.join(directory, file)).isDirectory() ? 0o555 : 0o444);

  const file = await writeAll([
    edit('x.go', 'one', 'two'),
    edit('x.go', 'package a', 'package a2'),
    edit('z.go', 'b\n', 'c\n', 'example.com/b'),
  ]);
  fs.chmodSync(path.join(directory, 'cache/a/inner'), 0o755);
  fs.chmodSync(path.join(directory, 'cache/a'), 0o755);

  expect(file).toBe(path.join(directory, 'out', 'go.mod'));
  expect(read('out/go.mod').split('\n').filter(Boolean)).toEqual([
    'module tool',
    `replace example.com/a => "${directory}/out/0"`,
    `replace example.com/b => "${directory}/out/1"`,
  ]);
  expect(read('out/go.sum')).toBe('sums\n');
  expect(read('out/0/x.go')).toBe('package a2 // two\n');
  expect(read('out/0/inner/y.go')).toBe('package inner\n');
  expect(read('out/0/go.mod')).toBe('module example.com/a\n\ngo 1.20\n');
  expect(read('out/1/z.go')).toBe('package c\n');
  // One of before there was a go.mod gets one.
  expect(read('out/1/go.mod')).toBe('module example.com/b\n');
  expect(read('cache/a/x.go')).toBe('package a // one\n');
  expect(read('tool/go.mod')).toBe('module tool\n');
});

test.each([
  ['is not there', 'three'],
  ['is there twice', 'one'],
])('an edit of what %s is refused: the module has another version', async (_, from) => {
  write('cache/a/x.go', 'one one two\n');
  await expect(writeAll([edit('x.go', from, 'new')])).rejects.toThrow(
    new RegExp(`^example.com/a/x.go can't be edited: "${from}" is not there exactly once\\..*edits\\.ts`, 's'),
  );
});

test('what is edited is part of what names the build', () => {
  const module = { directory: 'pulumi', package: 'x' };
  const hashes = [module, { ...module, edits: LAZY_WORD_LISTS }, { ...module, edits: LAZY_WORD_LISTS.slice(1) }];
  expect(new Set(hashes.map(moduleHash)).size).toBe(3);
});
