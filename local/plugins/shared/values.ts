import type { JavaScriptValue } from 'google-protobuf/google/protobuf/struct_pb';
import { Struct, Value } from 'google-protobuf/google/protobuf/struct_pb';
import { putField, speedUpStructs } from './structs';

speedUpStructs({ Struct, Value });

/**
 * Property values as the engine sends them, and back. Secrets, unknowns and assets keep their identity, so that a provider
 * never mistakes a wrapper object for data and never writes a secret out unmarked.
 */
export type PropertyValue =
  null | boolean | number | string | Secret | Unknown | Asset | readonly PropertyValue[] | PropertyMap;
export interface PropertyMap {
  readonly [key: string]: PropertyValue;
}

/** What a value is once {@link plain} has removed secrets: JSON, plus unknowns and assets. */
export type PlainValue = null | boolean | number | string | Unknown | Asset | readonly PlainValue[] | PlainMap;
export interface PlainMap {
  readonly [key: string]: PlainValue;
}

/** The key that tells an encoded wrapper from an ordinary object. All signatures are the engine's wire format. */
const SIGNATURE_KEY = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';
const OUTPUT = 'd0e6a833031e9bbcd3f4e8bde6ca49a4';
const ASSET = 'c44067f5952c0a294b673a41bacd8c17';
const ARCHIVE = '0def7320c3a5731c473e5ecbe6d01bc7';
const RESOURCE = '5cf8f73096256a8f31e491e813e4eb8e';
/** The engine has one sentinel for each kind of unknown; it accepts the string's for all of them. */
const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';
const UNKNOWNS: ReadonlySet<string> = new Set([
  UNKNOWN,
  '1c4a061d-8072-4f0a-a4cb-0ff528b18fe7', // boolean
  '3eeb2bf0-c639-47a8-9e75-3b44932eb421', // number
  '6a19a0b0-7e62-4c92-b797-7f8e31da9cc2', // array
  '030794c1-ac77-496b-92df-f27374a8bd58', // asset
  'e48ece36-62e2-4504-bad9-02848725956a', // archive
  'dd056dcd-154b-4c76-9bd3-c8f88648b5ff', // object
]);

/** A value that must be stored and shown encrypted. It prints as `[secret]`, so that no message can hold it by accident. */
export class Secret {
  readonly #value: PropertyValue;

  public constructor(value: PropertyValue) {
    this.#value = value instanceof Secret ? value.reveal() : value;
  }

  /** The value itself: for the call that needs it, never for a message. */
  public reveal(): PropertyValue {
    return this.#value;
  }

  public toString(): string {
    return '[secret]';
  }

  public toJSON(): string {
    return '[secret]';
  }
}

/** A value that is known only once something else was created. */
export class Unknown {
  public static readonly value = new Unknown();

  private constructor() {}

  public toString(): string {
    return '[unknown]';
  }

  public toJSON(): string {
    return '[unknown]';
  }
}
export const unknown: Unknown = Unknown.value;

/** An asset or archive, kept as it was sent. */
export class Asset {
  public constructor(public readonly encoded: Readonly<Record<string, unknown>>) {}
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Secret || value instanceof Unknown || value instanceof Asset);

/** Whether a value is a plain object of properties: no wrapper, no list. */
export const isPropertyMap = (value: PropertyValue | undefined): value is PropertyMap => isMap(value);

function decodeWrapper(signature: unknown, fields: Record<string, PropertyValue>): PropertyValue {
  switch (signature) {
    case SECRET:
      return new Secret(fields['value'] ?? null);
    case OUTPUT: {
      const value = 'value' in fields ? (fields['value'] ?? null) : unknown;
      return fields['secret'] === true ? new Secret(value) : value;
    }
    case ASSET:
    case ARCHIVE:
      return new Asset(fields);
    case RESOURCE:
      return fields['id'] ?? fields['urn'] ?? null;
    default:
      return fields;
  }
}

function decodeValue(value: unknown): PropertyValue {
  if (typeof value === 'string') return UNKNOWNS.has(value) ? unknown : value;
  if (Array.isArray(value)) return value.map(decodeValue);
  if (typeof value !== 'object' || value === null) return value as PropertyValue;
  const fields = decodeFields(value);
  return decodeWrapper(fields[SIGNATURE_KEY], fields);
}

function decodeFields(fields: object): Record<string, PropertyValue> {
  const result: Record<string, PropertyValue> = {};
  for (const [key, value] of Object.entries(fields)) putField(result, key, decodeValue(value));
  return result;
}

/** Reads the properties of a request. An absent message is an empty map. */
export const decode = (struct: Struct | undefined): PropertyMap => decodeFields(struct?.toJavaScript() ?? {});

function encodeValue(value: PropertyValue): JavaScriptValue {
  if (value instanceof Unknown) return UNKNOWN;
  if (value instanceof Secret) return encodeFields({ [SIGNATURE_KEY]: SECRET, value: value.reveal() });
  if (value instanceof Asset) return encodeFields(value.encoded as PropertyMap);
  if (Array.isArray(value)) return (value as readonly PropertyValue[]).map(encodeValue);
  return isPropertyMap(value) ? encodeFields(value) : (value as JavaScriptValue);
}

