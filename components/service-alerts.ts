import { Duration } from 'cdk8s';
import { Severity } from './monitoring';
import type { AlertDraft } from './monitoring-parts';
import { byJob, JOB, kubectl } from './monitoring-parts';
import type { ServiceFacts } from './service-monitoring';

const { PAGE, TICKET } = Severity;

/** Part of a pool's connections that are in use when requests soon wait. */
const POOL_PART = 0.9;

/** Alerts of a service beside those on its objectives. */
export const serviceAlerts = (facts: ServiceFacts, selector: string): readonly AlertDraft[] => [
  ...pods(facts, selector),
  restarting(facts, selector),
  ...backends(facts, selector),
];

function pods(facts: ServiceFacts, selector: string): readonly AlertDraft[] {
  const { scope, name } = facts;
  const look = [
    '`./trellis status`: why pods wait or restart.',
    `\`${kubectl(scope)} describe pod -l app.kubernetes.io/name=${name}\`: events, and the reason of the last end.`,
    `\`./trellis logs ${name}\``,
  ];
  return [
    {
      condition: 'Down',
      expr: `${byJob('sum', `up{${selector}}`)} == 0 or absent(up{${selector}})`,
      for: Duration.minutes(2),
      severity: PAGE,
      summary: `${JOB}: no pod answers`,
      description: 'All pods are away, or none can be reached: every request fails.',
      steps: {
        means: 'Nobody answers. Behind an ingress users see 502 or 503.',
        look,
        mend: [
          `A release that does not start: \`${kubectl(scope)} rollout undo deployment/${name}\`, then the image in the environment’s file.`,
          'No node has room: see the quota and the nodes, or lower `resources`.',
          'Pods that run and are not scraped: look at the NetworkPolicy, and at `metrics.path`.',
        ],
      },
    },
    {
      condition: 'PodDown',
      expr: `${byJob('max', `up{${selector}}`, 'pod')} == 0`,
      for: Duration.minutes(10),
      severity: TICKET,
      summary: `${JOB}: {{ $labels.pod }} does not answer`,
      description: 'The other pods do its work.',
      steps: {
        means: 'One pod does not answer for ten minutes.',
        look,
        mend: [`Delete it, and see whether its successor fares better: \`${kubectl(scope)} delete pod POD\`.`],
      },
    },
  ];
}

const restarting = ({ scope, name }: ServiceFacts, selector: string): AlertDraft => ({
  condition: 'Restarting',
  expr: `${byJob('max', `changes(process_start_time_seconds{${selector}}[30m])`, 'pod')} > 2`,
  severity: TICKET,
  summary: `${JOB}: {{ $labels.pod }} started {{ $value }} times within half an hour`,
  description: 'The process ends, or its liveness probe fails, again and again.',
  steps: {
    means: 'A container starts over and over. Requests that it had begun are lost each time.',
    look: [
      `\`${kubectl(scope)} describe pod -l app.kubernetes.io/name=${name}\`: \`OOMKilled\`, an exit code, or a failed probe.`,
      `\`${kubectl(scope)} logs POD --previous\`: its last words.`,
    ],
    mend: ['`OOMKilled`: raise the memory limit, or find the leak.', 'A failed probe: more CPU, or mend what blocks.'],
  },
});

const backends = ({ name }: ServiceFacts, selector: string): readonly AlertDraft[] => [
  {
    condition: 'BackendDown',
    expr: `${byJob('max', `backend_up{${selector}}`, 'backend')} == 0`,
    for: Duration.minutes(3),
    severity: PAGE,
    summary: `${JOB}: no pod reaches {{ $labels.backend }}`,
    description: 'The pods are not ready while it is away: every request fails.',
    steps: {
      means: 'What the service needs does not answer any of its pods.',
      look: [
        'Whether that back end raises an alert of its own.',
        `\`./trellis logs ${name}\`: a refused connection, a time-out, or a wrong password.`,
      ],
      mend: [
        'The back end is down: mend it.',
        'It is up: a NetworkPolicy without this edge, or a password that was changed on one side only; run `./trellis up`.',
      ],
    },
  },
  {
    condition: 'PoolExhausted',
    expr:
      `(${byJob('sum', `database_pool_connections{${selector},state="open"}`, 'pod')} - ` +
      `${byJob('sum', `database_pool_connections{${selector},state="idle"}`, 'pod')}) / ` +
      `${byJob('max', `database_pool_connections_max{${selector}}`, 'pod')} > ${POOL_PART}`,
    for: Duration.minutes(5),
    severity: TICKET,
    summary: `${JOB}: {{ $labels.pod }} uses {{ $value | humanizePercentage }} of its connections to the database`,
    description: 'When all are in use, requests wait for one and get slow.',
    steps: {
      means: `More than ${POOL_PART * 100} % of the pool are in use for five minutes.`,
      look: ['Panel “Database pool”: requests that wait.', 'The database’s panels: whether statements got slower.'],
      mend: [
        'Slow statements: mend them first.',
        'Otherwise more pods, or a larger `DATABASE_POOL_MAX` where the database has room.',
      ],
    },
  },
];
