import type { Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { serverAlerts } from './cache-alerts';
import { memberAlerts } from './cache-member-alerts';
import { METRICS_PORT } from './cache-metrics';
import type { CachePersistence, EvictionPolicy } from './cache-options';
import { cachePanels } from './cache-panels';
import type { CacheTopology } from './cache-topology';
import type { Monitoring } from './monitoring';
import { alertsNamed } from './monitoring-parts';
import { jobSelector, namespaceOf } from './promql';

/** What the alerts of a cache depend on. */
export interface CacheFacts extends Construct {
  readonly name: string;
  readonly topology: CacheTopology;
  readonly maxMemory: Size;
  readonly maxClients: number;
  readonly eviction: EvictionPolicy;
  readonly persistence: CachePersistence;
}

/** How the servers of a cache are watched, each by the exporter beside it. Sentinels and routers have no metrics. */
export function cacheMonitoring(cache: CacheFacts): Monitoring {
  const { name, topology } = cache;
  const namespace = namespaceOf(cache);
  const selector = jobSelector(cache, name);
  return {
    targets: [
      {
        job: name,
        ...(namespace === undefined ? {} : { namespace }),
        labels: { 'app.kubernetes.io/name': name },
        port: METRICS_PORT,
        exporter: 'redis-exporter',
      },
    ],
    recordings: [],
    alerts: alertsNamed(name, [...serverAlerts(cache, selector), ...memberAlerts(cache, selector)]),
    objectives: [],
    panels: cachePanels(name, selector, topology.members !== undefined),
  };
}
