import { readFileSync } from 'node:fs';
import { CASES, promtoolFiles, untested } from '../../../cli/alerts/check';
import { metricNames } from '../../../cli/alerts/exposition';
import { referenceService } from '../../../cli/alerts/names';
import { alertsPage, PAGE } from '../../../cli/alerts/page';
import { samples } from '../../../cli/alerts/samples';
import { alertsOf } from '../../../components';
import { expressionsOf, knownTo, monitoringProblems, selectorProblems, selectorsOf } from '../../support/promql';

const SAMPLES = samples();
const [first = SAMPLES[0]] = SAMPLES;

describe('the expressions of all components', () => {
  it.each(SAMPLES)('name metrics that are written, and select by namespace and job: $title', ({ component }) => {
    expect(expressionsOf(component.monitoring).length).toBeGreaterThan(3);
    expect(monitoringProblems(component)).toEqual([]);
  });

  it('would be caught with a misspelled metric, each by itself', () => {
    for (const { component } of SAMPLES) {
      const known = knownTo(component.monitoring);
      for (const [, expr] of expressionsOf(component.monitoring)) {
        const { metric = '' } = selectorsOf(expr)[0] ?? {};
        expect(selectorProblems(expr.replace(`${metric}{`, `${metric}s{`), known)).toContain(
          `${metric}s is no metric of its exporter`,
        );
      }
    }
  });

  it.each([
    ['no namespace', 'sum(rate(pg_up{job="a"}[5m]))', ['pg_up has no matcher for namespace']],
    ['no job', 'pg_up{namespace="a"} == 0', ['pg_up has no matcher for job']],
    ['nothing at all', 'absent(pg_up)', ['pg_up has no matcher for namespace', 'pg_up has no matcher for job']],
    [
      'the second one',
      'pg_up{namespace="a",job="b"} and pg_down{namespace="a",job="b"}',
      ['pg_down is no metric of its exporter'],
    ],
  ])('would be caught with %s', (_, expr, problems) => {
    expect(selectorProblems(expr, new Set(['pg_up']))).toEqual(problems);
  });

  it('have to be PromQL', () => expect(() => selectorsOf('sum(up{job="a"}')).toThrow(SyntaxError));
});

describe('the catalogue of metric names', () => {
  it('is what the reference service writes', async () => {
    const { names } = await referenceService();
    // What Node.js tells of itself depends on what it happens to do.
    const steady = (all: readonly string[]) => all.filter((name) => !name.startsWith('nodejs_'));
    expect(steady(names)).toEqual(steady(metricNames('reference-service').names));
  });

  it.each(SAMPLES)('has each exporter: $title', ({ component }) => {
    for (const { exporter } of component.monitoring.targets)
      expect(metricNames(exporter).names.length).toBeGreaterThan(10);
  });
});

describe('the cases for promtool', () => {
  it.each(SAMPLES)('are there for every alert, firing and not: $title', (sample) => {
    expect(untested(sample, CASES)).toEqual([]);
  });

  it('are missed where one is taken away', () => {
    const [gone] = CASES;
    expect(
      untested(
        first!,
        CASES.filter((one) => one.alert !== gone?.alert || one.fires),
      ),
    ).toEqual([`${gone?.alert} has no case in which it does not fire`]);
    expect(untested(first!, []).length).toBe(2 * alertsOf(first!.component.monitoring).length);
  });

  it('belong to an alert each', () => {
    const alerts = SAMPLES.flatMap(({ component }) => alertsOf(component.monitoring).map(({ alert }) => alert));
    expect(CASES.filter(({ alert }) => !alerts.includes(alert))).toEqual([]);
    expect(new Set(alerts).size).toBe(alerts.length);
  });

  it('all reach promtool', () => {
    const titles = SAMPLES.flatMap((sample) => Object.values(promtoolFiles(sample, CASES)))
      .join('\n')
      .match(/- name: "?\w+: /g);
    expect(titles).toHaveLength(CASES.length);
  });
});

describe('the runbooks', () => {
  const alerts = SAMPLES.flatMap(({ component }) => alertsOf(component.monitoring));

  it.each(alerts)(
    'say what it means, where to look and how it is mended: $alert',
    ({ runbook, summary, description }) => {
      const [means = '', look = '', mend = ''] = runbook.split('\n\n**');
      expect(means).toMatch(/^[A-Z`].{30,}\.$/s);
      expect(look).toMatch(/^Look:\*\*\n\n- /);
      expect(mend).toMatch(/^Mend:\*\*\n\n1\. /);
      // It becomes an annotation, where Prometheus would take braces for a template.
      expect(runbook).not.toContain('{{');
      for (const text of [summary, description]) expect(text).not.toMatch(/undefined|NaN|\[object/);
    },
  );
});

test('docs/alerts.md is what the components tell', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(alertsPage(SAMPLES));
});
