import { ValidationError } from './errors';

/** What the header of a GGUF file says; the weights themselves are not looked at. */
export interface GgufHeader {
  /** Figures and texts by key; of an array its figures, or the number of its texts. */
  readonly metadata: ReadonlyMap<string, GgufMetadata>;
  /** Bytes of all tensors; nothing where one has a type that is not known here. */
  readonly tensorBytes: number | undefined;
  /** Figures of all tensors. */
  readonly parameters: number;
}

/** One value of the metadata; `texts` is how many texts an array has. */
export type GgufMetadata = number | boolean | string | readonly number[] | { readonly texts: number };

/** Bytes and figures of a block of each tensor type, from ggml's own table (`ggml.h`, `ggml-common.h`). */
const BLOCKS: ReadonlyMap<number, readonly [bytes: number, figures: number]> = new Map([
  ...([
    [0, [4, 1]],
    [1, [2, 1]],
    [2, [18, 32]],
    [3, [20, 32]],
    [6, [22, 32]],
    [7, [24, 32]],
    [8, [34, 32]],
  ] as const),
  ...([
    [10, [84, 256]],
    [11, [110, 256]],
    [12, [144, 256]],
    [13, [176, 256]],
    [14, [210, 256]],
  ] as const),
  ...([
    [16, [66, 256]],
    [17, [74, 256]],
    [18, [98, 256]],
    [19, [50, 256]],
    [20, [18, 32]],
    [21, [110, 256]],
  ] as const),
  ...([
    [22, [82, 256]],
    [23, [136, 256]],
    [24, [1, 1]],
    [25, [2, 1]],
    [26, [4, 1]],
    [27, [8, 1]],
    [28, [8, 1]],
  ] as const),
  ...([
    [29, [56, 256]],
    [30, [2, 1]],
    [34, [54, 256]],
    [35, [66, 256]],
    [39, [17, 32]],
  ] as const),
]);

const STRING = 8;
const ARRAY = 9;
/** More entries than any model has: what claims to is damaged. */
const MOST = 10_000_000;

/** Reads little-endian figures one after the other. */
class Cursor {
  private readonly view: DataView;
  private offset = 0;

  public constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  public uint32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  public uint64(): number {
    const value = this.view.getBigUint64(this.take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`a length of ${value} at byte ${this.offset - 8}`);
    return Number(value);
  }

  /** A count of things that follow. */
  public count(what: string): number {
    const value = this.uint64();
    if (value > MOST) throw malformed(`${value} ${what}`);
    return value;
  }

  public text(): string {
    const length = this.uint64();
    const start = this.take(length);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString('utf8');
  }

  /** A figure of one of the format's types; nothing for a type that is none. */
  public figure(type: number): number | boolean | undefined {
    switch (type) {
      case 0:
        return this.view.getUint8(this.take(1));
      case 1:
        return this.view.getInt8(this.take(1));
      case 2:
        return this.view.getUint16(this.take(2), true);
      case 3:
        return this.view.getInt16(this.take(2), true);
      case 4:
        return this.uint32();
      case 5:
        return this.view.getInt32(this.take(4), true);
      case 6:
        return this.view.getFloat32(this.take(4), true);
      case 7:
        return this.view.getUint8(this.take(1)) !== 0;
      case 10:
        return this.uint64();
      case 11:
        return Number(this.view.getBigInt64(this.take(8), true));
      case 12:
        return this.view.getFloat64(this.take(8), true);
      default:
        return undefined;
    }
  }

  private take(length: number): number {
    const start = this.offset;
    if (start + length > this.bytes.byteLength) {
      throw malformed(
        `it goes on after the ${this.bytes.byteLength} bytes that were given; the header of a large vocabulary has some 20 MB`,
      );
    }
    this.offset += length;
    return start;
  }
}

const malformed = (what: string): ValidationError => new ValidationError('GGUF header', [`cannot be read: ${what}`]);

/**
 * Reads the header of a GGUF file of version 2 or 3.
 * @param bytes the file, or so much from its beginning that the header is whole
 * @throws ValidationError where the bytes are no such header, or end before it does
 */
export function readGgufHeader(bytes: Uint8Array): GgufHeader {
  const cursor = new Cursor(bytes);
  if (cursor.uint32() !== 0x46554747) throw malformed("it does not begin with 'GGUF'");
  const version = cursor.uint32();
  if (version !== 2 && version !== 3) throw malformed(`version ${version}, only 2 and 3 in little-endian are known`);
  const tensors = cursor.count('tensors');
  const entries = cursor.count('entries of metadata');
  const metadata = new Map<string, GgufMetadata>();
  for (let entry = 0; entry < entries; entry++) {
    const key = cursor.text();
    metadata.set(key, readValue(cursor, key));
  }
  return { metadata, ...readTensors(cursor, tensors) };
}

function readValue(cursor: Cursor, key: string): GgufMetadata {
  const type = cursor.uint32();
  if (type === STRING) return cursor.text();
  if (type === ARRAY) return readArray(cursor, key);
  const figure = cursor.figure(type);
  if (figure === undefined) throw malformed(`'${key}' has the type ${type}, which there is not`);
  return figure;
}

function readArray(cursor: Cursor, key: string): GgufMetadata {
  const type = cursor.uint32();
  const length = cursor.count(`items of '${key}'`);
  if (type === STRING) {
    for (let item = 0; item < length; item++) cursor.text();
    return { texts: length };
  }
  const figures: number[] = [];
  for (let item = 0; item < length; item++) {
    const figure = cursor.figure(type);
    if (figure === undefined) throw malformed(`'${key}' is an array of the type ${type}, which is not known`);
    figures.push(Number(figure));
  }
  return figures;
}

function readTensors(cursor: Cursor, count: number): Pick<GgufHeader, 'tensorBytes' | 'parameters'> {
  let tensorBytes: number | undefined = 0;
  let parameters = 0;
  for (let tensor = 0; tensor < count; tensor++) {
    const name = cursor.text();
    const dimensions = cursor.uint32();
    if (dimensions > 8) throw malformed(`tensor '${name}' has ${dimensions} dimensions`);
    let figures = 1;
    for (let dimension = 0; dimension < dimensions; dimension++) figures *= cursor.uint64();
    const block = BLOCKS.get(cursor.uint32());
    cursor.uint64();
    parameters += figures;
    tensorBytes =
      block === undefined || tensorBytes === undefined ? undefined : tensorBytes + (figures / block[1]) * block[0];
  }
  return { tensorBytes, parameters };
}
