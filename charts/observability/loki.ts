import { Duration, Yaml } from 'cdk8s';
import type { Construct } from 'constructs';
import { kubeObject } from '../../components/kube';
import type { Late } from '../../components/late';
import type { RemovalPolicy } from '../../components/release-options';
import { claimOf, Server } from './server';
import type { LokiValues } from './values';

/** User that the upstream image runs as. */
const USER = 10_001;
const PORT = 3100;
const FOLDER = '/etc/loki';
const DATA = '/loki';

interface LokiOptions {
  readonly image: Late;
  readonly values: LokiValues;
  readonly removalPolicy: RemovalPolicy;
}

/** Loki in one process, with its chunks on a volume: enough for the logs of two systems, and nothing else to look after. */
export class Loki extends Server {
  public constructor(scope: Construct, id: string, { image, values, removalPolicy }: LokiOptions) {
    super(scope, id, {
      image,
      port: PORT,
      user: USER,
      resources: values.resources,
      args: [`-config.file=${FOLDER}/loki.yaml`],
      // Its readiness waits for the ring; whether it lives is a question that the ring has no part in.
      probes: { liveness: '/loki/api/v1/status/buildinfo', readiness: '/ready' },
      startup: Duration.minutes(5),
      files: [{ name: 'config', directory: FOLDER, source: { configMap: { name: `${id}-config` } } }],
      data: { directory: DATA, claim: claimOf(values) },
      removalPolicy,
    });
    const data = { 'loki.yaml': Yaml.stringify(lokiConfiguration(values)) };
    kubeObject(this, 'Config', 'v1/ConfigMap', { name: `${id}-config`, labels: this.selector }, { data });
  }
}

const lokiConfiguration = ({ retention }: LokiValues): object => ({
  // One tenant; NetworkPolicies say who may write and read.
  auth_enabled: false,
  server: { http_listen_port: PORT, log_format: 'json', log_level: 'warn' },
  common: {
    instance_addr: '127.0.0.1',
    path_prefix: DATA,
    replication_factor: 1,
    ring: { kvstore: { store: 'inmemory' } },
    storage: { filesystem: { chunks_directory: `${DATA}/chunks`, rules_directory: `${DATA}/rules` } },
  },
  schema_config: {
    configs: [
      {
        // Before any line that will ever be sent: there is no older schema to read.
        from: '2024-04-01',
        store: 'tsdb',
        object_store: 'filesystem',
        schema: 'v13',
        index: { prefix: 'index_', period: '24h' },
      },
    ],
  },
  limits_config: { retention_period: `${retention.toHours()}h`, allow_structured_metadata: true },
  compactor: {
    working_directory: `${DATA}/compactor`,
    // Without it logs stay for ever, whatever the limits say.
    retention_enabled: true,
    delete_request_store: 'filesystem',
  },
  analytics: { reporting_enabled: false },
});
