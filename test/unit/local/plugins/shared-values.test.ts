import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';
import {
  Asset,
  decode,
  encode,
  formatPath,
  hasSecret,
  hasUnknown,
  markSecrets,
  plain,
  redact,
  same,
  Secret,
  secretPaths,
  secretStrings,
  unknown,
  unknownPaths,
} from '../../../../local/plugins/shared/values';
import type { PropertyMap, PropertyValue } from '../../../../local/plugins/shared/values';

const SIGNATURE = '4dabf18193072939515e22adb298388d';
const wire = (value: PropertyMap): PropertyMap => decode(Struct.deserializeBinary(encode(value).serializeBinary()));
const fromWire = (value: Record<string, never> | object): PropertyMap =>
  decode(Struct.fromJavaScript(value as Parameters<typeof Struct.fromJavaScript>[0]));

const leaf = fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.string(), fc.constant(unknown));
const key = fc.string().filter((name) => name !== '__proto__' && name !== SIGNATURE);
const tree: fc.Arbitrary<PropertyMap> = fc.letrec<{ map: PropertyMap; value: PropertyValue }>((tie) => ({
  map: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    tie('map'),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('value').map((value) => new Secret(value)),
  ),
})).map;

/** Wrappers as data, so that a comparison sees inside secrets, which hide their value. */
const visible = (value: PropertyValue): unknown => {
  if (value instanceof Secret) return { secret: visible(value.reveal()) };
  if (value === unknown) return 'unknown';
  if (Array.isArray(value)) return (value as PropertyValue[]).map(visible);
  if (typeof value === 'object' && value !== null && !(value instanceof Asset)) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, visible(item as PropertyValue)]));
  }
  return value;
};

describe('encode and decode', () => {
  test('are inverse over the wire for any nesting of secrets and unknowns', () => {
    fc.assert(fc.property(tree, (value) => expect(visible(wire(value))).toEqual(visible(value))));
  });

  test('understand output values: known, unknown and secret', () => {
    const output = (fields: object): object => ({ [SIGNATURE]: 'd0e6a833031e9bbcd3f4e8bde6ca49a4', ...fields });
    const decoded = fromWire({
      a: output({ value: 1 }),
      b: output({}),
      c: output({ value: 's', secret: true }),
      d: output({ secret: true }),
    });
    expect(visible(decoded)).toEqual({ a: 1, b: 'unknown', c: { secret: 's' }, d: { secret: 'unknown' } });
  });

  test('take each kind of unknown sentinel for unknown, and a resource reference for its id', () => {
    const decoded = fromWire({
      list: '6a19a0b0-7e62-4c92-b797-7f8e31da9cc2',
      text: '04da6b54-80e4-46f7-96ec-b56ff0331ba9',
      resource: { [SIGNATURE]: '5cf8f73096256a8f31e491e813e4eb8e', urn: 'urn:x', id: 'the-id' },
    });
    expect(decoded).toEqual({ list: unknown, text: unknown, resource: 'the-id' });
  });

  test('keep an asset as it was sent', () => {
    const asset = { [SIGNATURE]: 'c44067f5952c0a294b673a41bacd8c17', hash: 'h', text: 'content' };
    const decoded = fromWire({ asset });
    expect(decoded['asset']).toBeInstanceOf(Asset);
    expect(encode(decoded).toJavaScript()).toEqual({ asset });
  });

  test('leave out keys without a value', () => {
    expect(encode({ a: undefined, b: null }).toJavaScript()).toEqual({ b: null });
  });
});

describe('secrets', () => {
  const value = { user: 'u', nested: { list: [new Secret('canary-1'), 2], map: new Secret({ deep: 'canary-2' }) } };

  test('never show in text, JSON or an inspection', () => {
    const shown = [`${new Secret('canary').toString()}`, JSON.stringify({ value }), inspect(value, { depth: 9 })];
    expect(shown.join('\n')).not.toContain('canary');
    expect(shown[1]).toContain('[secret]');
  });

  test('are found by path and revealed only on request', () => {
    expect(secretPaths(value).map(formatPath)).toEqual(['nested.list[0]', 'nested.map']);
    expect(secretStrings(value)).toEqual(['canary-1', 'canary-2']);
    expect(hasSecret(value)).toBe(true);
    expect(plain(value)).toEqual({ user: 'u', nested: { list: ['canary-1', 2], map: { deep: 'canary-2' } } });
  });

  test('are marked again in an answer that came back in plain', () => {
    const marked = markSecrets({ user: 'u', nested: { list: ['new', 2], map: { deep: 'x' } } }, value);
    expect(secretPaths(marked).map(formatPath)).toEqual(['nested.list[0]', 'nested.map']);
  });

  test('are cut out of a text, the longest first', () => {
    expect(redact('x abcdef y abcd z', ['abcd', 'abcdef'])).toBe('x [secret] y [secret] z');
  });
});

describe('unknowns', () => {
  test('are found inside lists, maps and secrets, and equal nothing', () => {
    const value = { a: [unknown], b: new Secret({ c: unknown }) };
    expect(unknownPaths(value).map(formatPath)).toEqual(['a[0]', 'b.c']);
    expect(hasUnknown(value)).toBe(true);
    expect(same(unknown, unknown)).toBe(false);
  });
});

test('same compares data, whether secret or not', () => {
  fc.assert(
    fc.property(
      tree.filter((value) => !hasUnknown(value)),
      (value) => same(value, plain(value)),
    ),
  );
  expect(same({ a: 1 }, { a: 1, b: undefined as never })).toBe(false);
  expect(same([1, 2], [2, 1])).toBe(false);
});

test('a path quotes what is no identifier', () => {
  expect(formatPath(['data', 'a.b', 0, 'c'])).toBe('data["a.b"][0].c');
});
