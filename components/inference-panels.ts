import type { InferenceFigures } from './inference-figures';
import type { DashboardPanel } from './monitoring';
import { DashboardTopic, PanelUnit } from './monitoring';
import { byJob } from './monitoring-parts';

const dashboard = DashboardTopic.INFERENCE;

/** What is worth seeing of a model server. */
export const inferencePanels = (
  name: string,
  figures: InferenceFigures,
  selector: string,
): readonly DashboardPanel[] => [
  {
    dashboard,
    title: `${name}: Requests`,
    description: 'Requests that are answered and that wait; a queue that stays means too few pods.',
    unit: PanelUnit.NUMBER,
    queries: [
      { expr: byJob('sum', `${figures.running}{${selector}}`), legend: 'answered' },
      { expr: byJob('sum', `${figures.waiting}{${selector}}`), legend: 'waiting' },
    ],
  },
  {
    dashboard,
    title: `${name}: Tokens`,
    description: 'Tokens a second that were read and written.',
    unit: PanelUnit.PER_SECOND,
    queries: [
      { expr: byJob('sum', `rate(${figures.written}{${selector}}[5m])`), legend: 'written' },
      { expr: byJob('sum', `rate(${figures.read}{${selector}}[5m])`), legend: 'read' },
    ],
  },
  ...memory(name, figures, selector),
  ...waiting(name, figures, selector),
];

const memory = (name: string, { cache }: InferenceFigures, selector: string): readonly DashboardPanel[] =>
  cache === undefined
    ? []
    : [
        {
          dashboard,
          title: `${name}: Cache of keys and values`,
          description:
            'Part of the device’s memory for requests that is in use; when it is full, requests are interrupted.',
          unit: PanelUnit.RATIO,
          queries: [{ expr: byJob('max', `${cache}{${selector}}`, 'pod'), legend: '{{pod}}' }],
        },
      ];

const waiting = (name: string, { firstToken }: InferenceFigures, selector: string): readonly DashboardPanel[] =>
  firstToken === undefined
    ? []
    : [
        {
          dashboard,
          title: `${name}: Time to the first token`,
          description: 'Half and 95 % of the completions begin within this time.',
          unit: PanelUnit.SECONDS,
          queries: [0.5, 0.95].map((part) => ({
            expr: `histogram_quantile(${part}, ${byJob('sum', `rate(${firstToken}_bucket{${selector}}[5m])`, 'le')})`,
            legend: `${part * 100} %`,
          })),
        },
      ];
