import * as fs from 'node:fs';
import * as path from 'node:path';
import { progress, stepOf } from '../../../../local/plugins/docker/build';
import { contextDigest, modeText } from '../../../../local/plugins/docker/context';
import { Ignore } from '../../../../local/plugins/docker/ignore';
import { parseReference, repository } from '../../../../local/plugins/docker/reference';
import { context, DIGEST, lines, scratch, withFakeDocker } from './docker-support';

withFakeDocker();

test('.dockerignore: the rules of Docker', () => {
  const ignore = new Ignore(
    '# comment\n*.log\n/node_modules\n**/*.tmp\ndocs/**\n!docs/keep.md\nsecret?\nb[ae]d\n\ntrailing/\n',
  );
  const excluded = [
    'a.log',
    'node_modules',
    'node_modules/x/y.js',
    'deep/er/x.tmp',
    'x.tmp',
    'docs/a/b',
    'secret1',
    'bad',
    'bed',
    'trailing/x',
  ];
  const included = ['sub/a.log', 'sub/node_modules/x', 'docs/keep.md', 'secret', 'bid', '# comment', 'a.logs'];
  expect(excluded.filter((file) => !ignore.excludes(file))).toEqual([]);
  expect(included.filter((file) => ignore.excludes(file))).toEqual([]);
  expect(ignore.hasExceptions).toBe(true);
  expect(new Ignore('').excludes('x')).toBe(false);
});

describe('the context digest', () => {
  const digest = (): Promise<string> => contextDigest(scratch.app, path.join(scratch.app, 'Dockerfile'));

  test('is the vendor’s: name, mode and content of each file, the Dockerfile first', async () => {
    fs.writeFileSync(path.join(scratch.app, 'a'), 'x', { mode: 0o644 });
    fs.chmodSync(path.join(scratch.app, 'Dockerfile'), 0o644);
    const { createHash } = await import('node:crypto');
    const sha = (text: string): Buffer => createHash('sha256').update(text).digest();
    const total = createHash('sha256');
    for (const [name, mode, text] of [
      ['Dockerfile', '----------', 'FROM scratch\n'],
      ['Dockerfile', '-rw-r--r--', 'FROM scratch\n'],
      ['a', '-rw-r--r--', 'x'],
    ] as const) {
      total.update(name).update(mode).update(sha(text)).update('\0');
    }
    expect(await digest()).toBe(total.digest('hex'));
  });

  test('changes with content, name, mode and link, and not with time or what is ignored', async () => {
    fs.writeFileSync(path.join(scratch.app, '.dockerignore'), '*.log\nnode_modules\n');
    fs.writeFileSync(path.join(scratch.app, 'file'), 'one');
    fs.symlinkSync('file', path.join(scratch.app, 'link'));
    const first = await digest();
    fs.utimesSync(path.join(scratch.app, 'file'), 1, 1);
    fs.writeFileSync(path.join(scratch.app, 'x.log'), 'noise');
    fs.mkdirSync(path.join(scratch.app, 'node_modules'));
    fs.writeFileSync(path.join(scratch.app, 'node_modules', 'x'), 'noise');
    expect(await digest()).toBe(first);
    const seen = new Set([first]);
    const changes: (() => void)[] = [
      () => fs.writeFileSync(path.join(scratch.app, 'file'), 'two'),
      () => fs.chmodSync(path.join(scratch.app, 'file'), 0o755),
      () => fs.renameSync(path.join(scratch.app, 'file'), path.join(scratch.app, 'file2')),
      () => (fs.rmSync(path.join(scratch.app, 'link')), fs.symlinkSync('file2', path.join(scratch.app, 'link'))),
      () => fs.writeFileSync(path.join(scratch.app, 'Dockerfile'), 'FROM scratch\nLABEL a=b\n'),
    ];
    for (const change of changes) {
      change();
      seen.add(await digest());
    }
    expect(seen.size).toBe(changes.length + 1);
  });

  test('mode as the vendor writes it', () => {
    expect([modeText(0o644, false), modeText(0o777, true), modeText(0o4755, false), modeText(0o1777, false)]).toEqual([
      '-rw-r--r--',
      'Lrwxrwxrwx',
      'urwxr-xr-x',
      'trwxrwxrwx',
    ]);
  });
});

test('an image’s name is taken apart', () => {
  expect(parseReference('localhost:5000/a/b:c')).toEqual({
    registry: 'localhost:5000',
    path: 'a/b',
    tag: 'c',
    digest: undefined,
  });
  expect(parseReference(`r.example/a@${DIGEST}`)).toMatchObject({ registry: 'r.example', digest: DIGEST });
  expect(parseReference('a/b')).toMatchObject({ registry: '', path: 'a/b' });
  expect(['A', 'a//b', 'a:', 'a@x', '', 'a:b:c'].map(parseReference)).toEqual(Array(6).fill(undefined));
  expect(repository({ registry: 'r', path: 'p', tag: 't', digest: undefined })).toBe('r/p');
});

test('progress: each line has its step, steps always show, and no more than ten lines a second', () => {
  expect(stepOf('Step 3/9 : RUN make')).toEqual({ step: '3/9', what: 'RUN make' });
  expect(stepOf('#7 [build 3/9] RUN make')).toEqual({ step: '3/9', what: 'RUN make' });
  expect(stepOf('#7 0.5 making')).toBeUndefined();
  let now = 0;
  const shown = progress(context(), () => now);
  shown.line('Step 1/2 : FROM a');
  for (let index = 0; index < 50; index++) shown.line('quick');
  now = 500;
  shown.line('later');
  shown.line('Step 2/2 : RUN b');
  expect(lines).toEqual(['info [step 1/2] FROM a', 'info [step 1/2] later', 'info [step 2/2] RUN b']);
  expect(shown.last()).toBe('step 2/2: RUN b');
});
