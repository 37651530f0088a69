import { hash } from 'bcryptjs';

import { randomString } from './generate';
import { keepers, number, text, tooLong } from './kind';
import type { InputSpec, Kind, Values } from './kind';

/** bcrypt's cost in the vendor's plugin. */
const BCRYPT_COST = 10;

const minimum: InputSpec = { type: 'whole', default: 0, least: 0 };
const flag: InputSpec = { type: 'boolean', default: true };

const stringInputs: Kind['inputs'] = {
  keepers,
  length: { type: 'whole', required: true, least: 1 },
  lower: flag,
  minLower: minimum,
  minNumeric: minimum,
  minSpecial: minimum,
  minUpper: minimum,
  number: { type: 'boolean' },
  numeric: { type: 'boolean' },
  overrideSpecial: { type: 'string' },
  special: flag,
  upper: flag,
};

function stringProblems(inputs: Values): readonly (readonly [string, string])[] {
  const problems: (readonly [string, string])[] = [...tooLong(inputs, 'length')];
  const least = ['minUpper', 'minLower', 'minNumeric', 'minSpecial'].reduce((sum, key) => sum + number(inputs, key), 0);
  if (typeof inputs.length === 'number' && inputs.length < least) {
    problems.push(['length', `must be at least minUpper + minLower + minNumeric + minSpecial = ${least}`]);
  }
  if (['upper', 'lower', 'numeric', 'special'].every((key) => inputs[key] === false)) {
    problems.push(['', 'at least one of upper, lower, numeric and special must be true']);
  }
  return problems;
}

/** `number` is the old name of `numeric`: both are in state, always equal. */
function settleNumeric(inputs: Values): Values {
  const numeric = inputs['numeric'] ?? inputs['number'] ?? true;
  return { ...inputs, numeric, number: inputs['number'] ?? numeric };
}

function stringProblemsWithAlias(inputs: Values): readonly (readonly [string, string])[] {
  const conflict = typeof inputs['number'] === 'boolean' && inputs['number'] !== inputs['numeric'];
  return [
    ...stringProblems(inputs),
    ...(conflict ? ([['number', 'contradicts numeric; set numeric only']] as const) : []),
  ];
}

const generateString = (inputs: Values): string =>
  randomString({
    length: number(inputs, 'length'),
    upper: inputs['upper'] !== false,
    lower: inputs['lower'] !== false,
    numeric: inputs['numeric'] !== false,
    special: inputs['special'] !== false,
    minUpper: number(inputs, 'minUpper'),
    minLower: number(inputs, 'minLower'),
    minNumeric: number(inputs, 'minNumeric'),
    minSpecial: number(inputs, 'minSpecial'),
    overrideSpecial: text(inputs, 'overrideSpecial'),
  });

const stringKind = {
  inputs: stringInputs,
  schemaVersion: 3,
  settle: settleNumeric,
  problems: stringProblemsWithAlias,
} as const;

/** RandomPassword. */
export const password: Kind = {
  ...stringKind,
  outputs: ['result', 'bcryptHash'],
  secretOutputs: ['result', 'bcryptHash'],
  async generate(inputs) {
    const result = generateString(inputs);
    // bcrypt reads 72 bytes; the rest of a longer password has no part in the hash, as with the vendor.
    return { id: 'none', outputs: { result, bcryptHash: await hash(result, BCRYPT_COST) } };
  },
  async adopt(id) {
    const outputs = { result: id, bcryptHash: await hash(id, BCRYPT_COST) };
    return { id: 'none', outputs, inputs: { length: Array.from(id).length } };
  },
};

/** RandomString. */
export const string: Kind = {
  ...stringKind,
  outputs: ['result'],
  secretOutputs: [],
  generate(inputs) {
    const result = generateString(inputs);
    return { id: result, outputs: { result } };
  },
  adopt: (id) => ({ id, outputs: { result: id }, inputs: { length: Array.from(id).length } }),
};
