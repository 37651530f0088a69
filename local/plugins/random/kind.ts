/** A value of an input, once every default is in place. */
export type Value = null | boolean | number | string | readonly string[] | Readonly<Record<string, string | null>>;
export type Values = Readonly<Record<string, Value | undefined>>;

export interface InputSpec {
  readonly type: 'whole' | 'boolean' | 'string' | 'strings' | 'map';
  readonly required?: boolean;
  readonly default?: boolean | number | string;
  /** Smallest value of a whole number. */
  readonly least?: number;
}

/** What a new or imported resource consists of beside its inputs. */
export interface Result {
  readonly id: string;
  readonly outputs: Values;
}
export interface Adopted extends Result {
  /** The inputs that would have made it. */
  readonly inputs: Values;
}

/** One resource type: what it takes, what it yields, and how. */
export interface Kind {
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly outputs: readonly string[];
  readonly secretOutputs: readonly string[];
  /** The vendor's schema version of the state; without it the vendor's plugin would run its old migrations. */
  readonly schemaVersion: number;
  /** Problems beyond the type of each input: message by property. */
  problems?(inputs: Values): readonly (readonly [property: string, reason: string])[];
  /** Makes inputs that imply each other agree. */
  settle?(inputs: Values): Values;
  generate(inputs: Values): Promise<Result> | Result;
  /** Takes over what was made elsewhere, from the import id; absent where the vendor has no import either. */
  adopt?(id: string): Promise<Adopted> | Adopted;
}

/** Longest string and list that is generated: far above any use, below what would exhaust memory. */
const LIMIT = 65_536;
/** Values whose change draws anew. */
export const keepers: InputSpec = { type: 'map' };
/** A number among the inputs; 0 where it is none. */
export const number = (inputs: Values, key: string): number => (typeof inputs[key] === 'number' ? inputs[key] : 0);
/** A string among the inputs; empty where it is none. */
export const text = (inputs: Values, key: string): string => (typeof inputs[key] === 'string' ? inputs[key] : '');
/** The problem of a length above {@link LIMIT}. */
export const tooLong = (inputs: Values, key: string): readonly (readonly [string, string])[] =>
  number(inputs, key) > LIMIT ? [[key, `must be at most ${LIMIT}`]] : [];
