import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Rendered, Side } from '../../../../cli/diff/compare';
import { compare } from '../../../../cli/diff/compare';
import { amount } from '../../../../cli/diff/footprint';
import { monthly, readPrices, type Prices } from '../../../../cli/diff/prices';
import { report, type ReportOptions } from '../../../../cli/diff/report';
import { cell, LONGEST_COMMENT } from '../../../../cli/markdown';

const GIB = 1024 ** 3;
const PRICES: Prices = { currency: 'EUR', hoursPerMonth: 100, vcpuHour: 1, gibHour: 0.5, gibMonth: 0.1, gpuHour: 10 };

const object = (kind: string, name: string, more: object = {}): Rendered => ({
  path: `shop/${name}/${kind}`,
  manifest: { apiVersion: 'v1', kind, metadata: { name, namespace: 'shop' }, ...more },
});
const deployment = (name: string, requests: object, replicas = 1): Rendered =>
  object('Deployment', name, {
    apiVersion: 'apps/v1',
    spec: { replicas, template: { spec: { containers: [{ name, resources: { requests } }] } } },
  });
const scaler = (name: string, minReplicas: number, maxReplicas: number): Rendered =>
  object('HorizontalPodAutoscaler', name, {
    spec: { minReplicas, maxReplicas, scaleTargetRef: { kind: 'Deployment', name } },
  });
const side = (name: string, environment: string, ...objects: readonly Rendered[]): Side => ({
  name,
  environment,
  objects,
});
const written = (pairs: readonly (readonly [Side, Side])[], options: Partial<ReportOptions> = {}): string =>
  report(
    pairs.map(([left, right]) => ({ left, right, comparison: compare(left, right) })),
    { range: 'main..HEAD', longest: LONGEST_COMMENT, ...options },
  );

describe('a report of revisions', () => {
  const config = (value: string) => object('ConfigMap', 'web', { data: { A: value, BAR: `a|\`${value}\`` } });
  const left = [config('1'), object('Service', 'old'), object('Secret', 'web', { stringData: { K: 'canary-1' } })];
  const right = [
    ...[config('2'), object('Service', 'new'), object('Secret', 'web', { stringData: { L: 'canary-2' } })],
    object('Secret', 'fresh', { stringData: { M: 'canary-3' } }),
  ];
  const text = written([
    [side('main', 'dev', ...left), side('HEAD', 'dev', ...right)],
    [side('main', 'prod', ...left), side('HEAD', 'prod', ...left)],
  ]);

  test('has one section for each environment', () => {
    expect(text.split('\n').filter((line) => line.startsWith('#'))).toEqual([
      '## What `main..HEAD` changes',
      '### dev: main → HEAD, object by object: 2 differ, 2 only in HEAD, 1 only in main, 0 the same',
      '### prod: main and HEAD are the same, 3 of 3 objects',
    ]);
  });

  test('names what is added, deleted and changed, field by field, in tables that bars and backticks leave whole', () => {
    const lines = text.split('\n');
    expect(lines).toEqual(expect.arrayContaining(['**Deleted**', '**Added**', '**Changed**']));
    expect(lines).toContain('- Service `old` (shop/old/Service)');
    expect(lines).toContain('- Service `new` (shop/new/Service)');
    expect(lines).toContain('| `data.A` | `1` | `2` |');
    expect(lines).toContain('| `data.BAR` | `` a\\|`1` `` | `` a\\|`2` `` |');
  });

  test('shows no value of a Secret', () => {
    expect(text).toContain('| `stringData.K` | `(secret)` |  |');
    expect(text).not.toContain('canary');
  });

  test('says what is made anew, and what a renamed namespace means', () => {
    const claim = (storageClassName: string) => object('PersistentVolumeClaim', 'data', { spec: { storageClassName } });
    expect(written([[side('main', 'dev', claim('a')), side('HEAD', 'dev', claim('b'))]])).toContain(
      '**Replaced: made anew**\n\n<details><summary>PersistentVolumeClaim <code>data</code>',
    );
    const moved = { ...config('1'), manifest: { ...config('1').manifest, metadata: { name: 'web', namespace: 'b' } } };
    expect(written([[side('main', 'dev', config('1')), side('HEAD', 'dev', moved)]])).toContain(
      'Everything in a namespace of another name is made anew',
    );
  });

  test('of two environments says where an object is instead', () => {
    const between = written([[side('dev', 'dev', ...left), side('prod', 'prod', ...right)]], { range: 'dev..prod' });
    expect(between).toContain('**Only in prod**');
    expect(between).not.toContain('**Deleted**');
  });
});

