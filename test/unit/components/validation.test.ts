import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { ValidationError } from '../../../components/errors';
import { LateTokens } from '../../../components/late';
import { compute, resourceRequirements } from '../../../components/pod';
import { Problems } from '../../../components/validation';
import { newChart } from '../../support/synth';

const found = (check: (problems: Problems) => unknown): readonly string[] => {
  const problems = new Problems('here');
  check(problems);
  try {
    problems.raise();
  } catch (error) {
    expect(error).toBeInstanceOf(ValidationError);
    return (error as ValidationError).problems;
  }
  return [];
};

test('nothing found raises nothing', () => {
  expect(() => new Problems('here').require(true, 'never').raise()).not.toThrow();
});

test('all problems are in one message, in their order, aligned under the path', () => {
  const raise = () => new Problems('chart/db').require(false, 'one').require(true, 'no').require(false, 'two').raise();
  expect(raise).toThrow(new ValidationError('chart/db', ['one', 'two']));
  expect(raise).toThrow('chart/db: one\n          two');
});

test('the path is that of the construct', () => {
  const chart = newChart();
  expect(new ValidationError(chart, ['x'])).toMatchObject({ path: 'test', name: 'ValidationError', problems: ['x'] });
});

// One failing value a rule; each also passes what is left out, and a token.
const texts: readonly (readonly [
  string,
  (problems: Problems, value: string | undefined) => unknown,
  string,
  RegExp,
])[] = [
  ['dnsLabel', (p, value) => p.dnsLabel('prop', value), 'A', /^prop must be an RFC 1123 label .*, got 'A'$/],
  [
    'dnsSubdomain',
    (p, value) => p.dnsSubdomain('prop', value),
    'a..b',
    /^prop must be an RFC 1123 subdomain .*, got 'a..b'$/,
  ],
  ['host', (p, value) => p.host('prop', value), 'bad_host', /^prop must be a lower-case host name .*, got 'bad_host'$/],
  ['labelValue', (p, value) => p.labelValue('prop', value), 'x y!', /^prop must be a label value .*, got 'x y!'$/],
  [
    'cron',
    (p, value) => p.cron('prop', value),
    '61 * * * *',
    /^prop must be a cron schedule: minute '61' .*, got '61 \* \* \* \*'$/,
  ],
];

describe.each(texts)('%s', (_rule, check, bad, message) => {
  test('names prop, rule and value', () => {
    expect(found((problems) => check(problems, bad))).toEqual([expect.stringMatching(message)]);
  });
  test('skips what is left out', () => {
    expect(found((problems) => check(problems, undefined))).toEqual([]);
  });
  test('skips what is late', () => {
    const chart = newChart();
    const token = LateTokens.of(chart).asString(chart, Promise.resolve('x'));
    expect(found((problems) => check(problems, `A ${token}`))).toEqual([]);
  });
});

test('an image may be late, but not empty', () => {
  expect(found((problems) => problems.image('image', 'xlate000000x'))).toEqual([]);
  expect(found((problems) => problems.image('image', ''))).toEqual([expect.stringMatching(/^image must be an image/)]);
});

test.each([Number.NaN, 1.5, -1, 11, Number.POSITIVE_INFINITY, 2 ** 53, 'two' as never])(
  '%p is no integer from 0 to 10',
  (value) => {
    expect(found((problems) => problems.integer('replicas', value, { min: 0, max: 10 }))).toEqual([
      `replicas must be a whole number from 0 to 10, got ${String(value)}`,
    ]);
  },
);

test('integers, ports and percentages at their bounds pass', () => {
  expect(
    found((problems) =>
      problems
        .integer('a', 0, { min: 0, max: 10 })
        .integer('b', 10, { min: 0, max: 10 })
        .integer('c', undefined, { min: 5, max: 10 })
        .port('d', 1)
        .port('e', 65_535)
        .port('f', 1024, 1024)
        .percent('g', 100)
        .percent('h', undefined),
    ),
  ).toEqual([]);
});

test('ports and percentages beyond their bounds are refused', () => {
  expect(found((problems) => problems.port('a', 99_999).port('b', 80, 1024).percent('c', 0))).toEqual([
    'a must be a whole number from 1 to 65535, got 99999',
    'b must be a whole number from 1024 to 65535, got 80',
    'c must be a whole percentage from 1 to 100, got 0',
  ]);
});

test('sizes are above zero, or at least what is asked for', () => {
  expect(
    found((problems) =>
      problems
        .size('a', Size.mebibytes(Number.NaN))
        .size('b', Size.mebibytes(0))
        .size('c', Size.mebibytes(1), Size.mebibytes(2))
        .size('d', Size.mebibytes(2), Size.mebibytes(2))
        .size('e', undefined),
    ),
  ).toEqual([
    'a must be a size of at least 1 bytes, got NaN',
    'b must be a size of at least 1 bytes, got 0',
    'c must be a size of at least 2097152 bytes, got 1048576',
  ]);
});

describe('resources', () => {
  const resources = (value: Parameters<Problems['resources']>[1]) =>
    found((problems) => problems.resources('r', value));
  const memory = { limit: Size.mebibytes(64) };

  test('requests up to their limits pass', () => {
    expect(resources(compute([100, 100], [64, 64]))).toEqual([]);
  });

  test.each([
    [
      { memory, cpu: { request: Cpu.millis(2), limit: Cpu.millis(1) } },
      'r.cpu.request (2 m) must not exceed its limit (1 m)',
    ],
    [{ memory, cpu: { limit: Cpu.millis(-5) } }, 'r.cpu.limit must be above zero, got -5 m'],
    [{ memory, cpu: { request: Cpu.units(Number.NaN) } }, 'r.cpu.request must be above zero, got NaN m'],
    [
      { memory: { request: Size.mebibytes(65), limit: Size.mebibytes(64) } },
      'r.memory.request (68157440 bytes) must not exceed its limit (67108864 bytes)',
    ],
    [{ memory: { limit: Size.mebibytes(0) } }, 'r.memory.limit must be above zero, got 0 bytes'],
    [{ memory: {} }, 'r.memory.limit is required: a pod without it can take a node down'],
    [
      { memory, ephemeralStorage: { request: Size.gibibytes(2), limit: Size.gibibytes(1) } },
      'r.ephemeralStorage.request (2147483648 bytes) must not exceed its limit (1073741824 bytes)',
    ],
  ])('%# is refused', (value, problem) => {
    expect(resources(value)).toEqual([problem]);
  });

  test.each([
    [{}, '64Mi', '512Mi'],
    [{ limit: Size.mebibytes(32) }, '32Mi', '32Mi'],
    [{ request: Size.gibibytes(1) }, '1Gi', '1Gi'],
    [{ request: Size.mebibytes(100), limit: Size.mebibytes(200) }, '100Mi', '200Mi'],
  ])('a missing side of the scratch disk never contradicts the other: %#', (ephemeralStorage, request, limit) => {
    const written = resourceRequirements({ memory, ephemeralStorage });
    expect([written.requests, written.limits].map((side) => side?.['ephemeral-storage'])).toEqual([request, limit]);
  });
});

test('names of environment variables', () => {
  const env = { GOOD_1: '', _x: '', '1BAD': '', 'A-B': '', '': '' };
  expect(found((problems) => problems.environment('env', env))).toEqual([
    expect.stringContaining("'1BAD' is not a name"),
    expect.stringContaining("'A-B' is not a name"),
    expect.stringContaining("'' is not a name"),
  ]);
  expect(found((problems) => problems.environment('env', undefined))).toEqual([]);
});
