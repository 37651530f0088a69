/** Version of the format that is written; its figures are little-endian. */
const VERSION = 3;
const ALIGNMENT = 32;

/** A metadata value, of the types that the tiny model needs. */
export type GgufValue =
  | { readonly type: 'uint32' | 'float32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'float32s' | 'int32s'; readonly value: readonly number[] };

/** A tensor; `shape` begins with the fastest dimension, as ggml has it. */
export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: 'f32' | 'f16';
  readonly values: Float32Array;
}

const VALUE_TYPES = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;
const TENSOR_TYPES = { f32: 0, f16: 1 } as const;

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const uint64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const float32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};
const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uint64(bytes.length), bytes]);
};
const array = (type: number, items: readonly Buffer[]): Buffer =>
  Buffer.concat([uint32(VALUE_TYPES.array), uint32(type), uint64(items.length), ...items]);

function metadata(value: GgufValue): Buffer {
  switch (value.type) {
    case 'uint32':
      return Buffer.concat([uint32(VALUE_TYPES.uint32), uint32(value.value)]);
    case 'float32':
      return Buffer.concat([uint32(VALUE_TYPES.float32), float32(value.value)]);
    case 'bool':
      return Buffer.concat([uint32(VALUE_TYPES.bool), Buffer.from([value.value ? 1 : 0])]);
    case 'string':
      return Buffer.concat([uint32(VALUE_TYPES.string), text(value.value)]);
    case 'strings':
      return array(VALUE_TYPES.string, value.value.map(text));
    case 'float32s':
      return array(VALUE_TYPES.float32, value.value.map(float32));
    case 'int32s':
      return array(VALUE_TYPES.int32, value.value.map(int32));
  }
}

/** The half-precision figure that is nearest; those that are too small become zero. */
export function half(value: number): number {
  const bits = float32(value).readUInt32LE();
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  if (exponent <= 0) return sign;
  if (exponent >= 31) return sign | 0x7c00;
  // A carry out of the mantissa raises the exponent, which is what rounding up means there.
  return sign | ((exponent << 10) + (((bits & 0x7fffff) + 0x1000) >>> 13));
}

function tensorData({ type, values }: GgufTensor): Buffer {
  const bytes = Buffer.alloc(values.length * (type === 'f16' ? 2 : 4));
  values.forEach((value, index) => {
    if (type === 'f16') bytes.writeUInt16LE(half(value), index * 2);
    else bytes.writeFloatLE(value, index * 4);
  });
  return bytes;
}

const padding = (length: number): Buffer => Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);

/** A whole GGUF file. The same input gives the same bytes. */
export function writeGguf(entries: ReadonlyMap<string, GgufValue>, tensors: readonly GgufTensor[]): Buffer {
  const data = tensors.map(tensorData).map((bytes) => Buffer.concat([bytes, padding(bytes.length)]));
  let offset = 0;
  const infos = tensors.map(({ name, shape, type }, index) => {
    const info = [text(name), uint32(shape.length), ...shape.map(uint64), uint32(TENSOR_TYPES[type]), uint64(offset)];
    offset += data[index]?.length ?? 0;
    return Buffer.concat(info);
  });
  const header = Buffer.concat([
    Buffer.from('GGUF', 'latin1'),
    uint32(VERSION),
    uint64(tensors.length),
    uint64(entries.size),
    ...[...entries].map(([key, value]) => Buffer.concat([text(key), metadata(value)])),
    ...infos,
  ]);
  return Buffer.concat([header, padding(header.length), ...data]);
}
