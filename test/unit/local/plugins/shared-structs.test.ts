import { createContext, runInContext } from 'node:vm';
import * as fc from 'fast-check';
import type * as structs from 'google-protobuf/google/protobuf/struct_pb';

import { SPEED_UP_STRUCTS, speedUpStructs } from '../../../../local/plugins/shared/structs';

type Structs = typeof structs;
type Fields = Record<string, structs.JavaScriptValue>;

/** A copy of Google's package that nobody has changed. */
const google = (): Structs => {
  let copy: Structs | undefined;
  jest.isolateModules(() => {
    copy = jest.requireActual<Structs>('google-protobuf/google/protobuf/struct_pb');
  });
  return copy as Structs;
};
const slow = google();
const fast = google();
speedUpStructs(fast);

/** `__proto__` aside, which Google's swallows. */
const fields = fc.dictionary(
  fc.string({ unit: 'binary' }).filter((key) => key !== '__proto__'),
  fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }),
) as fc.Arbitrary<Fields>;
const read = ({ Struct }: Structs, bytes: Uint8Array): Fields => Struct.deserializeBinary(bytes).toJavaScript();
const write = ({ Struct }: Structs, value: Fields): Uint8Array => Struct.fromJavaScript(value).serializeBinary();

describe('a Struct with the short way', () => {
  test('reads what Google’s writes, as Google’s reads it, keys in the same order', () => {
    fc.assert(
      fc.property(fields, (value) => {
        const bytes = write(slow, value);
        expect(JSON.stringify(read(fast, bytes))).toBe(JSON.stringify(read(slow, bytes)));
      }),
    );
  });

  test('writes what Google’s reads back', () => {
    fc.assert(
      fc.property(fields, (value) => expect(read(slow, write(fast, value))).toEqual(read(slow, write(slow, value)))),
    );
  });

  test('reads keys in their order, in whatever order they come, and what follows a value that it does not know', () => {
    const { Struct, Value } = slow;
    const one = (key: string, value: structs.Value): number[] => {
      const struct = new Struct();
      struct.getFieldsMap().set(key, value);
      return [...struct.serializeBinary()];
    };
    // Field 9, a number: of a version that is to come.
    const [b, a] = [one('b', Value.fromJavaScript(1)), one('a', Value.fromJavaScript([null]))];
    const bytes = new Uint8Array([...b, 0x48, 1, ...a]);
    expect(JSON.stringify(read(fast, bytes))).toBe('{"a":[null],"b":1}');
  });

  test('keeps a key that assignment would swallow', () => {
    const value = JSON.parse('{"__proto__":{"a":1}}') as Fields;
    expect(JSON.stringify(read(fast, write(fast, value)))).toBe('{"__proto__":{"a":1}}');
  });

  test('holds a copy: what happens to the object later changes nothing, and neither does what is done with its fields', () => {
    const value = { list: [1], map: { a: 'b' } };
    const struct = fast.Struct.fromJavaScript(value);
    value.list.push(2);
    const out = struct.toJavaScript() as typeof value;
    out.map.a = 'c';
    expect(struct.toJavaScript()).toEqual({ list: [1], map: { a: 'b' } });
  });

  test('is Google’s once its fields are asked for, and what is set there is written', () => {
    const struct = fast.Struct.deserializeBinary(write(slow, { list: [1, { deep: true }], map: { a: 'b' } }));
    expect(struct.getFieldsMap().get('list')?.getListValue()?.toJavaScript()).toEqual([1, { deep: true }]);
    struct.getFieldsMap().set('more', fast.Value.fromJavaScript({ x: null }));
    const whole = { list: [1, { deep: true }], map: { a: 'b' }, more: { x: null } };
    expect(struct.toJavaScript()).toEqual(whole);
    expect(read(slow, struct.serializeBinary())).toEqual(whole);
    expect(new fast.Struct().serializeBinary()).toHaveLength(0);
  });

  test('refuses what a Struct can’t hold, as Google’s does', () => {
    for (const value of [undefined, () => 1, 1n, Symbol('s')]) {
      const bad = { list: [value] } as unknown as Fields;
      for (const { Struct } of [slow, fast])
        expect(() => Struct.fromJavaScript(bad)).toThrow('Unexpected struct type.');
    }
  });

  test('comes of its text alone too, once for any number of times', () => {
    const copy = google();
    const context = createContext({ structs: copy, Object, Symbol });
    for (let i = 0; i < 2; i += 1) runInContext(`{ ${SPEED_UP_STRUCTS}\nspeedUpStructs(structs); }`, context);
    const written = (of: Structs): unknown => Reflect.get(of.Struct, 'fromJavaScript');
    const once = written(copy);
    speedUpStructs(copy);
    expect(written(copy)).toBe(once);
    expect(String(once)).not.toBe(String(written(slow)));
    const value = { a: [1, 'x', { b: null }], c: { d: false } };
    expect(read(copy, write(copy, value))).toEqual(value);
  });
});
