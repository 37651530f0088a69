import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
let clone: string;

/** A clone that consists of the loader and its packages. */
beforeEach(() => {
  clone = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-typescript-')));
  fs.mkdirSync(path.join(clone, 'local'));
  const loader = path.join('local', 'register-typescript.js');
  fs.copyFileSync(path.join(ROOT, loader), path.join(clone, loader));
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(clone, 'node_modules'));
});
afterEach(() => fs.rmSync(clone, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = path.join(clone, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
}

function run(file: string) {
  const argv = ['--require', './local/register-typescript.js', file];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: clone, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

const keptAt = (name: string): string => path.join(clone, '.trellis', 'build', 'typescript', `${name}.js`);
const says = (text: string): string => `const text: string = ${JSON.stringify(text)};\nconsole.log(text);\n`;

test('runs TypeScript with what it imports: files, folders, packages, and modules of Node.js', () => {
  write('lib/index.ts', `import { parse } from 'yaml';\nexport const read = (text: string): unknown => parse(text);\n`);
  write('value.ts', `export enum Unit { mebi = 'Mi' }\nexport interface Size { readonly unit: Unit }\n`);
  const file = write(
    'main.ts',
    `import * as path from 'node:path';
     import { read } from './lib';
     import type { Size } from './value';
     import { Unit } from './value';
     const size: Size = { unit: Unit.mebi };
     const late = async () => (await import('node:os')).EOL;
     void late().then((end) => process.stdout.write(JSON.stringify([read('a: 1'), size, path.basename(__filename)]) + end));`,
  );
  expect(run(file)).toEqual({ code: 0, stdout: '[{"a":1},{"unit":"Mi"},"main.ts"]\n', stderr: '' });
});

test('takes what it made as long as the source is the same, and not a moment longer', () => {
  const file = write('main.ts', says('first'));
  expect(run(file).stdout).toBe('first\n');
  // Proof that it is read: the same length, and the mark of the same source.
  fs.writeFileSync(keptAt('main.ts'), fs.readFileSync(keptAt('main.ts'), 'utf8').replace('first', 'kept!'));
  expect(run(file).stdout).toBe('kept!\n');
  fs.writeFileSync(file, says('second'));
  expect(run(file).stdout).toBe('second\n');
});

test('makes it again where only a part of it was written', () => {
  const file = write('main.ts', says('whole'));
  run(file);
  const made = fs.readFileSync(keptAt('main.ts'), 'utf8');
  fs.writeFileSync(keptAt('main.ts'), made.slice(0, made.length / 2));
  expect(run(file)).toEqual({ code: 0, stdout: 'whole\n', stderr: '' });
  expect(fs.readFileSync(keptAt('main.ts'), 'utf8')).toBe(made);
  expect(fs.readdirSync(path.dirname(keptAt('main.ts')))).toEqual(['main.ts.js']);
});

test('keeps nothing of files outside of the clone, nor where it cannot write', () => {
  const outside = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-outside-'));
  try {
    const file = path.join(outside, 'main.ts');
    fs.writeFileSync(file, says('outside'));
    expect(run(file)).toEqual({ code: 0, stdout: 'outside\n', stderr: '' });
    expect(fs.existsSync(path.join(clone, '.trellis'))).toBe(false);
  } finally {
    fs.rmSync(outside, { recursive: true, force: true });
  }
  // A file where the folder would be: what not even root can write through.
  write('.trellis', '');
  expect(run(write('main.ts', says('inside')))).toEqual({ code: 0, stdout: 'inside\n', stderr: '' });
});

test('an error names file and line of the TypeScript, the first time and later', () => {
  const file = write(
    'main.ts',
    `interface Gone {\n  readonly a: string;\n}\n\nthrow new Error('on the fifth line');\n`,
  );
  for (const { code, stderr } of [run(file), run(file)]) {
    expect(code).toBe(1);
    expect(stderr).toContain('Error: on the fifth line');
    expect(stderr).toContain(`${file}:5:7`);
  }
});

test('a clone that has moved names its new place', () => {
  const file = write('main.ts', `throw new Error('here');\n`);
  expect(run(file).stderr).toContain(`${file}:1:7`);
  const [from, to] = [clone, `${clone}-moved`];
  fs.renameSync(from, to);
  clone = to;
  expect(run(path.join(to, 'main.ts')).stderr).toContain(`${path.join(to, 'main.ts')}:1:7`);
});

test('wrong syntax is named with file, line and column', () => {
  const file = write('main.ts', 'const a = 1;\nconst = 2;\n');
  const { code, stderr } = run(file);
  expect(code).toBe(1);
  expect(stderr).toContain(`${file}:2:6: ERROR: Expected identifier but found "="`);
});

test('leaves packages to Node.js: none of their files is compiled', () => {
  const file = write('main.ts', `import 'cdk8s';\nimport '@kubernetes/client-node';\nconsole.log('loaded');\n`);
  expect(run(file).stdout).toBe('loaded\n');
  expect(fs.readdirSync(path.join(clone, '.trellis', 'build', 'typescript'))).toEqual(['main.ts.js']);
});
