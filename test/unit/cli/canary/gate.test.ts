import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { BurnRateGate } from '../../../../cli/canary/gate';
import { prometheus, prometheusPlace } from '../../../../cli/canary/prometheus';
import { burnAlerts } from '../../../../components/burn-rate';
import { ClusterAccess } from '../../../../local';
import { withSettings } from '../../../../cli/override';
import { setting } from '../../../../cli/setting';
import { objectivesOf } from '../../../../stacks/objectives';
import { SimulatedPrometheus } from './support';

const PLACE = prometheusPlace('observability-dev/prometheus-service:9090');
const FILE = 'Pulumi.dev.yaml';
const TEXT = readFileSync(path.resolve(__dirname, '../../../..', FILE), 'utf8');
const withWeight = (weight: number): string =>
  withSettings(TEXT, FILE, [setting(`noodleCore.runtime.canary.weight=${weight}`)]);
const of = (weight: number, workload = 'noodle-runtime-canary') =>
  objectivesOf(withWeight(weight), FILE, 'noodle-core-dev', workload);
const OBJECTIVES = of(1);
const isGate = (query: string): boolean => query.includes('14.4');

describe('the gate', () => {
  let simulated: SimulatedPrometheus;
  let gate: BurnRateGate;
  let now: number;
  beforeEach(async () => {
    simulated = new SimulatedPrometheus(() => []);
    now = 0;
    const query = prometheus(new ClusterAccess(await simulated.start(), 'simulated'), PLACE);
    gate = new BurnRateGate(query, OBJECTIVES, () => now);
  });
  afterEach(() => simulated.stop());

  test('asks through the API server’s proxy, for the canary’s pods alone', async () => {
    await gate.look();
    const selector = 'namespace="noodle-core-dev",job="noodle-runtime-canary"';
    for (const { path: where, query } of simulated.asked) {
      expect(where).toBe('/api/v1/namespaces/observability-dev/services/prometheus-service:9090/proxy/api/v1/query');
      expect(
        query
          .split('{')
          .slice(1)
          .every((rest) => rest.startsWith(selector)),
      ).toBe(true);
    }
    expect(simulated.asked).toHaveLength(4);
  });

  test('looks no further back than it is there, a minute at the least: a canary of before was another', async () => {
    const windows = async (elapsed: number): Promise<readonly string[]> => {
      now = elapsed;
      simulated.asked.length = 0;
      await gate.look();
      return [...new Set(simulated.asked.flatMap(({ query }) => query.match(/\[\w+\]/g) ?? []))].sort();
    };
    expect(await windows(5_000)).toEqual(['[60s]']);
    expect(await windows(100_500)).toEqual(['[101s]']);
    expect(await windows(40 * 60_000)).toEqual(['[2400s]', '[30m]', '[5m]']);
    expect(await windows(7 * 3_600_000)).toEqual(['[1h]', '[30m]', '[5m]', '[6h]']);
  });

  test('has the factors and budgets of the alerts that page', async () => {
    await gate.look();
    const thresholds = (texts: readonly string[]): readonly string[] =>
      texts.flatMap((text) => text.match(/> [\d.]+ \* [\d.]+/g) ?? []).sort();
    const asked = thresholds(simulated.asked.map(({ query }) => query).filter(isGate));
    const pages = OBJECTIVES.flatMap((objective) => burnAlerts(objective).slice(0, 1));
    expect(asked).toEqual(thresholds(pages.map(({ expr }) => expr)));
    expect(asked).toHaveLength(8);
  });

  const BURNS = 'the budget of noodle-runtime-canary-availability burns at';
  test.each([
    [
      'good',
      '0.4',
      '0',
      { state: 'good', detail: expect.stringContaining(`${BURNS} 0.4 times the allowed rate`) as string },
    ],
    ['burning', '120', '0', { state: 'burning', detail: `${BURNS} 120.0 times the allowed rate` }],
    ['slow', '0', '30', { state: 'burning', detail: expect.stringContaining('promptness burns at 30.0') as string }],
    ['no number', 'NaN', 'NaN', { state: 'unknown', detail: expect.stringContaining('seen no request') as string }],
  ] as const)('judges: %s', async (_, errors, late, expected) => {
    simulated.answers = (query) => {
      const rate = query.includes('status=~"5.."') ? errors : late;
      return isGate(query) ? (Number(rate) > 14.4 ? ['0.1'] : []) : [rate];
    };
    expect(await gate.look()).toEqual(expected);
  });

  test('knows nothing where no request was seen', async () => {
    expect(await gate.look()).toMatchObject({ state: 'unknown' });
  });

  test('knows nothing where Prometheus refuses', async () => {
    simulated.answers = () => ({ error: 'parse error' });
    expect(await gate.look()).toMatchObject({
      state: 'unknown',
      detail: expect.stringContaining('does not answer') as string,
    });
  });

  test('knows nothing where nobody is there', async () => {
    await simulated.stop();
    expect(await gate.look()).toMatchObject({
      state: 'unknown',
      detail: expect.stringContaining("can't be reached") as string,
    });
  }, 30_000);
});

test('a canary is judged by what its own component promises, and only where it exists', () => {
  expect(OBJECTIVES.map(({ name, objective }) => [name, objective])).toEqual([
    ['noodle-runtime-canary-availability', 0.999],
    ['noodle-runtime-canary-promptness', 0.99],
  ]);
  expect(of(0)).toEqual([]);
  expect(of(1, 'noodle-runtime').map(({ name }) => name)).toContain('noodle-runtime-availability');
});

test.each(['prometheus:9090', 'a/b', 'a/b:http', 'a/b/c:1', ''])('%j is no place of Prometheus', (text) =>
  expect(() => prometheusPlace(text)).toThrow(`--prometheus takes NAMESPACE/SERVICE:PORT, got '${text}'.`),
);
