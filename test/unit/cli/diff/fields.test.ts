import fc from 'fast-check';
import { fieldChanges } from '../../../../cli/diff/fields';

const changes = (left: unknown, right: unknown, same: (a: string, b: string) => boolean = () => false): unknown =>
  fieldChanges(left, right, same).map(({ field, ...sides }) => [field, sides]);

test('a field that differs is named by its path, one that only one side has comes whole', () => {
  expect(changes({ a: { b: 1, c: true } }, { a: { b: 2, d: { e: [] } } })).toEqual([
    ['a.b', { left: 1, right: 2 }],
    ['a.c', { left: true }],
    ['a.d', { right: { e: [] } }],
  ]);
});

test('null is a value of its own', () => {
  expect(changes({ a: null }, {})).toEqual([['a', { left: null }]]);
  expect(changes({ a: null }, { a: null })).toEqual([]);
});

test('a key with dots cannot be mistaken for a path', () => {
  expect(changes({ 'app.io/name': 'x' }, { 'app.io/name': 'y' })).toEqual([
    ["['app.io/name']", { left: 'x', right: 'y' }],
  ]);
});

test('items of a list are told apart by name, wherever they stand', () => {
  const env = (...names: readonly string[]) => ({ env: names.map((name) => ({ name, value: `${name}1` })) });
  expect(changes(env('A', 'B'), env('C', 'B', 'A'))).toEqual([['env[C]', { right: { name: 'C', value: 'C1' } }]]);
});

test('mounts of one volume are told apart by where they are', () => {
  const mounts = (readOnly: boolean) => [
    { name: 'data', mountPath: '/a' },
    { name: 'data', mountPath: '/b', readOnly },
  ];
  expect(changes(mounts(true), mounts(false))).toEqual([['[/b].readOnly', { left: true, right: false }]]);
});

test('lists of one length without a common name are compared by position', () => {
  expect(changes([{ host: 'a', n: 1 }], [{ host: 'b', n: 1 }])).toEqual([['[0].host', { left: 'a', right: 'b' }]]);
  expect(changes(['-n', '1'], ['-n', '9'])).toEqual([['[1]', { left: '1', right: '9' }]]);
});

test('of a longer list of texts those count that are more', () => {
  expect(changes(['a', 'b', 'b'], ['b', 'c'])).toEqual([
    ['[]', { left: 'a' }],
    ['[]', { left: 'b' }],
    ['[]', { right: 'c' }],
  ]);
});

test('of a text of several lines only the lines that differ come', () => {
  expect(changes({ conf: 'a\nb\nc\nd\n' }, { conf: 'a\nB\nc\nx\nd\n' })).toEqual([
    ['conf line 2', { left: 'b', right: 'B' }],
    ['conf line 4', { right: 'x' }],
  ]);
});

test('texts that stand for each other are the same, in lists and in lines too', () => {
  const same = (left: string, right: string): boolean => left.replace('dev', 'prod') === right;
  expect(
    changes({ a: 'dev', b: ['x', 'dev'], c: 'l\ndev\n' }, { a: 'prod', b: ['prod', 'x', 'y'], c: 'l\nprod\n' }, same),
  ).toEqual([['b[]', { right: 'y' }]]);
});

describe('whatever the values', () => {
  const json = fc.jsonValue({ maxDepth: 4 });

  test('a value does not differ from itself', () => {
    fc.assert(fc.property(json, (value) => expect(changes(value, structuredClone(value))).toEqual([])));
  });

  test('no difference is found exactly where there is none', () => {
    fc.assert(
      fc.property(json, json, (left, right) => {
        const equal = canonical(left) === canonical(right);
        expect(fieldChanges({ left }, { left: right }, () => false).length === 0).toBe(equal);
      }),
    );
  });

  test('backwards the same fields differ as often', () => {
    const sides = fc.tuple(json, json);
    fc.assert(
      fc.property(sides, ([left, right]) => {
        const forth = fieldChanges(left, right, () => false);
        const back = fieldChanges(right, left, () => false);
        expect(back.length > 0).toBe(forth.length > 0);
      }),
    );
  });
});

/** Equal for values that mean the same: keys in any order, items that have names in any order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(Object.is(value, -0) ? '-0' : value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}
