import { compareSync } from 'bcryptjs';
import * as fc from 'fast-check';
import { byteForms, randomString, seeded, shuffled, shuffleList } from '../../../../local/plugins/random/generate';
import { kinds } from '../../../../local/plugins/random/kinds';
import { randomProvider } from '../../../../local/plugins/random/provider';
import type {
  CheckResponse,
  Context,
  CreateResponse,
  DiffResponse,
  ReadResponse,
} from '../../../../local/plugins/shared/provider';
import { plain, secretPaths, unknown } from '../../../../local/plugins/shared/values';
import type { PropertyMap, Secret } from '../../../../local/plugins/shared/values';

const token = (name: string): string => `random:index/${name[0]?.toLowerCase()}${name.slice(1)}:${name}`;
const context = (name: string): Context => ({
  urn: `urn:pulumi:dev::p::${token(name)}::it`,
  type: token(name),
  name: 'it',
  signal: new AbortController().signal,
  log: () => undefined,
});
const check = (name: string, news: PropertyMap): CheckResponse =>
  randomProvider.check?.({ news, olds: {}, randomSeed: new Uint8Array() }, context(name)) as CheckResponse;
const create = async (name: string, inputs: PropertyMap, preview = false): Promise<CreateResponse> =>
  (await randomProvider.create?.({ inputs, preview, timeout: 0 }, context(name))) as CreateResponse;
const diff = (name: string, olds: PropertyMap, news: PropertyMap, ignoreChanges: string[] = []): DiffResponse =>
  randomProvider.diff?.({ id: 'x', olds, oldInputs: {}, news, ignoreChanges }, context(name)) as DiffResponse;
const read = async (name: string, id: string, state: PropertyMap = {}): Promise<ReadResponse> =>
  (await randomProvider.read?.({ id, state, inputs: {} }, context(name))) as ReadResponse;

describe('a random string', () => {
  const options = fc
    .record({
      mins: fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5), fc.nat(5)),
      extra: fc.integer({ min: 1, max: 20 }),
      flags: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()).filter((flags) => flags.some(Boolean)),
      overrideSpecial: fc.constantFrom('', '_-', '€£'),
    })
    .map(
      ({
        mins: [minUpper, minLower, minNumeric, minSpecial],
        extra,
        flags: [upper, lower, numeric, special],
        overrideSpecial,
      }) => ({
        length: minUpper + minLower + minNumeric + minSpecial + extra,
        ...{ minUpper, minLower, minNumeric, minSpecial, upper, lower, numeric, special, overrideSpecial },
      }),
    );

  test('has its length, its minimums, and nothing of a class that is off beyond its minimum', () => {
    fc.assert(
      fc.property(options, (given) => {
        const characters = Array.from(randomString(given));
        const count = (expression: RegExp): number =>
          characters.filter((character) => expression.test(character)).length;
        const classes = [
          [/[A-Z]/, given.upper, given.minUpper],
          [/[a-z]/, given.lower, given.minLower],
          [/[0-9]/, given.numeric, given.minNumeric],
          [
            given.overrideSpecial === '' ? /[^A-Za-z0-9]/ : new RegExp(`[${given.overrideSpecial}]`),
            given.special,
            given.minSpecial,
          ],
        ] as const;
        expect(characters).toHaveLength(given.length);
        for (const [expression, enabled, minimum] of classes) {
          expect(count(expression)).toBeGreaterThanOrEqual(minimum);
          if (!enabled) expect(count(expression)).toBe(minimum);
        }
      }),
    );
  });

  test('uses every character about equally often', () => {
    const options = { upper: false, lower: false, numeric: true, special: false, overrideSpecial: '' };
    const text = randomString({ ...options, length: 20_000, minUpper: 0, minLower: 0, minNumeric: 0, minSpecial: 0 });
    // 2000 expected each, standard deviation 42: eight deviations are never reached by chance.
    for (const digit of '0123456789') expect(Math.abs(text.split(digit).length - 1 - 2000)).toBeLessThan(340);
  });
});

test('a seed always gives the same order, and another seed another', () => {
  const items = Array.from({ length: 20 }, (_, index) => String(index));
  expect(shuffled(items, seeded('a'))).toEqual(shuffled(items, seeded('a')));
  expect(shuffled(items, seeded('a'))).not.toEqual(shuffled(items, seeded('b')));
  expect(shuffleList(items, 45, seeded('a'))).toHaveLength(45);
  expect(new Set(shuffleList(items, 20, seeded('a'))).size).toBe(20);
});

