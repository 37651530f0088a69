import { App, Chart, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import type { AlertRule, IMonitored, Monitoring } from '../../../components/monitoring';
import { isMonitored, Severity } from '../../../components/monitoring';
import { NO_MONITORING } from '../../../components/monitoring-parts';
import { alertsOf, collectMonitoring, prometheusRules, recordingsOf } from '../../../components/monitoring-rules';
import { problemsOf } from '../../support/synth';

class Monitored extends Construct implements IMonitored {
  public constructor(
    scope: Construct,
    id: string,
    private readonly own: Partial<Monitoring> = {},
  ) {
    super(scope, id);
  }

  public monitoring(): Monitoring {
    return { ...NO_MONITORING, ...this.own };
  }

  public allowScraping(): void {
    throw new TypeError('nobody asks');
  }
}

const alert: AlertRule = {
  alert: 'ApiDown',
  expr: 'up{namespace="shop",job="api"} == 0',
  for: Duration.minutes(90),
  severity: Severity.PAGE,
  summary: 'down',
  description: 'It is down.',
  runbook: 'Start it.',
};
const objective = {
  name: 'api-availability',
  objective: 0.99,
  bad: 'rate(bad[$window])',
  total: 'rate(all[$window])',
  summary: 'too many fail',
  runbook: 'Mend it.',
};
const recording = { record: 'job:up:sum', expr: 'sum(up)' };
const target = { job: 'api', labels: { app: 'api' }, port: 8080, exporter: 'reference-service' };

const charts = () => {
  const app = new App();
  const [shop, office] = ['shop', 'office'].map((name) => new Chart(app, name, { namespace: name })) as [Chart, Chart];
  return { app, shop, office };
};

describe('what a tree tells', () => {
  test('is folded from every depth, in the order of the tree', () => {
    const { app, shop, office } = charts();
    new Monitored(shop, 'api', { targets: [target], alerts: [alert] });
    new Monitored(new Construct(office, 'inner'), 'api', { targets: [target], recordings: [recording] });
    const found = collectMonitoring(app);
    expect(found.components.map(({ path, namespace }) => [path, namespace])).toEqual([
      ['shop/api', 'shop'],
      ['office/inner/api', 'office'],
    ]);
    expect(found).toMatchObject({ targets: [target, target], alerts: [alert], recordings: [recording], panels: [] });
    expect(collectMonitoring(office).components).toHaveLength(1);
  });

  test('leaves out components that tell nothing, and constructs that are no components', () => {
    const { app, shop } = charts();
    new Monitored(shop, 'silent');
    expect(collectMonitoring(app).components).toEqual([]);
    expect([isMonitored(shop), isMonitored(shop.node.findChild('silent'))]).toEqual([false, true]);
  });

  test('may have no namespace', () => {
    const chart = new Chart(new App(), 'chart');
    new Monitored(chart, 'api', { alerts: [alert] });
    expect(collectMonitoring(chart).components[0]).not.toHaveProperty('namespace');
  });

  test.each<[string, Partial<Monitoring>, string]>([
    ['job', { targets: [target] }, "job 'api'"],
    ['alert', { alerts: [alert] }, "alert 'ApiDown'"],
    ['objective', { objectives: [objective] }, "objective 'api-availability'"],
    ['recorded series', { recordings: [recording] }, "recorded series 'job:up:sum'"],
  ])('may have each %s once a namespace', (_, own, what) => {
    const { app, shop, office } = charts();
    new Monitored(shop, 'one', own);
    new Monitored(office, 'one', own);
    expect(problemsOf(() => collectMonitoring(app))).toEqual([]);
    new Monitored(shop, 'two', own);
    expect(problemsOf(() => collectMonitoring(app))).toContain(`${what} is both of shop/one and of shop/two`);
  });

  test('may not have an alert beside the one of an objective of that name', () => {
    const { app, shop } = charts();
    new Monitored(shop, 'one', { objectives: [objective] });
    new Monitored(shop, 'two', { alerts: [{ ...alert, alert: 'ApiAvailabilityBurnsFast' }] });
    expect(problemsOf(() => collectMonitoring(app))).toEqual([
      "alert 'ApiAvailabilityBurnsFast' is both of shop/one and of shop/two",
    ]);
  });

  test('may record a series again with other labels', () => {
    const { app, shop } = charts();
    for (const job of ['one', 'two']) new Monitored(shop, job, { recordings: [{ ...recording, labels: { job } }] });
    expect(problemsOf(() => collectMonitoring(app))).toEqual([]);
  });
});

describe('the rule file', () => {
  const file = (own: Partial<Monitoring>) => {
    const { app, shop } = charts();
    new Monitored(shop, 'api', own);
    return prometheusRules(collectMonitoring(app));
  };

  test('has a group for each component, what is recorded first', () => {
    const { groups } = file({ alerts: [alert], recordings: [recording], objectives: [objective] });
    expect(groups.map(({ name }) => name)).toEqual(['shop/api']);
    const names = groups[0]?.rules.map((rule) => ('record' in rule ? rule.record : rule.alert));
    expect(names?.slice(0, 2)).toEqual(['job:up:sum', 'slo:error_ratio:rate5m']);
    expect(names?.slice(-3)).toEqual(['ApiDown', 'ApiAvailabilityBurnsFast', 'ApiAvailabilityBurnsSlowly']);
  });

  test('writes an alert as Prometheus wants it, with its runbook', () => {
    expect(file({ alerts: [alert] }).groups[0]?.rules).toEqual([
      {
        alert: 'ApiDown',
        expr: alert.expr,
        for: '90m',
        labels: { severity: 'page' },
        annotations: { summary: 'down', description: 'It is down.', runbook: 'Start it.' },
      },
    ]);
  });

  test('writes no time where an alert fires at once', () => {
    const { for: _, ...atOnce } = alert;
    expect(file({ alerts: [atOnce] }).groups[0]?.rules[0]).not.toHaveProperty('for');
  });

  test('has no group without a rule', () => {
    expect(file({ targets: [target] })).toEqual({ groups: [] });
  });

  test('comes from what the component tells, objectives included', () => {
    const own = { ...NO_MONITORING, alerts: [alert], recordings: [recording], objectives: [objective] };
    expect(alertsOf(own)).toHaveLength(3);
    expect(recordingsOf(own)).toHaveLength(8);
  });
});
