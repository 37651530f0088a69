import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { bundle, keptFolder, keyOf } from '../../../local/kept';

let parent: string;
beforeEach(() => {
  parent = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-kept-')), 'kept');
});
afterEach(() => fs.rmSync(path.dirname(parent), { recursive: true }));

const HOUR_MS = 3_600_000;
const write = (draft: string): void => fs.writeFileSync(path.join(draft, 'made'), draft);
/** An entry as a run that ended some hours ago left it. */
function left(name: string, hours: number): void {
  const folder = path.join(parent, name);
  fs.mkdirSync(folder, { recursive: true });
  const then = new Date(Date.now() - hours * HOUR_MS);
  fs.utimesSync(folder, then, then);
}

describe('a key', () => {
  test('is of all sources, each by itself', () => {
    expect(keyOf('a', 'b')).toMatch(/^[0-9a-f]{16}$/);
    expect(keyOf('a', 'b')).toBe(keyOf('a', Buffer.from('b')));
    expect(new Set([keyOf('a', 'b'), keyOf('b', 'a'), keyOf('ab'), keyOf('a', 'b', '')]).size).toBe(4);
  });
});

describe('a kept folder', () => {
  test('is made once', async () => {
    const make = jest.fn(write);
    const folder = await keptFolder({ parent, key: 'k', make });
    expect(folder).toBe(path.join(parent, 'k'));
    expect(fs.readdirSync(folder)).toEqual(['made']);
    expect(await keptFolder({ parent, key: 'k', make })).toBe(folder);
    expect(make).toHaveBeenCalledTimes(1);
  });

  test('is whole when two make it at once, and nothing is left beside it', async () => {
    let [waiting, go] = [0, (): void => undefined];
    const both = new Promise<void>((resolve) => (go = resolve));
    const make = async (draft: string): Promise<void> => {
      if (++waiting === 2) go();
      await both;
      write(draft);
    };
    const kept = { parent, key: 'k', make };
    const [one, other] = await Promise.all([keptFolder(kept), keptFolder(kept)]);
    expect(one).toBe(other);
    expect(waiting).toBe(2);
    expect(fs.readdirSync(parent)).toEqual(['k']);
    expect(fs.readdirSync(one)).toEqual(['made']);
  });

  test('that can’t be made leaves nothing, and is tried again', async () => {
    const fail = (draft: string): never => {
      write(draft);
      throw new RangeError('no');
    };
    await expect(keptFolder({ parent, key: 'k', make: fail })).rejects.toThrow(new RangeError('no'));
    expect(fs.readdirSync(parent)).toEqual([]);
    await keptFolder({ parent, key: 'k', make: write });
    expect(fs.readdirSync(parent)).toEqual(['k']);
  });

  test('takes the place of others at once; a draft stays a day, since another run may be at it', async () => {
    left('old', 0);
    left('.draft-now', 23);
    left('.draft-killed', 25);
    await keptFolder({ parent, key: 'k', make: write });
    expect(fs.readdirSync(parent).sort()).toEqual(['.draft-now', 'k']);
  });

  test('leaves those that may be in use for as long as it is told', async () => {
    left('used', 1);
    left('old', 3);
    await keptFolder({ parent, key: 'k', make: write, keepMs: 2 * HOUR_MS });
    expect(fs.readdirSync(parent).sort()).toEqual(['k', 'used']);
  });
});

describe('a bundle', () => {
  test('is one file that runs', async () => {
    const outfile = path.join(parent, 'out.js');
    await bundle('It', { stdin: { contents: 'export const two: number = 1 + 1;', loader: 'ts' }, outfile });
    expect(jest.requireActual(outfile)).toMatchObject({ two: 2 });
  });

  test('that doesn’t build is an error with its name, the place and what to do', async () => {
    const stdin = { contents: '\nconst = 1;', sourcefile: 'source.ts' };
    await expect(bundle('It', { stdin, outfile: path.join(parent, 'out.js') })).rejects.toThrow(
      /^It could not be bundled: .*source\.ts:2:6.*To mend it: npm ci/s,
    );
    expect(fs.existsSync(parent)).toBe(false);
  });
});