function encodeFields(
  properties: Readonly<Record<string, PropertyValue | undefined>>,
): Record<string, JavaScriptValue> {
  const result: Record<string, JavaScriptValue> = {};
  for (const [key, value] of Object.entries(properties))
    if (value !== undefined) putField(result, key, encodeValue(value));
  return result;
}

/** Writes properties for a response. Keys whose value is `undefined` are left out. */
export const encode = (properties: Readonly<Record<string, PropertyValue | undefined>>): Struct =>
  Struct.fromJavaScript(encodeFields(properties));

/** The same value with every secret revealed: for the call to the outside, never for state or messages. */
export function plain(value: PropertyMap): PlainMap;
export function plain(value: PropertyValue): PlainValue;
export function plain(value: PropertyValue): PlainValue {
  if (value instanceof Secret) return plain(value.reveal());
  if (Array.isArray(value)) return (value as readonly PropertyValue[]).map((item) => plain(item));
  if (!isPropertyMap(value)) return value;
  const result: Record<string, PlainValue> = {};
  for (const [key, item] of Object.entries(value)) putField(result, key, plain(item));
  return result;
}

/** One step into a value: a key or an index. */
export type Path = readonly (string | number)[];

/** A path as the engine writes it: `spec.rules[0].host`, `data["a.b"]`. */
export function formatPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[A-Za-z_$][\w$]*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

function find(value: PropertyValue, wanted: (value: PropertyValue) => boolean, path: Path, found: Path[]): Path[] {
  if (wanted(value)) found.push(path);
  else if (value instanceof Secret) find(value.reveal(), wanted, path, found);
  else if (Array.isArray(value)) {
    (value as readonly PropertyValue[]).forEach((item, index) => find(item, wanted, [...path, index], found));
  } else if (isPropertyMap(value)) {
    for (const [key, item] of Object.entries(value)) find(item, wanted, [...path, key], found);
  }
  return found;
}

/** Where the secrets are, outermost first. */
export const secretPaths = (value: PropertyValue): readonly Path[] => find(value, (v) => v instanceof Secret, [], []);

/** Where the unknowns are, those inside secrets included. */
export const unknownPaths = (value: PropertyValue): readonly Path[] => find(value, (v) => v instanceof Unknown, [], []);

/** Whether anything in the value is unknown yet. */
export const hasUnknown = (value: PropertyValue): boolean => unknownPaths(value).length > 0;

/** Whether anything in the value is secret. */
export const hasSecret = (value: PropertyValue): boolean => secretPaths(value).length > 0;

/** Every string inside a secret, for {@link redact}. */
export function secretStrings(value: PropertyValue, inside = false): readonly string[] {
  if (value instanceof Secret) return secretStrings(value.reveal(), true);
  if (typeof value === 'string') return inside && value !== '' ? [value] : [];
  if (Array.isArray(value)) return (value as readonly PropertyValue[]).flatMap((item) => secretStrings(item, inside));
  if (isPropertyMap(value)) return Object.values(value).flatMap((item) => secretStrings(item, inside));
  return [];
}

/** A text without any of the given secrets; longest first, so that no part of one remains. */
export function redact(text: string, secrets: readonly string[]): string {
  return [...secrets]
    .filter((secret) => secret.length > 3)
    .sort((a, b) => b.length - a.length)
    .reduce((result, secret) => result.split(secret).join('[secret]'), text);
}

/** Marks in `value` what is secret at the same path in `like`: for answers that came back in plain. */
export function markSecrets(value: PropertyValue, like: PropertyValue | undefined): PropertyValue {
  if (like instanceof Secret) return value instanceof Secret ? value : new Secret(plain(value));
  if (Array.isArray(value) && Array.isArray(like)) {
    const items = like as readonly PropertyValue[];
    return (value as readonly PropertyValue[]).map((item, index) => markSecrets(item, items[index]));
  }
  if (!isPropertyMap(value) || !isPropertyMap(like)) return value;
  const result: Record<string, PropertyValue> = {};
  for (const [key, item] of Object.entries(value)) {
    putField(result, key, markSecrets(item, Object.hasOwn(like, key) ? like[key] : undefined));
  }
  return result;
}

/** Whether two values are the same data, whatever of it is secret. An unknown equals nothing, not even another one. */
export function same(left: PropertyValue | undefined, right: PropertyValue | undefined): boolean {
  const a = left instanceof Secret ? left.reveal() : left;
  const b = right instanceof Secret ? right.reveal() : right;
  if (a instanceof Unknown || b instanceof Unknown) return false;
  if (a instanceof Asset && b instanceof Asset) return JSON.stringify(a.encoded) === JSON.stringify(b.encoded);
  if (Array.isArray(a) && Array.isArray(b)) {
    const [x, y] = [a as readonly PropertyValue[], b as readonly PropertyValue[]];
    return x.length === y.length && x.every((item, index) => same(item, y[index]));
  }
  if (!isPropertyMap(a) || !isPropertyMap(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}
