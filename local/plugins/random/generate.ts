import { createHash, randomBytes, randomInt } from 'node:crypto';

/** A source of uniform whole numbers below `limit` (at most 2^48). */
export type Source = (limit: number) => number;

/** The machine's cryptographic generator. */
export const secure: Source = (limit) => randomInt(limit);

/**
 * The same numbers for the same seed, on every machine: SHA-256 in counter mode, with rejection so that no value is likelier.
 * Not for secrets. The vendor's plugin draws other numbers from the same seed; a result that is in state stays as it is.
 */
export function seeded(seed: string): Source {
  let counter = 0;
  return (limit) => {
    const bound = Math.floor(2 ** 48 / limit) * limit;
    for (;;) {
      const digest = createHash('sha256').update(`${counter++}:${seed}`).digest();
      const value = digest.readUIntBE(0, 6);
      if (value < bound) return value % limit;
    }
  };
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const NUMERIC = '0123456789';
/** The vendor's set: no character that needs quoting in a URL's user part alone. */
const SPECIAL = '!@#$%&*()-_=+[]{}<>:?';

export interface StringOptions {
  readonly length: number;
  readonly upper: boolean;
  readonly lower: boolean;
  readonly numeric: boolean;
  readonly special: boolean;
  readonly minUpper: number;
  readonly minLower: number;
  readonly minNumeric: number;
  readonly minSpecial: number;
  /** Replaces the special characters; empty means the default set. */
  readonly overrideSpecial: string;
}

/** The items in random order (Fisher and Yates): every order is equally likely. */
export function shuffled<T>(items: readonly T[], source: Source): T[] {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index--) {
    const other = source(index + 1);
    const kept = result[index] as T;
    result[index] = result[other] as T;
    result[other] = kept;
  }
  return result;
}

const pick = (set: readonly string[], count: number): string[] =>
  Array.from({ length: count }, () => set[secure(set.length)] ?? '');

/** A string with at least the wanted number of each class, the rest from all enabled classes, in random order. */
export function randomString(options: StringOptions): string {
  const special = Array.from(options.overrideSpecial || SPECIAL);
  const classes: readonly (readonly [readonly string[], boolean, number])[] = [
    [Array.from(UPPER), options.upper, options.minUpper],
    [Array.from(LOWER), options.lower, options.minLower],
    [Array.from(NUMERIC), options.numeric, options.minNumeric],
    [special, options.special, options.minSpecial],
  ];
  // A minimum holds even where its class is off, as in the vendor's plugin.
  const required = classes.flatMap(([set, , minimum]) => pick(set, minimum));
  const alphabet = classes.flatMap(([set, enabled]) => (enabled ? set : []));
  return shuffled([...required, ...pick(alphabet, options.length - required.length)], secure).join('');
}

/** The forms in which the vendor gives out random bytes. */
export function byteForms(bytes: Buffer): { base64: string; base64url: string; hex: string; decimal: string } {
  const hex = bytes.toString('hex');
  return {
    base64: bytes.toString('base64'),
    base64url: bytes.toString('base64url'),
    hex,
    decimal: BigInt(`0x${hex || '0'}`).toString(10),
  };
}

/** That many random bytes. */
export const bytes = (count: number): Buffer => randomBytes(count);

/** A list of `count` items: permutations of the inputs, one after the other. */
export function shuffleList(inputs: readonly string[], count: number, source: Source): string[] {
  const result: string[] = [];
  while (inputs.length > 0 && result.length < count) result.push(...shuffled(inputs, source));
  return result.slice(0, count);
}

/** A whole number from `min` to `max`, both included. */
export function integerBetween(min: number, max: number, source: Source): number {
  return min + source(max - min + 1);
}

const ADVERBS =
  'boldly briskly calmly clearly deeply duly evenly fairly firmly gently gladly keenly kindly lightly mostly neatly openly purely quietly rapidly safely simply smoothly steadily subtly surely truly warmly widely wisely'.split(
    ' ',
  );
const ADJECTIVES =
  'able active amber ample brave bright brisk calm clever cosmic crisp daring eager early fair fancy gentle glad golden grand happy honest humble jolly keen kind lively loyal lucky mellow merry mild modern noble patient polite proud quick quiet rapid ready royal sharp shiny simple smart solid steady sunny swift tidy tough true vivid warm wise witty young'.split(
    ' ',
  );
const NOUNS =
  'ant badger bat bear beaver bee bison bobcat buck camel cat cobra cod colt corgi crab crane crow deer dingo dodo dove duck eagle eel elk ewe falcon fawn finch fish flea fly foal fox frog gecko goat goose gull hare hawk hen heron horse hound ibex jay kid kite kiwi koala lamb lark lemur lion lynx mink mole moose moth mouse mule newt orca oryx otter owl ox panda pig pika pony puma quail rabbit ram raven ray robin rook seal shark sheep shrew skunk sloth snail snake swan tapir tern tiger toad trout viper vole wasp whale wolf wombat wren yak zebra'.split(
    ' ',
  );

/** A name of that many words, an animal last. */
export function petName(words: number, separator: string, source: Source = secure): string {
  const from = (list: readonly string[]): string => list[source(list.length)] ?? '';
  const adverbs = Array.from({ length: Math.max(0, words - 2) }, () => from(ADVERBS));
  return [...adverbs, ...(words > 1 ? [from(ADJECTIVES)] : []), from(NOUNS)].join(separator);
}
