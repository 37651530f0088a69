import { Size } from 'cdk8s';
import fc from 'fast-check';
import { ValidationError } from '../../../components/errors';
import { ModelDescription } from '../../../components/model-description';
import { readGgufHeader } from '../../../components/model-gguf';
import type { GgufTensor, GgufValue } from '../../../images/llama-cpp/model/gguf';
import { writeGguf } from '../../../images/llama-cpp/model/gguf';
import { tinyModel } from '../../../images/llama-cpp/model/tiny';
import { problemsOf } from '../../support/synth';

const count = (value: number): GgufValue => ({ type: 'uint32', value });
const entries: readonly (readonly [string, GgufValue])[] = [
  ['general.architecture', { type: 'string', value: 'qwen3' }],
  ['general.name', { type: 'string', value: 'Qwen3 0.6B' }],
  ['qwen3.block_count', count(28)],
  ['qwen3.context_length', count(40_960)],
  ['qwen3.embedding_length', count(1024)],
  ['qwen3.attention.head_count', count(16)],
  ['qwen3.attention.head_count_kv', count(8)],
  ['qwen3.attention.key_length', count(128)],
  ['qwen3.attention.value_length', count(128)],
  ['tokenizer.ggml.tokens', { type: 'strings', value: ['a', 'b', 'c'] }],
];
const tensors: readonly GgufTensor[] = [
  { name: 'token_embd.weight', shape: [1024, 3], type: 'f16', values: new Float32Array(3072) },
  { name: 'output_norm.weight', shape: [1024], type: 'f32', values: new Float32Array(1024) },
];
const without = (key: string): Buffer => writeGguf(new Map(entries.filter(([one]) => one !== key)), tensors);
const file = writeGguf(new Map(entries), tensors);

describe('from the header of a GGUF file', () => {
  test('all figures are read', () => {
    expect(ModelDescription.fromGguf(file)).toMatchObject({
      name: 'Qwen3 0.6B',
      layers: 28,
      heads: 16,
      kvHeads: Array.from({ length: 28 }, () => 8),
      keyLength: 128,
      valueLength: 128,
      embedding: 1024,
      vocabulary: 3,
      contextLength: 40_960,
      weightBytes: 10 * 1024,
    });
  });

  test('the weights of the tiny model are what its file holds beside the header', () => {
    const tiny = tinyModel();
    const { tensorBytes = 0, parameters } = readGgufHeader(tiny);
    // Matrices of 16 bits, and five norms of 64 figures with 32 bits.
    expect(tensorBytes).toBe(parameters * 2 + 5 * 64 * 2);
    expect(tiny.length - tensorBytes).toBeGreaterThan(0);
    expect(tiny.length - tensorBytes).toBeLessThan(40_000);
  });

  test('the beginning of the file is enough, so long as the header is whole', () => {
    const cut = file.length - 10 * 1024;
    expect(ModelDescription.fromGguf(file.subarray(0, cut)).layers).toBe(28);
    expect(problemsOf(() => ModelDescription.fromGguf(file.subarray(0, 200)))).toEqual([
      expect.stringContaining('it goes on after the 200 bytes that were given'),
    ]);
  });

  test('a layer may have other heads than the next', () => {
    const mixed = new Map<string, GgufValue>([
      ...entries,
      ['qwen3.block_count', count(3)],
      ['qwen3.attention.head_count_kv', { type: 'int32s', value: [8, 0, 4] }],
    ]);
    expect(ModelDescription.fromGguf(writeGguf(mixed, tensors)).kvHeads).toEqual([8, 0, 4]);
  });

  test('without a length of keys, the width is shared among the heads; without heads of keys, each head has its own', () => {
    expect(ModelDescription.fromGguf(without('qwen3.attention.key_length')).keyLength).toBe(64);
    expect(ModelDescription.fromGguf(without('qwen3.attention.head_count_kv')).kvHeads[0]).toBe(16);
  });

  test.each([
    ['qwen3.block_count', "it has no figure 'qwen3.block_count'"],
    ['qwen3.embedding_length', "it has no figure 'qwen3.embedding_length'"],
    ['qwen3.attention.head_count', "it has no figure 'qwen3.attention.head_count'"],
    ['tokenizer.ggml.tokens', "it has no figure 'qwen3.vocab_size'"],
  ])('without %s it is refused', (key, expected) => {
    expect(problemsOf(() => ModelDescription.fromGguf(without(key)))).toContain(expected);
  });

  test('what is no GGUF file, or one of a version that is not known, is refused', () => {
    expect(problemsOf(() => readGgufHeader(Buffer.from('PK\u0003\u0004 a zip file')))).toEqual([
      "cannot be read: it does not begin with 'GGUF'",
    ]);
    const other = Buffer.from(file);
    other.writeUInt32LE(9, 4);
    expect(problemsOf(() => readGgufHeader(other))).toEqual([expect.stringContaining('version 9')]);
  });

  test('a damaged header is an error of its own, never anything else', () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), fc.nat(file.length), (at, byte, length) => {
        const damaged = Buffer.from(file);
        damaged[at] = byte;
        try {
          ModelDescription.fromGguf(damaged.subarray(0, length));
        } catch (error) {
          expect(error).toBeInstanceOf(ValidationError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('from a config.json of Hugging Face', () => {
  const config = {
    _name_or_path: 'Qwen/Qwen3-8B',
    hidden_size: 4096,
    num_hidden_layers: 36,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    head_dim: 128,
    vocab_size: 151_936,
    max_position_embeddings: 40_960,
  };
  const weights = Size.gibibytes(16);

  test('all figures are read', () => {
    expect(ModelDescription.fromHuggingFace(config, weights)).toMatchObject({
      name: 'Qwen/Qwen3-8B',
      layers: 36,
      heads: 32,
      keyLength: 128,
      embedding: 4096,
      vocabulary: 151_936,
      contextLength: 40_960,
      weights,
    });
  });

  test('the language part of a model that also sees is taken', () => {
    const seeing = { vision_config: { hidden_size: 1 }, text_config: config };
    expect(ModelDescription.fromHuggingFace(seeing, weights)).toMatchObject({ layers: 36, name: 'model' });
  });

  test('all that is missing comes in one error', () => {
    expect(problemsOf(() => ModelDescription.fromHuggingFace({ hidden_size: 64 }, weights))).toEqual([
      "config.json has no figure 'num_attention_heads'",
      "config.json has no figure 'num_hidden_layers'",
      "config.json has no figure 'vocab_size'",
    ]);
  });
});

test('figures that are none are refused together', () => {
  const bad = () =>
    ModelDescription.of({
      weights: Size.mebibytes(Number.NaN),
      layers: 2,
      heads: 0,
      kvHeads: [1],
      keyLength: 64.5,
      embedding: 64,
      vocabulary: 10,
    });
  expect(problemsOf(bad)).toEqual([
    expect.stringContaining('weights must be a size'),
    expect.stringContaining('heads must be a whole number'),
    expect.stringContaining('keyLength must be a whole number'),
    expect.stringContaining('valueLength must be a whole number'),
    'kvHeads must have one figure a layer (2), got 1',
  ]);
});
