import * as fc from 'fast-check';
import { Duration } from 'cdk8s';
import {
  BURN_WINDOWS,
  burnAlerts,
  burnGate,
  burnRate,
  burnRecordings,
  errorBudget,
  errorRatio,
  recorded,
  restrictedTo,
} from '../../../components/burn-rate';
import type { ServiceLevelObjective } from '../../../components/monitoring';
import { Severity } from '../../../components/monitoring';
import { selectorsOf } from '../../support/promql';
import { problemsOf } from '../../support/synth';

const selector = 'namespace="shop",job="api"';
const bare: ServiceLevelObjective = {
  name: 'api-availability',
  objective: 0.999,
  bad: `sum by (namespace, job) (rate(failed_total{${selector}}[$window]))`,
  total: `sum by (namespace, job) (rate(requests_total{${selector}}[$window]))`,
  summary: 'too many fail',
  runbook: 'Mend it.',
};
const objective: ServiceLevelObjective = { ...bare, selector };

test('the budget is what the objective leaves, without the dust of binary fractions', () => {
  const budgets = [0.999, 0.99, 0.9995, 0.95].map((share) => errorBudget({ ...objective, objective: share }));
  expect(budgets).toEqual([0.001, 0.01, 0.0005, 0.05]);
});

test('the error ratio is 0 while nothing fails, and there is none without events', () => {
  expect(errorRatio(objective, '10m')).toBe(
    '((sum by (namespace, job) (rate(failed_total{namespace="shop",job="api"}[10m]))) or ' +
      '0 * (sum by (namespace, job) (rate(requests_total{namespace="shop",job="api"}[10m])))) / ' +
      '((sum by (namespace, job) (rate(requests_total{namespace="shop",job="api"}[10m]))) > 0)',
  );
});

test('the burn rate is in budgets', () => {
  expect(burnRate(objective, '1h')).toBe(`(${errorRatio(objective, '1h')}) / 0.001`);
});

test('the ratio is recorded over every window, under one name each', () => {
  const rules = burnRecordings(objective);
  expect(rules.map(({ record }) => record)).toEqual(BURN_WINDOWS.map((window) => `slo:error_ratio:rate${window}`));
  for (const [index, { expr, labels }] of rules.entries()) {
    expect(expr).toBe(errorRatio(objective, BURN_WINDOWS[index] ?? ''));
    expect(labels).toEqual({ objective: 'api-availability' });
  }
});

describe('the alerts', () => {
  const [fast, slow] = burnAlerts(objective);
  const conditions = (expr = '') =>
    [...expr.matchAll(/rate(\w+)\{[^}]*\}\) > ([\d.]+) \* ([\d.]+)/g)].map(([, ...parts]) => parts.join(' '));

  it('page at 14.4 over 1h and 5m, and at 6 over 6h and 30m', () => {
    expect(fast).toMatchObject({ alert: 'ApiAvailabilityBurnsFast', severity: Severity.PAGE, runbook: 'Mend it.' });
    expect(conditions(fast?.expr)).toEqual(['1h 14.4 0.001', '5m 14.4 0.001', '6h 6 0.001', '30m 6 0.001']);
  });

  it('make a ticket at 3 over 1d and 2h, and at 1 over 3d and 6h', () => {
    expect(slow).toMatchObject({ alert: 'ApiAvailabilityBurnsSlowly', severity: Severity.TICKET });
    expect(conditions(slow?.expr)).toEqual(['1d 3 0.001', '2h 3 0.001', '3d 1 0.001', '6h 1 0.001']);
  });

  it('read what is recorded, of this objective only', () => {
    for (const { expr } of burnAlerts(objective)) {
      for (const { metric, labels } of selectorsOf(expr)) {
        expect(metric).toMatch(/^slo:error_ratio:rate/);
        expect(labels).toEqual(['namespace', 'job', 'objective']);
      }
    }
  });

  it('go by the name alone where nothing else is said', () => {
    expect(recorded(bare, '5m')).toBe('slo:error_ratio:rate5m{objective="api-availability"}');
  });
});

describe('the gate of a canary', () => {
  const canary = 'namespace="shop",job="api-canary"';

  it('is the same rule as the alert’s, on the canary’s own series', () => {
    const gate = burnGate(objective, canary);
    expect(gate).not.toContain('job="api"');
    expect(new Set(selectorsOf(gate).map(({ metric }) => metric))).toEqual(new Set(['failed_total', 'requests_total']));
    const shape = (expr: string) => expr.replaceAll(/slo:error_ratio:rate(\w+)\{[^}]*\}/g, 'RATIO $1');
    const own = restrictedTo(objective, canary);
    let expected = shape(burnAlerts(objective)[0]?.expr ?? '');
    for (const window of BURN_WINDOWS)
      expected = expected.replaceAll(`RATIO ${window})`, `${errorRatio(own, window)})`);
    expect(gate).toBe(expected);
  });

  it('looks no further back than it is told', () => {
    const windows = (longest: Duration): readonly string[] => [
      ...new Set(burnGate(objective, canary, Severity.PAGE, longest).match(/\[\w+\]/g)),
    ];
    expect(windows(Duration.seconds(90))).toEqual(['[90s]']);
    expect(windows(Duration.minutes(45))).toEqual(['[2700s]', '[5m]', '[30m]']);
    expect(windows(Duration.hours(6))).toEqual(['[1h]', '[5m]', '[6h]', '[30m]']);
  });

  it('can be that of the ticket', () => {
    expect(burnGate(objective, canary, Severity.TICKET)).toContain('> 3 * 0.001');
  });

  it.each([
    ['says nothing of its selector', { selector: undefined }],
    ['does not select by it', { bad: 'rate(failed_total[$window])' }],
    ['selects by it in one of both only', { total: 'rate(requests_total[$window])' }],
  ])('is refused for an objective that %s', (_, change) => {
    const { selector: own, ...rest } = { ...objective, ...change };
    expect(
      problemsOf(() => restrictedTo({ ...rest, ...(own === undefined ? {} : { selector: own }) }, canary)),
    ).toEqual(['selector must stand in both expressions, or they cannot be restricted']);
  });
});

describe('an objective is refused', () => {
  it.each([
    ['name', { name: 'Api Availability' }, /^name must be in kebab-case, got 'Api Availability'/],
    ['objective of 1', { objective: 1 }, /^objective must be below 1 and above 0\.931, got 1/],
    ['objective that never burns fast', { objective: 0.9 }, /^objective must be below 1 and above 0\.931, got 0\.9/],
    ['objective that is no number', { objective: Number.NaN }, /^objective must be .* got NaN/],
    ['bad without a window', { bad: 'rate(x[5m])' }, /^bad must have \$window/],
    ['total without a window', { total: 'rate(x[5m])' }, /^total must have \$window/],
  ])('for its %s', (_, change, problem) => {
    for (const rules of [burnRecordings, burnAlerts]) {
      const problems = problemsOf(() => rules({ ...objective, ...change }));
      expect(problems).toEqual([expect.stringMatching(problem)]);
    }
  });

  it('with all problems at once', () => {
    expect(problemsOf(() => burnAlerts({ ...objective, name: '-', objective: 2, bad: '' }))).toHaveLength(3);
  });

  it('and never for one that can be met and burnt', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.94, max: 0.99999, noNaN: true }), (share) => {
        const [fast] = burnAlerts({ ...objective, objective: share });
        expect(14.4 * errorBudget({ ...objective, objective: share })).toBeLessThan(1);
        expect(() => selectorsOf(fast?.expr ?? '')).not.toThrow();
      }),
    );
  });
});
