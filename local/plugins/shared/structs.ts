import type * as structs from 'google-protobuf/google/protobuf/struct_pb';

/** What is used of Google's reader, which has a `Message` where any object will do. */
interface Reader {
  nextField(): boolean;
  isEndGroup(): boolean;
  getFieldNumber(): number;
  skipField(): void;
  readMessage<T>(target: T, read: (target: T, reader: Reader) => void): void;
  readEnum(): number;
  readDouble(): number;
  readString(): string;
  readBool(): boolean;
}

/** What is used of Google's writer. */
interface Writer {
  writeMessage<T>(field: number, source: T, write: (source: T, writer: Writer) => void): void;
  writeEnum(field: number, value: number): void;
  writeDouble(field: number, value: number): void;
  writeString(field: number, value: string): void;
  writeBool(field: number, value: boolean): void;
}

type Fields = Record<string, unknown>;
interface Entry {
  key: string;
  value: unknown;
}

/** Sets a key that may be `__proto__`, which plain assignment would swallow. */
export function putField(target: Fields, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

/** In the order of their keys, as Google's: the engine sends them in any. */
function readFields(target: Fields, reader: Reader): void {
  const entries: Entry[] = [];
  while (reader.nextField() && !reader.isEndGroup()) {
    if (reader.getFieldNumber() !== 1) {
      reader.skipField();
      continue;
    }
    const entry: Entry = { key: '', value: null };
    reader.readMessage(entry, readEntry);
    entries.push(entry);
  }
  entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const { key, value } of entries) putField(target, key, value);
}

function readEntry(entry: Entry, reader: Reader): void {
  while (reader.nextField() && !reader.isEndGroup()) {
    const field = reader.getFieldNumber();
    if (field === 1) entry.key = reader.readString();
    else if (field === 2) reader.readMessage(entry, readStructValue);
    else reader.skipField();
  }
}

function readItems(items: unknown[], reader: Reader): void {
  while (reader.nextField() && !reader.isEndGroup()) {
    const item: Entry = { key: '', value: null };
    if (reader.getFieldNumber() === 1) reader.readMessage(item, readStructValue);
    else reader.skipField();
    items.push(item.value);
  }
}

function readStructValue(target: Entry, reader: Reader): void {
  while (reader.nextField() && !reader.isEndGroup()) {
    switch (reader.getFieldNumber()) {
      case 1:
        reader.readEnum();
        target.value = null;
        break;
      case 2:
        target.value = reader.readDouble();
        break;
      case 3:
        target.value = reader.readString();
        break;
      case 4:
        target.value = reader.readBool();
        break;
      case 5:
        target.value = {};
        reader.readMessage(target.value as Fields, readFields);
        break;
      case 6:
        target.value = [];
        reader.readMessage(target.value as unknown[], readItems);
        break;
      default:
        reader.skipField();
    }
  }
}

function writeFields(fields: Fields, writer: Writer): void {
  for (const key of Object.keys(fields)) writer.writeMessage(1, { key, value: fields[key] }, writeEntry);
}

function writeEntry(entry: Entry, writer: Writer): void {
  writer.writeString(1, entry.key);
  writer.writeMessage(2, entry, writeStructValue);
}

function writeItems(items: readonly unknown[], writer: Writer): void {
  for (const value of items) writer.writeMessage(1, { key: '', value }, writeStructValue);
}

function writeStructValue({ value }: Entry, writer: Writer): void {
  if (value === null) writer.writeEnum(1, 0);
  else if (typeof value === 'number') writer.writeDouble(2, value);
  else if (typeof value === 'string') writer.writeString(3, value);
  else if (typeof value === 'boolean') writer.writeBool(4, value);
  else if (Array.isArray(value)) writer.writeMessage(6, value, writeItems);
  else writer.writeMessage(5, value as Fields, writeFields);
}

/** A copy of what a Struct can hold. @throws Google's error for anything else */
function copyOf(value: unknown): unknown {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== 'object') throw new TypeError('Unexpected struct type.');
  const copy: Fields = {};
  for (const key in value) putField(copy, key, copyOf((value as Fields)[key]));
  return copy;
}

type Structs = Pick<typeof structs, 'Struct' | 'Value'>;

/**
 * Gives Google's `Struct`, in which properties travel between engine, programs and providers, a short way between JavaScript and its binary
 * form. Google's own makes an object of each value and walks through all that is in it whenever one is put into another: it takes fifteen times
 * as long to write a Deployment and eight times to read it (docs/performance.md). A Struct whose fields are asked for becomes Google's. What
 * copies or compares whole messages, as neither the SDK nor a plugin does, would miss the fields of one that isn't.
 */
export function speedUpStructs({ Struct, Value }: Structs): void {
  // One for all copies of this text.
  const FIELDS = Symbol.for('trellis.struct-fields');
  type Own = structs.Struct & { [FIELDS]?: Fields | undefined };
  const { prototype } = Struct;
  if (FIELDS in prototype) return;
  Object.defineProperty(prototype, FIELDS, { value: undefined, writable: true });
  const write = Struct.serializeBinaryToWriter.bind(Struct);
  /* oxlint-disable-next-line typescript/unbound-method -- each is called with its Struct */
  const { toJavaScript, getFieldsMap } = prototype;
  const hold = (struct: Own, fields: Fields): Own =>
    Object.defineProperty(struct, FIELDS, { value: fields, writable: true });

  Struct.fromJavaScript = (value) => hold(new Struct(), copyOf(value) as Fields);
  prototype.toJavaScript = function (this: Own) {
    const fields = this[FIELDS];
    if (fields === undefined) return toJavaScript.call(this);
    return copyOf(fields) as ReturnType<typeof toJavaScript>;
  };
  Struct.deserializeBinaryFromReader = (struct: Own, reader) => {
    const fields: Fields = {};
    readFields(fields, reader);
    return hold(struct, fields);
  };
  Struct.serializeBinaryToWriter = (struct: Own, writer) => {
    const fields = struct[FIELDS];
    if (fields === undefined) write(struct, writer);
    else writeFields(fields, writer);
  };
  prototype.getFieldsMap = function (this: Own, ...lazily: []) {
    const fields = this[FIELDS];
    this[FIELDS] = undefined;
    const map = getFieldsMap.apply(this, lazily);
    for (const [key, value] of Object.entries(fields ?? {}))
      getFieldsMap.call(this).set(key, Value.fromJavaScript(value as structs.JavaScriptValue));
    return map ?? getFieldsMap.apply(this, lazily);
  };
}

/** The same as the text of a function, for a program that has a Google's of its own. */
export const SPEED_UP_STRUCTS = [
  ...[putField, readFields, readEntry, readItems, readStructValue],
  ...[writeFields, writeEntry, writeItems, writeStructValue, copyOf, speedUpStructs],
]
  .map(String)
  .join('\n');
