import type { Construct } from 'constructs';
import { serverAlerts } from './database-alerts';
import type { DatabaseSettings } from './database-configuration';
import { METRICS_PORT } from './database-metrics';
import { databasePanels } from './database-panels';
import { replicaAlerts } from './database-replica-alerts';
import type { Labels } from './kube';
import type { Monitoring, ScrapeTarget } from './monitoring';
import { alertsNamed } from './monitoring-parts';
import { jobSelector, namespaceOf, quoted } from './promql';

/** What the alerts of a database depend on. */
export interface DatabaseFacts {
  readonly scope: Construct;
  readonly name: string;
  /** Bytes of each server's volume. */
  readonly storageBytes: number;
  readonly readReplicas: number;
  readonly settings: Pick<DatabaseSettings, 'maxWalSize' | 'maxConnections'>;
}

/** What a database's expressions select by. */
export interface DatabaseSelectors {
  readonly primary: string;
  readonly replicas: string;
  /** Primary and replicas. */
  readonly all: string;
}

/** Job of a database's replicas. */
export const replicaJob = (name: string): string => `${name}-replica`;

function selectorsOf({ scope, name, readReplicas }: DatabaseFacts): DatabaseSelectors {
  const primary = jobSelector(scope, name);
  const replicas = jobSelector(scope, replicaJob(name));
  const both = primary.replace(`job=${quoted(name)}`, `job=~${quoted(`${name}|${replicaJob(name)}`)}`);
  return { primary, replicas, all: readReplicas > 0 ? both : primary };
}

/** How the servers of a database are watched, each by the exporter beside it. */
export function databaseMonitoring(facts: DatabaseFacts): Monitoring {
  const { scope, name, readReplicas } = facts;
  const namespace = namespaceOf(scope);
  const target = (job: string): ScrapeTarget => ({
    job,
    ...(namespace === undefined ? {} : { namespace }),
    labels: podLabels(job),
    port: METRICS_PORT,
    exporter: 'postgres-exporter',
  });
  const selectors = selectorsOf(facts);
  const drafts = [...serverAlerts(facts, selectors), ...(readReplicas > 0 ? replicaAlerts(facts, selectors) : [])];
  return {
    targets: [target(name), ...(readReplicas > 0 ? [target(replicaJob(name))] : [])],
    recordings: [],
    alerts: alertsNamed(name, drafts),
    objectives: [],
    panels: databasePanels(name, selectors, readReplicas > 0),
  };
}

const podLabels = (name: string): Labels => ({ 'app.kubernetes.io/name': name });