test('bytes in all forms of the vendor', () => {
  expect(byteForms(Buffer.from([255, 250, 0]))).toEqual({
    base64: '//oA',
    base64url: '__oA',
    hex: 'fffa00',
    decimal: '16775680',
  });
});

describe('check', () => {
  test.each<[string, PropertyMap, string[]]>([
    ['RandomPassword', {}, ['length is required']],
    ['RandomPassword', { length: 0 }, ['length must be at least 1']],
    [
      'RandomPassword',
      { length: 1.5, special: 'yes' },
      ['length must be a whole number', 'special must be true or false'],
    ],
    [
      'RandomPassword',
      { length: 3, minUpper: 2, minLower: 2 },
      ['length must be at least minUpper + minLower + minNumeric + minSpecial = 4'],
    ],
    [
      'RandomPassword',
      { length: 8, upper: false, lower: false, numeric: false, special: false },
      ['at least one of upper, lower, numeric and special must be true'],
    ],
    ['RandomPassword', { length: 8, number: false, numeric: true }, ['number contradicts numeric; set numeric only']],
    [
      'RandomPassword',
      { length: 8, lenght: 9, minUpper: -1 },
      ['minUpper must be at least 0', 'lenght is not a property of this resource'],
    ],
    ['RandomString', { length: 1e9 }, ['length must be at most 65536']],
    ['RandomInteger', { min: 5, max: 4 }, ['min must not be greater than max']],
    ['RandomInteger', { min: 0, max: 2 ** 50 }, ['max must be less than 2^48 - 1 above min']],
    ['RandomShuffle', { inputs: ['a', 1] }, ['inputs must be a list of strings']],
    ['RandomId', { byteLength: 4, keepers: { a: 1 } }, ['keepers must be an object whose values are strings']],
  ])('%s %j is refused with everything that is wrong', (name, inputs, reasons) => {
    expect(check(name, inputs).failures?.map((failure) => failure.reason)).toEqual(reasons);
  });

  test('shows no value of a refused input, since it may be secret', () => {
    expect(JSON.stringify(check('RandomPassword', { length: 'canary', keepers: 'canary' }).failures)).not.toContain(
      'canary',
    );
  });

  test('lets unknown inputs pass', () => {
    expect(check('RandomPassword', { length: unknown, minUpper: 3, keepers: { a: unknown } }).failures).toEqual([]);
  });

  test('every type and only those is served; another is refused by name', () => {
    expect(Object.keys(kinds).every((type) => type === token(type.split(':')[2] ?? ''))).toBe(true);
    expect(() => check('RandomUuid7', {})).toThrow(/randomUuid7:RandomUuid7.*pulumi plugin install resource random/s);
  });
});

describe('create', () => {
  test('a password is secret, its hash fits, and its state is the vendor’s', async () => {
    const { id, outputs } = await create('RandomPassword', { length: 100, special: false });
    const { result, bcryptHash, ...rest } = plain(outputs) as Record<string, string>;
    expect(id).toBe('none');
    expect(secretPaths(outputs)).toEqual([['result'], ['bcryptHash']]);
    expect(result).toMatch(/^[A-Za-z0-9]{100}$/);
    expect(bcryptHash).toMatch(/^\$2[aby]\$10\$/);
    // bcrypt reads 72 bytes, in the vendor's plugin too.
    expect(compareSync(result?.slice(0, 72) ?? '', bcryptHash ?? '')).toBe(true);
    expect(rest).toEqual({
      ...{ length: 100, lower: true, upper: true, special: false, number: true, numeric: true },
      ...{ minLower: 0, minUpper: 0, minNumeric: 0, minSpecial: 0, __meta: '{"schema_version":"3"}' },
    });
  });

  test('a preview draws nothing: results are unknown, secrets among them', async () => {
    const { id, outputs } = await create('RandomPassword', { length: 12 }, true);
    expect(id).toBe('');
    expect((outputs['result'] as Secret).reveal()).toBe(unknown);
    expect((await create('RandomId', { byteLength: 2 }, true)).outputs['hex']).toBe(unknown);
  });

  test.each<[string, PropertyMap, RegExp]>([
    ['RandomString', { length: 10, numeric: false }, /^\D{10}$/],
    ['RandomId', { byteLength: 6 }, /^[\w-]{8}$/],
    ['RandomBytes', { length: 3 }, /^none$/],
    ['RandomUuid', {}, /^[0-9a-f]{8}-[0-9a-f]{4}-4/],
    ['RandomInteger', { min: 7, max: 7 }, /^7$/],
    ['RandomPet', { length: 3, prefix: 'my', separator: '.' }, /^my\.[a-z]+\.[a-z]+\.[a-z]+$/],
    ['RandomShuffle', { inputs: ['a', 'b'], resultCount: 5 }, /^-$/],
  ])('%s %j has the vendor’s kind of id', async (name, inputs, id) => {
    expect((await create(name, inputs)).id).toMatch(id);
  });

  test('random bytes are secret; a prefix is in every form of an id', async () => {
    expect(secretPaths((await create('RandomBytes', { length: 3 })).outputs)).toEqual([['base64'], ['hex']]);
    const { outputs } = await create('RandomId', { byteLength: 1, prefix: 'p-' });
    expect(['hex', 'dec', 'b64Std', 'b64Url'].every((form) => /^p-/.test(outputs[form] as string))).toBe(true);
  });
});