describe('sums', () => {
  const before = [deployment('web', { cpu: '500m', memory: '1Gi' }, 2), deployment('api', { cpu: '1' })];
  const after = [
    deployment('web', { cpu: '500m', memory: '1536Mi' }, 2),
    deployment('api', { cpu: '1' }),
    scaler('api', 2, 4),
  ];
  const gpu = deployment('llm', { 'nvidia.com/gpu': '1' });
  const pair = [side('main', 'dev', ...before), side('HEAD', 'dev', ...after, gpu)] as const;

  test('that differ are shown at the autoscalers’ minimum and at their maximum', () => {
    const rows = written([pair])
      .split('\n')
      .filter((line) => line.startsWith('| shop'));
    expect(rows).toEqual([
      '| shop | `pods` | 3 → 5 | 3 → 7 | – |',
      '| shop | `requests.cpu` | 2 → 3 | 2 → 5 | – |',
      '| shop | `requests.memory` | 2Gi → 3Gi | 2Gi → 3Gi | – |',
      '| shop | `requests.nvidia.com/gpu` | 0 → 1 | 0 → 1 | – |',
    ]);
  });

  test('that do not differ are one sentence', () => {
    expect(written([[pair[0], { ...pair[0], name: 'HEAD' }]])).toContain('Requests, limits and quotas are the same.');
  });

  test('cost what the prices say, and nothing is said of costs without prices', () => {
    expect(written([pair])).not.toMatch(/month|EUR/);
    const rows = written([pair], { prices: PRICES })
      .split('\n')
      .filter((line) => line.startsWith('| at '));
    // 100 hours: 2 CPU and 2 GiB before; 3 (5) CPU, 3 GiB and a device after.
    expect(rows).toEqual([
      '| at minimum | 300.00 | 1450.00 | +1150.00 |',
      '| at maximum | 300.00 | 1650.00 | +1350.00 |',
    ]);
  });

  test('of disks cost by the month', () => {
    expect(monthly({ 'requests.storage': 20 * GIB }, PRICES)).toBeCloseTo(2);
    expect(monthly({ 'limits.memory': GIB }, PRICES)).toBe(0);
  });

  test.each([
    ['requests.cpu', 1250, '1.25'],
    ['limits.memory', 320 * 1024 ** 2, '320Mi'],
    ['requests.storage', 2.5 * GIB, '2.5Gi'],
    ['pods', 7, '7'],
  ])('are written in the unit of a person: %s of %d', (name, sum, text) => {
    expect(amount(name, sum)).toBe(text);
  });
});

describe('what a comment can hold', () => {
  const many = (value: string) =>
    Array.from({ length: 900 }, (_, index) => object('ConfigMap', `c${index}`, { data: { A: value.repeat(60) } }));
  const pairOf = (environment: string) =>
    [side('main', environment, ...many('a')), side('HEAD', environment, ...many('b'))] as const;
  const text = written(['dev', 'staging', 'prod'].map(pairOf));

  test('is never exceeded; each environment keeps its share, and says how to see the rest', () => {
    expect(text.length).toBeLessThanOrEqual(65_536);
    expect(text.length).toBeGreaterThan(60_000);
    for (const environment of ['dev', 'staging', 'prod']) {
      expect(text).toMatch(
        new RegExp(`_\\d+ more are not shown here; all of them: \`./trellis diff main..HEAD -s ${environment}\`_`),
      );
    }
  });

  test('is shared: what one environment does not need, another may use', () => {
    const same = (environment: string) => [side('main', environment), side('HEAD', environment)] as const;
    const alone = written([same('dev'), same('staging'), pairOf('prod')]);
    expect(alone.length).toBeLessThanOrEqual(65_536);
    expect(alone.length).toBeGreaterThan(60_000);
  });

  test('holds whatever is asked for', () => {
    expect(written(['dev', 'staging', 'prod'].map(pairOf), { longest: 400 }).length).toBe(400);
  });

  test('a cell never ends a table, however odd its value', () => {
    expect(cell('``a``|\n')).toBe('``` ``a``\\|  ```');
    expect(cell('x'.repeat(1000)).length).toBeLessThan(400);
    expect(cell('')).toBe('`""`');
  });
});

describe('a price file', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-prices-'));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = (text: string): string => {
    const name = path.join(folder, 'cost.yaml');
    fs.writeFileSync(name, text);
    return name;
  };
  const whole = 'currency: EUR\nhoursPerMonth: 100\nvcpuHour: 1\ngibHour: 0.5\ngibMonth: 0.1\ngpuHour: 10\n';

  test('is read whole, and one that is not there is no error', () => {
    expect(readPrices(file(whole))).toEqual(PRICES);
    expect(readPrices(path.join(folder, 'none.yaml'))).toBeUndefined();
  });

  test.each([
    ['currency: euro', 'currency: must be the three letters of a currency'],
    ['hoursPerMonth: 0', 'hoursPerMonth: '],
    ['vcpuHour: -1', 'vcpuHour: '],
    ['gibHour: cheap', 'gibHour: '],
    ['gibMonth: .inf', 'gibMonth: '],
    ['gpuHour:', 'gpuHour: '],
    ['more: 1', 'Unrecognized key: "more"'],
  ])('with %s is refused, with all that is wrong', (line, message) => {
    const key = line.split(':')[0] ?? '';
    const rest = whole.split('\n').filter((each) => !each.startsWith(`${key}:`));
    expect(() => readPrices(file(`${[...rest, line].join('\n')}\n`))).toThrow(message);
  });

  test('that is no YAML is one message', () => {
    expect(() => readPrices(file('a: [1'))).toThrow(/cost\.yaml can't be read as YAML/);
    expect(() => readPrices(file('a: 1\na: 2'))).toThrow(/can't be read as YAML/);
  });
});

test('the example of docs/review.md is a price file', () => {
  const page = fs.readFileSync(path.resolve(__dirname, '../../../../docs/review.md'), 'utf8');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-prices-'));
  const file = path.join(folder, 'cost.yaml');
  fs.writeFileSync(file, /```yaml\n(currency[\s\S]*?)```/.exec(page)?.[1] ?? '');
  expect(readPrices(file)).toMatchObject({ currency: 'EUR', hoursPerMonth: 730 });
  fs.rmSync(folder, { recursive: true, force: true });
});
