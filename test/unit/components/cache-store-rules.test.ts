import type { Chart } from 'cdk8s';
import { Duration, Size } from 'cdk8s';
import * as fc from 'fast-check';
import { largestData } from '../../../components/cache-configuration';
import { CachePersistence, EvictionPolicy } from '../../../components/cache-options';
import type { CacheStoreProps } from '../../../components/cache-store';
import { CacheStore } from '../../../components/cache-store';
import { ValidationError } from '../../../components/errors';
import { compute } from '../../../components/pod';
import { fullCache, minimalCache } from '../../support/props';
import { newChart, objectsOf, problemsOf } from '../../support/synth';

const problems = (props: Partial<CacheStoreProps>) =>
  problemsOf(() => new CacheStore(newChart(), 'redis', { ...minimalCache, ...props }));
const appendOnly = CachePersistence.appendOnly(Size.gibibytes(1));

// What is wrong, the props, and the one problem that is reported.
const cases: readonly (readonly [string, Partial<CacheStoreProps>, RegExp])[] = [
  ['a name in capitals', { name: 'Redis' }, /^name must be an RFC 1123 label .*got 'Redis'/],
  ['a name too long for its pods', { name: 'a'.repeat(53) }, /^name must be .* at most 52 characters/],
  ['an image with a blank', { image: 'a b' }, /^image must be an image reference/],
  ['the root user', { user: 0 }, /^user must be a whole number/],
  ['a privileged port', { port: 637 }, /^port must be a whole number from 1024 to 65535, got 637/],
  [
    'clients without number',
    { maxClients: Number.NaN },
    /^maxClients must be a whole number from 10 to 65000, got NaN/,
  ],
  ['a short password', { password: 'short' }, /^password must have at least 8 characters/],
  ['a password that breaks the URL', { password: 'canary@word/!' }, /^password must .* safe in a URL/],
  [
    'a request above its limit',
    { resources: compute([100, 500], [600, 512]) },
    /^resources.memory.request .* must not exceed its limit/,
  ],
  ['no memory limit', { resources: {} }, /^resources.memory.limit is required/],
  [
    'too little memory',
    { resources: compute([1, 2], [8, 16]) },
    /^resources.memory.limit must be a size of at least 33554432/,
  ],
  [
    'data beyond three quarters',
    { maxMemory: Size.mebibytes(385) },
    /^maxMemory \(385 MiB\) must be at most 384 MiB: 75 %/,
  ],
  [
    'data beyond 60 % with a file',
    { maxMemory: Size.mebibytes(308), persistence: appendOnly },
    /^maxMemory \(308 MiB\) must be at most 307 MiB: 60 %/,
  ],
  [
    'data of no size',
    { maxMemory: Size.mebibytes(Number.NaN) },
    /^maxMemory must be a size of at least 1048576 bytes, got NaN/,
  ],
  [
    'dropping keys that a file keeps',
    { eviction: EvictionPolicy.ALL_KEYS_LFU, persistence: appendOnly },
    /^eviction 'allkeys-lfu' drops any key, which contradicts an append-only file/,
  ],
  [
    'a volume too small to rewrite',
    { persistence: CachePersistence.appendOnly(Size.mebibytes(600)) },
    /^persistence: size \(600 MiB\) must be at least twice maxMemory \(307 MiB\)/,
  ],
  [
    'a volume without size',
    { persistence: CachePersistence.appendOnly(Size.mebibytes(Number.NaN)) },
    /^persistence: size must be a size/,
  ],
  [
    'a command with a blank',
    { allowedCommands: ['flushall +@all'] },
    /^allowedCommands: 'flushall \+@all' must be a command/,
  ],
  ['a whole category', { allowedCommands: ['@dangerous'] }, /^allowedCommands: '@dangerous' must be a command/],
  ['an idle time of no time', { idleTimeout: Duration.millis(1) }, /^idleTimeout must be whole seconds/],
  ['no time to shut down', { terminationGrace: Duration.seconds(0) }, /^terminationGrace must be whole seconds/],
  ['no time to start', { startupDeadline: Duration.seconds(Number.NaN) }, /^startupDeadline must be whole seconds/],
  ['a label value with a blank', { labels: { team: 'x y!' } }, /^labels\['team'\] must be a label value/],
  [
    'the label that selects',
    { labels: { 'app.kubernetes.io/name': 'x' } },
    /^labels: 'app.kubernetes.io\/name' selects the pods/,
  ],
];

test.each(cases)('%s is refused with one problem', (_what, props, expected) => {
  const found = problems(props);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(expected);
});

test('every problem is in one error, before any object is made', () => {
  const chart = newChart();
  const build = (into: Chart) => new CacheStore(into, 'redis', { ...minimalCache, port: 1, maxClients: 1 });
  expect(() => build(chart)).toThrow(ValidationError);
  expect(() => build(newChart())).toThrow(/^test\/redis: port must[^]*\n +maxClients must/);
  expect(objectsOf(chart)).toEqual([]);
});

test('no message shows a password', () => {
  expect(problems({ password: 'canary@word/!' }).join()).not.toContain('canary');
});

test('props at both ends are accepted', () => {
  expect(problems(minimalCache)).toEqual([]);
  expect(problems(fullCache)).toEqual([]);
});

test('the default for data is always accepted', () => {
  fc.assert(
    fc.property(fc.integer({ min: 32, max: 1 << 16 }), fc.boolean(), (mebibytes, durable) => {
      const limit = Size.mebibytes(mebibytes);
      const persistence = durable
        ? CachePersistence.appendOnly(Size.mebibytes(2 * mebibytes))
        : CachePersistence.none();
      const maxMemory = largestData(limit, persistence.durable);
      expect(problems({ maxMemory, persistence, resources: { memory: { limit } } })).toEqual([]);
    }),
    { numRuns: 25 },
  );
});
