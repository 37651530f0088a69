import * as fs from 'node:fs';
import * as path from 'node:path';
import { Engine } from '../support/engine';

jest.setTimeout(180_000);

const TYPE = 'random:index/randomPassword:RandomPassword';

describe('the embedded random plugin under the real engine', () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await Engine.create();
  });
  afterEach(() => engine.dispose());

  const program = (body: string): void =>
    fs.writeFileSync(path.join(engine.folder, 'index.js'), `const random = require('@pulumi/random');\n${body}`);
  const password = (args: string, options = '{}'): string =>
    `const made = new random.RandomPassword('made', ${args}, ${options}); exports.result = made.result;`;
  const drawn = async (): Promise<string> =>
    (await engine.ok('stack', 'output', 'result', '--show-secrets')).stdout.trim();

  test('draws once, keeps it through refreshes, draws anew with its keepers, and shows it nowhere', async () => {
    program(password('{ length: 24, special: false, keepers: { generation: "1" } }'));
    const preview = await engine.ok('preview', '--diff');
    expect(preview.output).toMatch(/result *: \[(secret|unknown)\]|output<string>/);
    const created = await engine.up();
    const first = await drawn();
    expect(first).toMatch(/^[A-Za-z0-9]{24}$/);
    expect(await engine.steps()).toEqual([]);
    expect((await engine.ok('refresh', '--yes')).output).not.toMatch(/[~+-] +1 /);
    expect(await drawn()).toBe(first);

    program(password('{ length: 24, special: false, keepers: { generation: "2" } }'));
    const [step] = await engine.steps();
    expect(step).toMatchObject({ op: 'replace', detailedDiff: { keepers: { kind: 'update-replace' } } });
    const replaced = await engine.up();
    const second = await drawn();
    expect(second).not.toBe(first);

    for (const value of [first, second]) {
      expect(engine.filesWith(value)).toEqual([]);
      expect(preview.output + created.output + replaced.output).not.toContain(value);
    }
    await engine.ok('destroy', '--yes');
    expect((await engine.resources()).filter((resource) => resource.type === TYPE)).toEqual([]);
  });

  test('reports all that is wrong with a resource at preview, at once, and shows no value', async () => {
    program(
      `const pulumi = require('@pulumi/pulumi');
       new random.RandomPassword('made', { length: pulumi.secret('canary-length'), special: 'canary-special', minUpper: -1 });`,
    );
    const { code, output } = await engine.run('preview');
    expect(code).not.toBe(0);
    expect(output).toContain('length must be a whole number');
    expect(output).toContain('special must be true or false');
    expect(output).toContain('minUpper must be at least 0');
    expect(output).not.toContain('canary');
  });

  test('takes a password over by import, secret, and then changes nothing', async () => {
    program(password('{ length: 13 }', "{ import: 'hunter2-taken' }"));
    const up = await engine.up();
    expect(await drawn()).toBe('hunter2-taken');
    const state = (await engine.resources()).find((resource) => resource.type === TYPE);
    expect(state?.id).toBe('none');
    expect(JSON.stringify([state?.inputs, state?.outputs])).not.toContain('hunter2-taken');
    expect(up.output).not.toMatch(/"hunter2-taken"/);
    program(password('{ length: 13 }'));
    expect(await engine.steps()).toEqual([]);
  });
});
