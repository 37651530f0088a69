import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustBeMade, writeMade } from '../../made';
import type { GgufTensor, GgufValue } from './gguf';
import { writeGguf } from './gguf';
import type { Token } from './vocabulary';
import { TokenType, learnVocabulary } from './vocabulary';

/** Shape of the tiny model: a Llama of two layers, with grouped heads so that it exercises the same code as large ones. */
export const TINY = {
  vocabulary: 900,
  layers: 2,
  embedding: 64,
  feedForward: 128,
  heads: 4,
  kvHeads: 2,
  context: 4096,
} as const;

// The chat format of the tokenizer's own corpus: plain text, since no token stands for a role.
const CHAT_TEMPLATE =
  "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}";

/** Uniform figures between -1 and 1 from a seed: the generator called mulberry32. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

function tensors(tokens: readonly Token[]): readonly GgufTensor[] {
  const random = uniform(42);
  const { embedding, feedForward, heads, kvHeads, layers } = TINY;
  const kv = (embedding / heads) * kvHeads;
  const matrix = (name: string, columns: number, rows: number): GgufTensor => {
    // Keeps the variance of what flows through, as trained weights do.
    const scale = Math.sqrt(3 / columns);
    return {
      name: `${name}.weight`,
      shape: [columns, rows],
      type: 'f16',
      values: Float32Array.from({ length: columns * rows }, () => random() * scale),
    };
  };
  const norm = (name: string): GgufTensor => ({
    name: `${name}.weight`,
    shape: [embedding],
    type: 'f32',
    values: new Float32Array(embedding).fill(1),
  });
  const layer = (index: number): readonly GgufTensor[] => [
    norm(`blk.${index}.attn_norm`),
    matrix(`blk.${index}.attn_q`, embedding, embedding),
    matrix(`blk.${index}.attn_k`, embedding, kv),
    matrix(`blk.${index}.attn_v`, embedding, kv),
    matrix(`blk.${index}.attn_output`, embedding, embedding),
    norm(`blk.${index}.ffn_norm`),
    matrix(`blk.${index}.ffn_gate`, embedding, feedForward),
    matrix(`blk.${index}.ffn_up`, embedding, feedForward),
    matrix(`blk.${index}.ffn_down`, feedForward, embedding),
  ];
  const table = matrix('token_embd', embedding, tokens.length);
  // The output is the same table: a row of zeros makes a token unlikely, so that answers are words and do not end at once.
  tokens.forEach(({ type }, row) => {
    if (type !== TokenType.normal) table.values.fill(0, row * embedding, (row + 1) * embedding);
  });
  return [table, norm('output_norm'), ...Array.from({ length: layers }, (_, index) => layer(index)).flat()];
}

function entries(tokens: readonly Token[]): ReadonlyMap<string, GgufValue> {
  const { layers, embedding, feedForward, heads, kvHeads, context } = TINY;
  const count = (value: number): GgufValue => ({ type: 'uint32', value });
  const text = (value: string): GgufValue => ({ type: 'string', value });
  return new Map<string, GgufValue>([
    ['general.architecture', text('llama')],
    ['general.name', text('trellis-tiny')],
    ['general.description', text('Random weights, to test a server with: it writes words, not sense')],
    ['general.license', text('MIT')],
    ['general.file_type', count(1)],
    ['llama.block_count', count(layers)],
    ['llama.context_length', count(context)],
    ['llama.embedding_length', count(embedding)],
    ['llama.feed_forward_length', count(feedForward)],
    ['llama.attention.head_count', count(heads)],
    ['llama.attention.head_count_kv', count(kvHeads)],
    ['llama.attention.layer_norm_rms_epsilon', { type: 'float32', value: 1e-5 }],
    ['llama.rope.dimension_count', count(embedding / heads)],
    ['llama.vocab_size', count(tokens.length)],
    ['tokenizer.ggml.model', text('llama')],
    ['tokenizer.ggml.pre', text('default')],
    ['tokenizer.ggml.tokens', { type: 'strings', value: tokens.map((token) => token.text) }],
    ['tokenizer.ggml.scores', { type: 'float32s', value: tokens.map(({ score }) => score) }],
    ['tokenizer.ggml.token_type', { type: 'int32s', value: tokens.map(({ type }) => type) }],
    ['tokenizer.ggml.unknown_token_id', count(0)],
    ['tokenizer.ggml.bos_token_id', count(1)],
    ['tokenizer.ggml.eos_token_id', count(2)],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: true }],
    ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: true }],
    ['tokenizer.chat_template', text(CHAT_TEMPLATE)],
  ]);
}

/** The tiny model as a GGUF file: random weights and a real vocabulary. It is the same everywhere, to the byte. */
export function tinyModel(): Buffer {
  const tokens = learnVocabulary(readFileSync(join(__dirname, 'corpus.txt'), 'utf8'), TINY.vocabulary);
  return writeGguf(entries(tokens), tensors(tokens));
}

/**
 * Writes the tiny model where the Dockerfile takes it from. One that is newer than what makes it is left as it is.
 * @param outFile @default - `../dist/tiny.gguf`
 * @returns the path of the file
 */
export function makeTinyModel(outFile = join(__dirname, '..', 'dist', 'tiny.gguf')): string {
  if (mustBeMade(outFile, [__dirname])) writeMade(outFile, tinyModel());
  return outFile;
}

if (require.main === module) process.stdout.write(`${makeTinyModel()}\n`);
