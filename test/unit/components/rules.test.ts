import * as fc from 'fast-check';
import {
  cronProblem,
  dnsLabelProblem,
  dnsSubdomainProblem,
  hostProblem,
  imageProblem,
  labelValueProblem,
  percentProblem,
} from '../../../components/rules';

const long = (length: number) => 'a'.repeat(length);
const digest = `@sha256:${'0123456789abcdef'.repeat(4)}`;

// Each rule with values that the API server takes, and values that it refuses.
const table: readonly (readonly [
  string,
  (value: string) => string | undefined,
  readonly string[],
  readonly string[],
])[] = [
  ['label', dnsLabelProblem, ['a', '0', 'a-b', long(63)], ['', 'A', '-a', 'a-', 'a_b', 'a.b', 'ä', 'a\n', long(64)]],
  [
    'subdomain',
    dnsSubdomainProblem,
    ['a', 'a.b-c.d', `${long(63)}.${long(63)}.${long(63)}.${long(61)}`],
    ['', 'a..b', '.a', 'a.', 'A.b', `${long(64)}.b`, `${long(63)}.${long(63)}.${long(63)}.${long(62)}`],
  ],
  [
    'host',
    hostProblem,
    ['example.com', '*.example.com', 'xn--bcher-kva.example'],
    ['', '*', '*.', 'a.*.com', 'Example.com', 'bad_host..com', '10.0.0.1', 'https://a.b', 'a:80'],
  ],
  ['label value', labelValueProblem, ['', 'A', 'a_b.c-d', long(63)], ['x y!', '-a', 'a-', 'a/b', long(64)]],
  [
    'image',
    imageProblem,
    [
      'redis',
      'redis:7',
      'localhost:5000/trellis/redis',
      `a.example/b/c${digest}`,
      `a/b:1.2-x_Y${digest}`,
      'a/b__c--d.e',
    ],
    ['', ' ', 'a b', 'Redis', 'a:', 'a/', '/a', 'a//b', 'a@sha256:12', `a${digest}0`, 'a___b', `a:${long(129)}`, 'a\n'],
  ],
  [
    'cron',
    cronProblem,
    ['* * * * *', '*/5 0-6/2 1,15 jan-mar MON-fri', '59 23 31 12 6', '5/15 * * * *', '@daily', ' 0 0 * * 0 '],
    [
      ...['', '* * * *', '* * * * * *', 'abc * * * *', '61 * * * *', '* 24 * * *', '* * 0 * *', '* * 32 * *'],
      ...['* * * 13 *', '* * * 0 *', '* * * * 7', '5-1 * * * *', '*/0 * * * *', '*-5 * * * *', '1- * * * *'],
      ...['1,,2 * * * *', '-1 * * * *', '1.5 * * * *', '* * * mon *', '@every 5m', '@DAILY', 'TZ=UTC * * * * *'],
    ],
  ],
];

describe.each(table)('%s', (_name, problem, good, bad) => {
  test.each(good)('takes %j', (value) => {
    expect(problem(value)).toBeUndefined();
  });
  test.each(bad)('refuses %j', (value) => {
    expect(problem(value)).toMatch(/^must be /);
  });
});

test('a label may be given less room', () => {
  expect(dnsLabelProblem(long(52), 52)).toBeUndefined();
  expect(dnsLabelProblem(long(53), 52)).toMatch(/at most 52 characters/);
});

test('percentages are whole and within their bounds', () => {
  expect([1, 100].map((value) => percentProblem(value))).toEqual([undefined, undefined]);
  expect(percentProblem(150, 200)).toBeUndefined();
  for (const value of [0, -1, 101, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(percentProblem(value)).toBe(`must be a whole percentage from 1 to 100, got ${value}`);
  }
});

test('cron names the field and its range', () => {
  expect(cronProblem('* 25 * * *')).toBe("must be a cron schedule: hour '25' is not within 0-23");
});

const bounds = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
] as const;

// One item of a field: a star, a value, a range or a step, all within the field's bounds.
const item = ([min, max]: readonly [number, number]) =>
  fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.integer({ min: 1, max: 99 }), fc.nat(4))
    .map(([a, b, step, form]) => {
      const range = `${Math.min(a, b)}-${Math.max(a, b)}`;
      return ['*', String(a), range, `${range}/${step}`, `*/${step}`][form] as string;
    });
const schedule = fc
  .tuple(...bounds.map((field) => fc.array(item(field), { minLength: 1, maxLength: 3 })))
  .map((fields) => fields.map((items) => items.join(',')));

test('every schedule within the bounds is taken', () => {
  fc.assert(fc.property(schedule, (fields) => expect(cronProblem(fields.join(' '))).toBeUndefined()));
});

test('one value beyond its bounds spoils any schedule', () => {
  fc.assert(
    fc.property(schedule, fc.nat(4), fc.integer({ min: 1, max: 1000 }), (fields, at, over) => {
      const broken = fields.map((field, index) => (index === at ? String((bounds[at]?.[1] ?? 0) + over) : field));
      expect(cronProblem(broken.join(' '))).toMatch(/is not within/);
    }),
  );
});

test('rules end on any text, and quickly', () => {
  const hostile = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.constant(`${'a-'.repeat(5000)}!`),
    fc.constant(long(20_000)),
  );
  fc.assert(
    fc.property(hostile, (text) => {
      for (const [, problem] of table) expect([undefined, 'string']).toContain(problem(text) && 'string');
    }),
  );
});
