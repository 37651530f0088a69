import { randomUUID } from 'node:crypto';

import { ProviderError } from '../shared/provider';
import { byteForms, bytes, integerBetween, petName, secure, seeded, shuffleList } from './generate';
import { keepers, number, text, tooLong } from './kind';
import type { Kind, Result } from './kind';
import { password, string } from './strings';

function idResult(value: Buffer, prefix: string): Result {
  const { base64, base64url, hex, decimal } = byteForms(value);
  const outputs = { b64Std: base64, b64Url: base64url, hex, dec: decimal };
  return {
    id: base64url,
    outputs: Object.fromEntries(Object.entries(outputs).map(([key, form]) => [key, `${prefix}${form}`])),
  };
}

const id: Kind = {
  inputs: { keepers, byteLength: { type: 'whole', required: true, least: 1 }, prefix: { type: 'string' } },
  outputs: ['b64Std', 'b64Url', 'dec', 'hex'],
  secretOutputs: [],
  schemaVersion: 0,
  problems: (inputs) => tooLong(inputs, 'byteLength'),
  generate: (inputs) => idResult(bytes(number(inputs, 'byteLength')), text(inputs, 'prefix')),
  adopt(given) {
    const comma = given.lastIndexOf(',');
    const prefix = comma < 0 ? '' : given.slice(0, comma);
    const value = decoded(
      given.slice(comma + 1),
      'base64url',
      'a RandomId is imported as its b64Url, with "prefix," before it',
    );
    return { ...idResult(value, prefix), inputs: { byteLength: value.length, ...(prefix !== '' && { prefix }) } };
  },
};

/** Decodes an import id; Node's decoder skips what it doesn't know, so the way back must give the same text. */
function decoded(given: string, encoding: 'base64' | 'base64url', usage: string): Buffer {
  const value = Buffer.from(given, encoding);
  if (value.length === 0 || value.toString(encoding) !== given) throw new ProviderError(`Not ${encoding}: ${usage}.`);
  return value;
}

const randomBytesKind: Kind = {
  inputs: { keepers, length: { type: 'whole', required: true, least: 1 } },
  outputs: ['base64', 'hex'],
  secretOutputs: ['base64', 'hex'],
  schemaVersion: 0,
  problems: (inputs) => tooLong(inputs, 'length'),
  generate(inputs) {
    const { base64, hex } = byteForms(bytes(number(inputs, 'length')));
    return { id: 'none', outputs: { base64, hex } };
  },
  adopt(given) {
    const value = decoded(given, 'base64', 'RandomBytes are imported as base64');
    const { base64, hex } = byteForms(value);
    return { id: 'none', outputs: { base64, hex }, inputs: { length: value.length } };
  },
};

const uuid: Kind = {
  inputs: { keepers },
  outputs: ['result'],
  secretOutputs: [],
  schemaVersion: 0,
  generate() {
    const result = randomUUID();
    return { id: result, outputs: { result } };
  },
  adopt(given) {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(given))
      throw new ProviderError('The import id is no UUID.');
    return { id: given, outputs: { result: given }, inputs: {} };
  },
};

const integer: Kind = {
  inputs: {
    keepers,
    min: { type: 'whole', required: true },
    max: { type: 'whole', required: true },
    seed: { type: 'string' },
  },
  outputs: ['result'],
  secretOutputs: [],
  schemaVersion: 0,
  problems(inputs) {
    const { min, max } = inputs;
    if (typeof min !== 'number' || typeof max !== 'number') return [];
    if (max < min) return [['min', 'must not be greater than max']];
    // The generator's range; the vendor takes 64 bits, which a number of JavaScript can't hold anyway.
    return max - min >= 2 ** 48 - 1 ? [['max', 'must be less than 2^48 - 1 above min']] : [];
  },
  generate(inputs) {
    const seed = text(inputs, 'seed');
    const result = integerBetween(number(inputs, 'min'), number(inputs, 'max'), seed === '' ? secure : seeded(seed));
    return { id: String(result), outputs: { result } };
  },
  adopt(given) {
    const [result, min, max, seed, ...rest] = given.split(',');
    const numbers = [result, min, max].map((part) => (part === undefined || part.trim() === '' ? NaN : Number(part)));
    if (rest.length > 0 || !numbers.every(Number.isSafeInteger)) {
      throw new ProviderError('A RandomInteger is imported as result,min,max or result,min,max,seed.');
    }
    const [value, low, high] = numbers as [number, number, number];
    return {
      id: String(value),
      outputs: { result: value },
      inputs: { min: low, max: high, ...(seed !== undefined && { seed }) },
    };
  },
};

const pet: Kind = {
  inputs: {
    keepers,
    length: { type: 'whole', default: 2, least: 1 },
    prefix: { type: 'string' },
    separator: { type: 'string', default: '-' },
  },
  outputs: [],
  secretOutputs: [],
  schemaVersion: 0,
  problems: (inputs) => tooLong(inputs, 'length'),
  generate(inputs) {
    const separator = text(inputs, 'separator');
    const name = petName(number(inputs, 'length'), separator);
    const prefix = text(inputs, 'prefix');
    return { id: prefix === '' ? name : `${prefix}${separator}${name}`, outputs: {} };
  },
};

const shuffle: Kind = {
  inputs: {
    keepers,
    inputs: { type: 'strings', required: true },
    resultCount: { type: 'whole', least: 0 },
    seed: { type: 'string' },
  },
  outputs: ['results'],
  secretOutputs: [],
  schemaVersion: 0,
  problems: (inputs) => tooLong(inputs, 'resultCount'),
  generate(inputs) {
    const items = Array.isArray(inputs['inputs']) ? (inputs['inputs'] as readonly string[]) : [];
    const seed = text(inputs, 'seed');
    const count = number(inputs, 'resultCount') || items.length;
    return { id: '-', outputs: { results: shuffleList(items, count, seed === '' ? secure : seeded(seed)) } };
  },
};

/** Every resource type that this provider serves, by the vendor's token. */
export const kinds: Readonly<Record<string, Kind>> = {
  'random:index/randomBytes:RandomBytes': randomBytesKind,
  'random:index/randomId:RandomId': id,
  'random:index/randomInteger:RandomInteger': integer,
  'random:index/randomPassword:RandomPassword': password,
  'random:index/randomPet:RandomPet': pet,
  'random:index/randomShuffle:RandomShuffle': shuffle,
  'random:index/randomString:RandomString': string,
  'random:index/randomUuid:RandomUuid': uuid,
};
