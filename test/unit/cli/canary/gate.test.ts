import { BurnRateGate, canaryObjective } from '../../../../cli/canary/gate';
import { prometheus, prometheusPlace } from '../../../../cli/canary/prometheus';
import { burnAlerts } from '../../../../components/burn-rate';
import { ClusterAccess } from '../../../../local';
import { SimulatedPrometheus } from './support';

const PLACE = prometheusPlace('observability-dev/prometheus-service:9090');
const OBJECTIVE = canaryObjective('noodle-core-dev', 'noodle-runtime-canary', 0.999);
const isGate = (query: string): boolean => query.includes('14.4');

describe('the gate', () => {
  let simulated: SimulatedPrometheus;
  let gate: BurnRateGate;
  beforeEach(async () => {
    simulated = new SimulatedPrometheus(() => []);
    gate = new BurnRateGate(prometheus(new ClusterAccess(await simulated.start(), 'simulated'), PLACE), OBJECTIVE);
  });
  afterEach(() => simulated.stop());

  test('asks through the API server’s proxy, for the canary’s pods alone', async () => {
    await gate.look();
    const selector = 'namespace="noodle-core-dev",pod=~"noodle-runtime-canary-[a-z0-9]+-[a-z0-9]+"';
    for (const { path, query } of simulated.asked) {
      expect(path).toBe('/api/v1/namespaces/observability-dev/services/prometheus-service:9090/proxy/api/v1/query');
      expect(
        query
          .split('http_request_duration_seconds_count{')
          .slice(1)
          .every((rest) => rest.startsWith(selector)),
      ).toBe(true);
    }
    expect(simulated.asked).toHaveLength(2);
  });

  test('has the windows and factors of the alert that pages', async () => {
    await gate.look();
    const asked = simulated.asked.find(({ query }) => isGate(query))?.query ?? '';
    const [page] = burnAlerts(OBJECTIVE);
    const thresholds = (text: string): readonly string[] => text.match(/> [\d.]+ \* [\d.]+/g) ?? [];
    expect(thresholds(asked)).toEqual(thresholds(page?.expr ?? ''));
    expect(thresholds(asked).length).toBeGreaterThan(2);
  });

  test.each([
    ['good', ['0.4'], [], { state: 'good', detail: 'its error budget burns at 0.4 times the allowed rate' }],
    [
      'burning',
      ['120'],
      ['0.12'],
      { state: 'burning', detail: 'its error budget burns at 120.0 times the allowed rate' },
    ],
    ['no request', [], [], { state: 'unknown', detail: 'Prometheus has seen no request of the canary within 5m' }],
    ['no number', ['NaN'], [], { state: 'unknown', detail: 'Prometheus has seen no request of the canary within 5m' }],
  ] as const)('judges: %s', async (_, rate, burning, expected) => {
    simulated.answers = (query) => (isGate(query) ? burning : rate);
    expect(await gate.look()).toEqual(expected);
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

test('pods of the service itself, or of another canary, are not the canary’s', () => {
  const pattern = /pod=~"([^"]+)"/.exec(OBJECTIVE.bad)?.[1] ?? '';
  const matches = (pod: string): boolean => new RegExp(`^(?:${pattern})$`).test(pod);
  expect(matches('noodle-runtime-canary-6d5f8b7c9-x2z4q')).toBe(true);
  expect(matches('noodle-runtime-6d5f8b7c9-x2z4q')).toBe(false);
  expect(matches('my-noodle-runtime-canary-6d5f8b7c9-x2z4q')).toBe(false);
});

test.each(['prometheus:9090', 'a/b', 'a/b:http', 'a/b/c:1', ''])('%j is no place of Prometheus', (text) =>
  expect(() => prometheusPlace(text)).toThrow(`--prometheus takes NAMESPACE/SERVICE:PORT, got '${text}'.`),
);
