import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelDescription } from '../../../components/model-description';
import { readGgufHeader } from '../../../components/model-gguf';
import { half, writeGguf } from '../../../images/llama-cpp/model/gguf';
import { TINY, makeTinyModel, tinyModel } from '../../../images/llama-cpp/model/tiny';
import { TokenType, learnVocabulary } from '../../../images/llama-cpp/model/vocabulary';

describe('the tiny model', () => {
  test('is the same to the byte on every machine, and small', () => {
    const file = tinyModel();
    expect(file.length).toBe(284_960);
    expect(createHash('sha256').update(file).digest('hex')).toBe(
      '3cd6e17420f9dac2d7716a5c21acbad59250baea2a875b3a486f3f456d196175',
    );
  });

  test('is written where the Dockerfile takes it from, or where it is told', () => {
    const folder = mkdtempSync(join(tmpdir(), 'model-'));
    try {
      const file = makeTinyModel(join(folder, 'deep', 'tiny.gguf'));
      expect(readFileSync(file).equals(tinyModel())).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
    const dockerfile = readFileSync(join(__dirname, '../../../images/llama-cpp/Dockerfile'), 'utf8');
    expect(dockerfile).toContain('COPY dist/tiny.gguf /models/tiny.gguf');
  });

  test('describes itself as it was made', () => {
    const { layers, heads, kvHeads, embedding, context } = TINY;
    const description = ModelDescription.fromGguf(tinyModel());
    expect(description).toMatchObject({ name: 'trellis-tiny', layers, heads, embedding, contextLength: context });
    expect(description.kvHeads).toEqual([kvHeads, kvHeads]);
    expect(description.keyLength).toBe(embedding / heads);
    expect(description.vocabulary).toBe(TINY.vocabulary);
  });

  test('has every byte as a token, so that it reads any text', () => {
    expect(readGgufHeader(tinyModel()).metadata.get('tokenizer.ggml.tokens')).toEqual({ texts: 900 });
    const bytes = learnVocabulary('a', 300).filter(({ type }) => type === TokenType.byte);
    expect(bytes.map(({ text }) => text)).toHaveLength(256);
    expect(bytes[10]?.text).toBe('<0x0A>');
  });
});

test('a learned piece can be reached by joining two that are pieces too', () => {
  const tokens = learnVocabulary('the other then the theory', 290).map(({ text }) => text);
  const pieces = new Set(tokens.slice(259));
  const long = [...pieces].filter((text) => [...text].length > 1);
  expect(long).toContain('the');
  for (const piece of long) {
    const cuts = Array.from({ length: [...piece].length - 1 }, (_, index) => index + 1);
    expect(cuts.some((cut) => pieces.has(piece.slice(0, cut)) && pieces.has(piece.slice(cut)))).toBe(true);
  }
});

test.each([
  [0, 0x0000],
  [1, 0x3c00],
  [-2, 0xc000],
  [0.333251953125, 0x3555],
  [65_504, 0x7bff],
  [1e6, 0x7c00],
  [1e-9, 0x0000],
])('%p in half precision', (value, bits) => {
  expect(half(value)).toBe(bits);
});

test('tensors begin at multiples of 32 bytes', () => {
  const values = Float32Array.of(1, 2, 3);
  const file = writeGguf(new Map(), [
    { name: 'a', shape: [3], type: 'f32', values },
    { name: 'b', shape: [3], type: 'f16', values },
  ]);
  expect(file.length % 32).toBe(0);
  expect(file.readFloatLE(file.length - 64)).toBe(1);
  expect(file.readUInt16LE(file.length - 32)).toBe(0x3c00);
});
