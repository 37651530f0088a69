import { existsSync, readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { commandsIn, helpTexts, refusalOf, wordsOf } from './commands';

const ROOT = path.resolve(__dirname, '../../..');
const read = (page: string): string => readFileSync(path.join(ROOT, page), 'utf8');
const folders = (parent: string): readonly string[] =>
  readdirSync(path.join(ROOT, parent), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [`${parent}/${entry.name}`] : [],
  );
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...readdirSync(path.join(ROOT, 'docs')).map((file) => `docs/${file}`),
  ...['images', 'examples'].flatMap(folders).map((folder) => `${folder}/README.md`),
].filter((page) => page.endsWith('.md') && existsSync(path.join(ROOT, page)));

describe('every command of ours that the documentation names', () => {
  const cases = PAGES.flatMap((page) => commandsIn(read(page)).map((command) => ({ page, command })));

  it.each(cases)('is one that the command line takes: $page: ./trellis $command', ({ command }) => {
    expect(refusalOf(command)).toBeUndefined();
  });

  it('is found in fences and in lines', () => {
    expect(cases.map(({ command }) => command)).toEqual(
      expect.arrayContaining(['up', 'logs noodle-runtime -f', 'env', 'diff dev..prod', 'down --purge --yes']),
    );
  });
});

describe('every command that the help shows', () => {
  // A table of the help: what follows two spaces explains.
  const shown = (text: string): readonly string[] =>
    text.split('\n').flatMap((line) => commandsIn(`\`${line.trim().split(/ {2,}/)[0] ?? ''}\``));
  const cases = helpTexts().flatMap(({ name, text }) => shown(text).map((command) => ({ name, command })));

  it.each(cases)('is one that the command line takes: $name: ./trellis $command', ({ command }) => {
    expect(refusalOf(command)).toBeUndefined();
  });

  it('is found', () => {
    expect(cases.map(({ command }) => command)).toEqual(expect.arrayContaining(['up', 'up -s prod --simulate']));
  });
});

describe('the check itself', () => {
  it.each([
    ['nope', "unknown command 'nope'"],
    ['up --nope', "unknown option '--nope'"],
    ['up -s nowhere', "argument 'nowhere' is invalid"],
    ['up -s', 'argument missing'],
    ['up --wait soon', "argument 'soon' is invalid"],
    ['logs', "missing required argument 'service'"],
    ['status too much', 'too many arguments'],
    ['diff dev..prod --format yaml', "argument 'yaml' is invalid"],
  ])('refuses what the command line refuses: %s', (command, message) => {
    expect(refusalOf(command)).toContain(message);
  });

  it.each(['', '--help', 'up --help', 'logs NAME -n 20', 'up -s <environment>', 'logs SERVICE …'])(
    'takes what is right, also with a placeholder: %s',
    (command) => {
      expect(refusalOf(command)).toBeUndefined();
    },
  );

  it('reads fences of every language, lines that go on, and what stands in a line', () => {
    const page = [
      'Type `./trellis status`, or `./trellis logs NAME [-f]`, not `./trellisx`.',
      '```sh',
      'eval "$(./trellis env)"',
      'watch ./trellis status | head # ./trellis nope',
      './trellis up \\',
      '  -s prod',
      '```',
      '```text',
      './trellis down > file',
      '```',
    ].join('\n');
    expect([...commandsIn(page)].sort()).toEqual(['down', 'env', 'logs NAME -f', 'status', 'up -s prod']);
  });

  it('splits words as a shell does', () => {
    expect(wordsOf(`a 'b c' "d e" f\\ g h#i # j`)).toEqual(['a', 'b c', 'd e', 'f g', 'h#i']);
    expect(wordsOf('a --b=1 <name> && c')).toEqual(['a', '--b=1', '<name>']);
  });
});

test('no command of the documentation makes Pulumi print secrets', () => {
  const lines = PAGES.flatMap((page) => read(page).split('\n'));
  expect(lines.filter((line) => /^\s*pulumi .*(\s-v\b|--logtostderr|--show-secrets)/.test(line))).toEqual([]);
});
