import { DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { DashboardPanel } from '../../components/monitoring';
import { DashboardTopic, PanelUnit } from '../../components/monitoring';
import type { MonitoredComponent } from '../../components/monitoring-rules';
import { PROMETHEUS } from './data-sources';

const TITLES: Readonly<Record<DashboardTopic, string>> = {
  [DashboardTopic.APPLICATION]: 'Application performance',
  [DashboardTopic.ERRORS]: 'Error rate',
  [DashboardTopic.DATABASE]: 'Database performance',
  [DashboardTopic.CACHE]: 'Cache',
  [DashboardTopic.INFERENCE]: 'GPU inference',
  [DashboardTopic.SYSTEM]: 'System resources',
};

/** Half of a dashboard's 24 columns, and a height at which a legend fits. */
const PANEL = { width: 12, height: 8 };

/** The dashboards that have something to show, by topic: a row a component, in the order of the tree. */
export function dashboardsOf(components: readonly MonitoredComponent[]): ReadonlyMap<DashboardTopic, Dashboard> {
  return new Map(
    Object.values(DashboardTopic).flatMap((topic) => {
      const rows = components.flatMap(({ path, monitoring }) => {
        const panels = monitoring.panels.filter(({ dashboard }) => dashboard === topic);
        return panels.length === 0 ? [] : [{ path, panels }];
      });
      return rows.length === 0 ? [] : [[topic, dashboardOf(topic, rows)] as const];
    }),
  );
}

interface Row {
  /** Of the component's construct. */
  readonly path: string;
  readonly panels: readonly DashboardPanel[];
}

function dashboardOf(topic: DashboardTopic, rows: readonly Row[]): Dashboard {
  const builder = new DashboardBuilder(TITLES[topic])
    .uid(topic)
    .tags(['trellis'])
    .readonly()
    .refresh('30s')
    .time({ from: 'now-6h', to: 'now' })
    .timezone('browser');
  for (const { path, panels } of rows) {
    builder.withRow(new RowBuilder(path));
    for (const panel of panels) builder.withPanel(panelOf(panel));
  }
  return builder.build();
}

function panelOf({ title, description, unit, queries }: DashboardPanel): PanelBuilder {
  const panel = new PanelBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(PROMETHEUS)
    .span(PANEL.width)
    .height(PANEL.height)
    .min(0);
  if (unit === PanelUnit.RATIO) panel.max(1);
  for (const [index, { expr, legend }] of queries.entries()) {
    const refId = String.fromCharCode('A'.charCodeAt(0) + index);
    panel.withTarget(new DataqueryBuilder().expr(expr).legendFormat(legend).range().refId(refId));
  }
  return panel;
}
