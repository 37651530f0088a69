import { Duration } from 'cdk8s';
import { redisCli } from './cache-alerts';
import type { CacheFacts } from './cache-monitoring';
import { Severity } from './monitoring';
import type { AlertDraft } from './monitoring-parts';
import { byJob, JOB, kubectl } from './monitoring-parts';

const { PAGE, TICKET } = Severity;

/** Alerts of several servers that belong together; none where there is one only. */
export function memberAlerts(cache: CacheFacts, selector: string): readonly AlertDraft[] {
  const { topology } = cache;
  if (topology.members === undefined) return [];
  return [
    memberDown(cache, selector),
    replicaLink(cache, selector),
    ...(topology.members.minReplicasToWrite > 0 ? [writesRefused(cache, selector)] : []),
    ...(topology.sentinels === undefined ? shards(cache, selector) : primaries(cache, selector)),
  ];
}

const primariesOf = (selector: string): string =>
  `(${byJob('count', `redis_instance_info{${selector},role="master"}`)} or 0 * ${byJob('max', `redis_up{${selector}}`)})`;

const look = (cache: CacheFacts): readonly string[] => [
  `\`./trellis logs ${cache.name}\``,
  redisCli(cache, 'info replication'),
  ...(cache.topology.sentinels === undefined
    ? []
    : [`\`./trellis logs ${cache.name}-sentinel\`: what they agreed on.`]),
];

const memberDown = (cache: CacheFacts, selector: string): AlertDraft => ({
  condition: 'MemberDown',
  expr: `${byJob('sum', `redis_up{${selector}}`)} < ${cache.topology.count}`,
  for: Duration.minutes(5),
  severity: TICKET,
  summary: `${JOB}: {{ $value }} of ${cache.topology.count} servers answer`,
  description: 'Another server has taken over where that was needed; one more loss may be felt.',
  steps: {
    means: 'A server is away for longer than a restart takes.',
    look: [`\`${kubectl(cache)} get pods -l app.kubernetes.io/name=${cache.name}\``, ...look(cache)],
    mend: ['Bring back what its pod waits for: its node or its volume. It finds the others by itself.'],
  },
});

const replicaLink = (cache: CacheFacts, selector: string): AlertDraft => ({
  condition: 'ReplicaDisconnected',
  expr: `${byJob('max', `redis_master_link_up{${selector}}`, 'pod')} == 0`,
  for: Duration.minutes(5),
  severity: TICKET,
  summary: `${JOB}: {{ $labels.pod }} does not follow its primary`,
  description: 'It answers with old data, and cannot take over without a loss.',
  steps: {
    means: 'A replica is up and has no connection to its primary.',
    look: look(cache),
    mend: [
      'A copy that begins again and again: raise the memory limit, or take less data.',
      'Otherwise delete the pod: it looks for its primary anew.',
    ],
  },
});

const writesRefused = (cache: CacheFacts, selector: string): AlertDraft => {
  const least = cache.topology.members?.minReplicasToWrite ?? 0;
  return {
    condition: 'WritesRefused',
    expr: `${byJob('min', `redis_connected_slaves{${selector}} and on (namespace, job, pod) redis_instance_info{${selector},role="master"}`, 'pod')} < ${least}`,
    for: Duration.minutes(1),
    severity: PAGE,
    summary: `${JOB}: {{ $labels.pod }} has {{ $value }} replicas and takes no writes`,
    description: `Below ${least} connected replicas a primary refuses to write, so that nothing is lost when it fails.`,
    steps: {
      means: 'Too few replicas are connected. Reads go on; every write fails.',
      look: look(cache),
      mend: ['Bring a replica back: writes go on by themselves.'],
    },
  };
};

const primaries = (cache: CacheFacts, selector: string): readonly AlertDraft[] => [
  {
    condition: 'NoPrimary',
    expr: `${primariesOf(selector)} == 0`,
    for: Duration.minutes(1),
    severity: PAGE,
    summary: `${JOB}: no server is the primary`,
    description: 'Sentinels agree on a new one within seconds; here they did not.',
    steps: {
      means: 'All servers that are left are replicas: every write fails.',
      look: look(cache),
      mend: [
        'Bring back sentinels: more than half of them have to agree.',
        'Bring back the last primary; it takes writes again at once.',
      ],
    },
  },
  {
    condition: 'TwoPrimaries',
    expr: `${primariesOf(selector)} > 1`,
    for: Duration.minutes(2),
    severity: PAGE,
    summary: `${JOB}: {{ $value }} servers take themselves for the primary`,
    description: 'What is written to the one that loses will be lost.',
    steps: {
      means: 'A primary that was cut off has not heard of its successor. The router leads to one of them only.',
      look: look(cache),
      mend: ['Delete the pod of the older primary, which is the one with fewer replicas: it comes back as a replica.'],
    },
  },
];

const shards = (cache: CacheFacts, selector: string): readonly AlertDraft[] => {
  const count = cache.topology.sharding?.shards ?? 0;
  return [
    {
      condition: 'ShardDown',
      expr: `${primariesOf(selector)} < ${count}`,
      for: Duration.minutes(1),
      severity: PAGE,
      summary: `${JOB}: {{ $value }} of ${count} shards have a primary`,
      description: 'The keys of the others can be neither read nor written.',
      steps: {
        means: 'A shard has lost its primary and no replica took over.',
        look: [...look(cache), redisCli(cache, 'cluster nodes')],
        mend: ['Bring back a member of that shard: it takes over, or is the primary again.'],
      },
    },
    {
      condition: 'ClusterBroken',
      expr: `${byJob('min', `redis_cluster_state{${selector}}`)} == 0`,
      for: Duration.minutes(1),
      severity: PAGE,
      summary: `${JOB}: a member says that the cluster is down`,
      description: 'It refuses every question until all slots are served and it sees a majority.',
      steps: {
        means: 'Slots are not served, or a member is cut off from most of the others.',
        look: [...look(cache), redisCli(cache, 'cluster info')],
        mend: ['Bring back the missing members; they find each other by themselves.'],
      },
    },
  ];
};
