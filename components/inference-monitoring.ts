import { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import type { InferenceFigures } from './inference-figures';
import { inferencePanels } from './inference-panels';
import type { LateSecret } from './late';
import type { Monitoring, ServiceLevelObjective } from './monitoring';
import { Severity } from './monitoring';
import type { AlertDraft } from './monitoring-parts';
import { alertsNamed, byJob, JOB, kubectl, runbook } from './monitoring-parts';
import { jobSelector, namespaceOf } from './promql';

const { PAGE, TICKET } = Severity;

/** What the alerts of a model server depend on. */
export interface InferenceFacts {
  readonly scope: Construct;
  readonly name: string;
  readonly port: number;
  /** Requests that one pod answers at the same time. */
  readonly slots: number;
  /** Longest time from the start of a pod until it answers, in seconds. */
  readonly startupSeconds: number;
  readonly figures: InferenceFigures;
  /** Key that metrics are shown for. @default - they are shown to everybody who is let in */
  readonly apiKey: LateSecret | undefined;
}

/** How a model server is watched, by the metrics that it serves itself. */
export function inferenceMonitoring(facts: InferenceFacts): Monitoring {
  const { scope, name, port, figures, apiKey } = facts;
  const namespace = namespaceOf(scope);
  const selector = jobSelector(scope, name);
  const drafts = [down(facts, selector), ...work(facts, selector), ...cache(facts, selector)];
  return {
    targets: [
      {
        job: name,
        ...(namespace === undefined ? {} : { namespace }),
        ...{ labels: { 'app.kubernetes.io/name': name }, port, exporter: figures.exporter },
        ...(apiKey === undefined || !figures.guarded ? {} : { bearerToken: apiKey }),
      },
    ],
    recordings: [],
    alerts: alertsNamed(name, drafts),
    objectives: figures.firstToken === undefined ? [] : [firstToken(facts, figures.firstToken, selector)],
    panels: inferencePanels(name, figures, selector),
  };
}

const look = ({ scope, name }: InferenceFacts): readonly string[] => [
  `\`./trellis status\` and \`./trellis logs ${name}\`: whether it loads the model, and what it says.`,
  `\`${kubectl(scope)} describe pod -l app.kubernetes.io/name=${name}\`: \`OOMKilled\`, or no node with a free device.`,
];

const down = (facts: InferenceFacts, selector: string): AlertDraft => ({
  condition: 'Down',
  expr: `${byJob('sum', `up{${selector}}`)} == 0 or absent(up{${selector}})`,
  // A roll-out without a spare device ends the old pod first, and the new one loads the model.
  for: Duration.seconds(Math.max(300, facts.startupSeconds)),
  severity: PAGE,
  summary: `${JOB}: no model server answers`,
  description: 'All pods are away for longer than loading the model takes: every completion fails.',
  steps: {
    means: 'No completion is answered, and services that wait for one answer 502.',
    look: look(facts),
    mend: [
      'No node with a free device: bring one back, or take fewer devices.',
      'Killed for memory: fewer `slots` or less `contextPerSlot`, or a larger limit.',
      'A model that cannot be loaded: see its checksum and the download’s log.',
    ],
  },
});

function work(facts: InferenceFacts, selector: string): readonly AlertDraft[] {
  const { figures, slots } = facts;
  return [
    {
      condition: 'QueueLong',
      expr: `${byJob('avg', `${figures.waiting}{${selector}}`)} > ${slots}`,
      for: Duration.minutes(10),
      severity: TICKET,
      summary: `${JOB}: {{ $value | humanize }} requests wait for each pod`,
      description: 'Each of them waits for longer than a whole completion takes.',
      steps: {
        means: `More requests wait for a pod than it answers at the same time (${slots}), for ten minutes.`,
        look: ['Panel “Requests”: a step in the callers’ traffic, or fewer pods.', ...look(facts)],
        mend: ['Raise `maxReplicas`, where devices are free.', 'Otherwise limit what callers may ask for.'],
      },
    },
    {
      condition: 'NoTokens',
      expr: `${byJob('sum', `rate(${figures.work}{${selector}}[5m])`, 'pod')} == 0 and ${byJob('min', `min_over_time(${figures.running}{${selector}}[5m])`, 'pod')} > 0`,
      for: Duration.minutes(5),
      severity: PAGE,
      summary: `${JOB}: {{ $labels.pod }} has requests and writes no token`,
      description: 'The server hangs: its probes may still be answered.',
      steps: {
        means: 'Requests are being answered, as the server says, and nothing comes of it.',
        look: [...look(facts), 'The node’s kernel log: errors of the device (`Xid`).'],
        mend: [
          `Delete the pod: \`${kubectl(facts.scope)} delete pod POD\`.`,
          'Should it come back: drain the node, and have the device checked.',
        ],
      },
    },
  ];
}

function cache(facts: InferenceFacts, selector: string): readonly AlertDraft[] {
  const { preemptions } = facts.figures;
  if (preemptions === undefined) return [];
  return [
    {
      condition: 'CacheExhausted',
      expr: `${byJob('sum', `rate(${preemptions}{${selector}}[15m])`, 'pod')} > 0.1`,
      for: Duration.minutes(15),
      severity: TICKET,
      summary: `${JOB}: {{ $labels.pod }} interrupts requests for want of memory`,
      description: 'What was computed for them is thrown away and computed again.',
      steps: {
        means: 'Keys and values of all requests do not fit the device, so that some are put back.',
        look: ['Panel “Cache of keys and values”.', ...look(facts)],
        mend: ['Fewer `slots` or less `contextPerSlot`, `fp8Cache`, or more devices.'],
      },
    },
  ];
}

/** A person waits for the first token, and reads the others as they come. */
const FIRST_TOKEN = { seconds: 10, objective: 0.95 } as const;

function firstToken(facts: InferenceFacts, histogram: string, selector: string): ServiceLevelObjective {
  const { name } = facts;
  const { seconds, objective } = FIRST_TOKEN;
  const rate = (series: string, matchers: string): string =>
    `sum by (namespace, job) (rate(${histogram}_${series}{${matchers}}[$window]))`;
  const total = rate('count', selector);
  return {
    name: `${name}-first-token`,
    objective,
    selector,
    bad: `${total} - ${rate('bucket', `${selector},le=~"${seconds}(\\\\.0)?"`)}`,
    total,
    summary: `{{ $labels.namespace }}/{{ $labels.job }}: too many completions begin later than after ${seconds} s`,
    runbook: runbook({
      means: `Of all completions, ${objective * 100} % should begin within ${seconds} s over 30 days. More of them are late.`,
      look: [
        'Panels “Requests” and “Time to the first token”: whether they wait, or prompts are long.',
        ...look(facts),
      ],
      mend: ['Raise `maxReplicas`, where devices are free.', 'Otherwise limit the length of prompts.'],
    }),
  };
}