describe('diff', () => {
  const state = { length: 12, special: true, upper: true, result: 'x', numeric: true, number: true, minUpper: 0 };
  test('defaults that are left out are no change', () => {
    expect(diff('RandomPassword', state, { length: 12 })).toMatchObject({ changes: false, replaces: [] });
    expect(diff('RandomPassword', state, { length: 12, overrideSpecial: '', keepers: {} }).changes).toBe(false);
  });
  test('every changed input draws anew, and one that is ignored does not', () => {
    expect(diff('RandomPassword', state, { length: 13, special: false }).detailed).toEqual({
      length: 'update-replace',
      special: 'update-replace',
    });
    expect(diff('RandomPassword', state, { length: 13 }, ['length']).changes).toBe(false);
  });
  test('keepers: a changed or unknown value draws anew, an empty one keeps nothing', () => {
    const kept = { ...state, keepers: { a: '1' } };
    expect(diff('RandomPassword', kept, { length: 12, keepers: { a: '1', b: null } }).changes).toBe(false);
    expect(diff('RandomPassword', kept, { length: 12, keepers: { a: '2' } }).replaces).toEqual(['keepers']);
    expect(diff('RandomPassword', kept, { length: 12, keepers: { a: unknown } }).replaces).toEqual(['keepers']);
  });
});

describe('read', () => {
  test('a refresh finds what is in state, and keeps it secret', async () => {
    const answer = await read('RandomPassword', 'none', { result: 'canary', bcryptHash: 'h', length: 6 });
    expect(answer.id).toBe('none');
    expect(secretPaths(answer.outputs)).toEqual([['result'], ['bcryptHash']]);
  });

  test.each<[string, string, string, PropertyMap]>([
    ['RandomPassword', 'hunter22', 'none', { length: 8 }],
    ['RandomString', 'abc', 'abc', { length: 3 }],
    ['RandomId', 'pre,__oA', '__oA', { byteLength: 3, prefix: 'pre' }],
    ['RandomBytes', '//oA', 'none', { length: 3 }],
    ['RandomInteger', '15,1,50,s', '15', { min: 1, max: 50, seed: 's' }],
    ['RandomUuid', 'aabbccdd-eeff-0011-2233-445566778899', 'aabbccdd-eeff-0011-2233-445566778899', {}],
  ])('%s is imported from %s, and its inputs then change nothing', async (name, given, id, inputs) => {
    const answer = await read(name, given);
    expect([answer.id, answer.inputs]).toEqual([id, inputs]);
    expect(diff(name, answer.outputs, inputs).changes).toBe(false);
  });

  test.each([
    ['RandomId', 'not base64!'],
    ['RandomInteger', '1,2'],
    ['RandomUuid', 'x'],
    ['RandomPet', 'happy-dog'],
    ['RandomShuffle', '-'],
  ])('%s refuses to import %s', async (name, given) => {
    await expect(read(name, given)).rejects.toThrow();
  });
});
