/** What SentencePiece writes for a blank. */
const BLANK = '\u2581';

/** Kinds of tokens, as GGUF numbers them. */
export const TokenType = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

export interface Token {
  readonly text: string;
  /** Pieces are joined in the order of their scores, the highest first. */
  readonly score: number;
  readonly type: (typeof TokenType)[keyof typeof TokenType];
}

const SPECIAL: readonly Token[] = [
  { text: '<unk>', score: 0, type: TokenType.unknown },
  { text: '<s>', score: 0, type: TokenType.control },
  { text: '</s>', score: 0, type: TokenType.control },
];

// Any text can be told in bytes where no piece fits.
const BYTES: readonly Token[] = Array.from({ length: 256 }, (_, byte) => ({
  text: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  score: 0,
  type: TokenType.byte,
}));

/**
 * Learns pieces by joining the most frequent pair of neighbours again and again, so that every piece can be reached
 * from characters by pairs that are pieces too; that is how SentencePiece's BPE model is read.
 * @param size tokens in all, with the special ones and the bytes
 */
export function learnVocabulary(corpus: string, size: number): readonly Token[] {
  const words = new Map<string, number>();
  for (const word of corpus.split(/\s+/).filter((one) => one !== '')) {
    words.set(`${BLANK}${word}`, (words.get(`${BLANK}${word}`) ?? 0) + 1);
  }
  let split: readonly Split[] = [...words].map(([word, count]) => ({ parts: [...word], count }));
  const characters = [...new Set(split.flatMap(({ parts }) => parts))].sort();
  const joined: string[] = [];
  while (SPECIAL.length + BYTES.length + characters.length + joined.length < size) {
    const pair = mostFrequent(split);
    if (pair === undefined) break;
    joined.push(pair.join(''));
    split = split.map(({ parts, count }) => ({ parts: join(parts, pair), count }));
  }
  const normal = (text: string, index: number): Token => ({ text, score: -(index + 1), type: TokenType.normal });
  return [...SPECIAL, ...BYTES, ...[...joined, ...characters].map(normal)];
}

interface Split {
  readonly parts: readonly string[];
  readonly count: number;
}

function mostFrequent(words: readonly Split[]): readonly [string, string] | undefined {
  const counts = new Map<string, { readonly pair: readonly [string, string]; count: number }>();
  for (const { parts, count } of words) {
    for (let index = 0; index + 1 < parts.length; index++) {
      const pair = [parts[index] ?? '', parts[index + 1] ?? ''] as const;
      // No piece holds a line break, so that it keeps the two apart.
      const key = pair.join('\n');
      const known = counts.get(key) ?? { pair, count: 0 };
      known.count += count;
      counts.set(key, known);
    }
  }
  let best: readonly [string, { readonly pair: readonly [string, string]; readonly count: number }] | undefined;
  // Equal counts are decided by the text, so that the result is the same everywhere.
  for (const [key, one] of counts) {
    if (best === undefined || one.count > best[1].count || (one.count === best[1].count && key < best[0])) {
      best = [key, one];
    }
  }
  return best?.[1].pair;
}

function join(parts: readonly string[], [left, right]: readonly [string, string]): readonly string[] {
  const result: string[] = [];
  for (let index = 0; index < parts.length; index++) {
    if (parts[index] === left && parts[index + 1] === right) {
      result.push(left + right);
      index++;
    } else {
      result.push(parts[index] ?? '');
    }
  }
  return result;
}
