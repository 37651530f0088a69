import type { App } from 'cdk8s';
import { Chart, Duration } from 'cdk8s';
import { AutoscaledService } from '../../components/autoscaled-service';
import { CachePersistence, EvictionPolicy } from '../../components/cache-options';
import { CacheStore } from '../../components/cache-store';
import { secretKey } from '../../components/connections';
import { DatabaseEngine } from '../../components/database-engine';
import { kubeObject } from '../../components/kube';
import { LateTokens } from '../../components/late';
import { NamespaceBaseline } from '../../components/namespace-baseline';
import { ScalingSignal } from '../../components/scaling';
import { StatefulDatabase } from '../../components/stateful-database';
import { TlsIngress } from '../../components/tls-ingress';
import type { NoodleCoreValues } from './values';

const PORT = 8080;
const DATA_DIRECTORY = '/app/data';
const CONFIG_DIRECTORY = '/app/config';
/** Largest pool that one pod may open, as the system's description has it. */
const LARGEST_POOL = 20;
/** Connections that pools leave free, for backups, migrations and an operator. */
const SPARE_CONNECTIONS = 10;
const SECRET_KEY = 'SECRET_KEY';

/**
 * NoodleCore: a runtime behind a TLS ingress, PostgreSQL 15 for its data, Redis 7 as its cache.
 * The runtime starts once both stores are ready, and nothing else may talk to them.
 */
export class NoodleCore extends Chart {
  public readonly runtime: AutoscaledService;
  public readonly postgres: StatefulDatabase;
  public readonly redis: CacheStore;

  /** @throws ValidationError where a component refuses its values, before any of its objects exists */
  public constructor(
    scope: App,
    id: string,
    private readonly values: NoodleCoreValues,
  ) {
    super(scope, id, { namespace: values.namespace, labels: { 'app.kubernetes.io/part-of': 'noodle-core' } });
    const baseline = new NamespaceBaseline(this, 'baseline', {
      removalPolicy: values.removalPolicy,
    });
    this.postgres = this.addPostgres();
    this.redis = this.addRedis();
    this.runtime = this.addRuntime();
    this.runtime.connects(this.postgres, this.redis);
    const ingress = new TlsIngress(this, 'ingress', {
      certificate: values.certificate,
      ...(values.tlsSecretName === undefined ? {} : { secretName: values.tlsSecretName }),
      controller: { namespace: values.ingressNamespace },
      routes: [{ host: values.host, path: '/', to: this.runtime }],
    });
    for (const part of [this.postgres, this.redis, this.runtime, ingress]) part.node.addDependency(baseline);
  }

  private addPostgres(): StatefulDatabase {
    const { images, secrets, postgres, removalPolicy } = this.values;
    return new StatefulDatabase(this, 'postgres', {
      engine: DatabaseEngine.postgres('15', { image: images.postgres }),
      databaseName: 'noodlecore',
      username: 'noodlecore',
      password: secrets.postgresPassword,
      resources: postgres.resources,
      storage: postgres.storage,
      ...(postgres.storageClass === undefined ? {} : { storageClass: postgres.storageClass }),
      backup: postgres.backup,
      removalPolicy,
    });
  }

  private addRedis(): CacheStore {
    const { images, secrets, redis, removalPolicy } = this.values;
    return new CacheStore(this, 'redis', {
      image: images.redis,
      password: secrets.redisPassword,
      resources: redis.resources,
      // Sessions and queues live here too, so the file is kept, and only keys that may expire are dropped.
      persistence: CachePersistence.appendOnly(redis.storage),
      eviction: EvictionPolicy.VOLATILE_LRU,
      ...(redis.storageClass === undefined ? {} : { storageClass: redis.storageClass }),
      removalPolicy,
    });
  }

  private addRuntime(): AutoscaledService {
    const { images, secrets, runtime, environment } = this.values;
    const secret = kubeObject(
      this,
      'runtime-secret',
      'v1/Secret',
      { name: 'noodle-runtime-secret' },
      { stringData: { [SECRET_KEY]: LateTokens.of(this).asSecret(this, secrets.secretKey) } },
    );
    return new AutoscaledService(this, 'noodle-runtime', {
      image: images.runtime,
      port: PORT,
      minReplicas: runtime.minReplicas,
      maxReplicas: runtime.maxReplicas,
      resources: runtime.resources,
      scaleOn: [ScalingSignal.cpu(runtime.cpuTarget)],
      serviceType: runtime.serviceType,
      servicePort: 80,
      // The description's 30 s before the first liveness question are the least that a start may take here.
      startupDeadline: Duration.seconds(60),
      probes: { liveness: '/health', readiness: '/ready', startup: '/health/startup' },
      scratch: [DATA_DIRECTORY],
      configFiles: {
        directory: CONFIG_DIRECTORY,
        files: { 'runtime.json': `${JSON.stringify({ environment, logging: { format: 'json' } }, null, 2)}\n` },
      },
      env: {
        SERVICE_NAME: 'noodle-runtime',
        NOODLE_ENV: environment,
        NOODLE_LOG_LEVEL: runtime.logLevel,
        NOODLE_PORT: String(PORT),
        NOODLE_DATA_DIR: DATA_DIRECTORY,
        NOODLE_CONFIG_DIR: CONFIG_DIRECTORY,
        DATABASE_POOL_MAX: String(this.poolSize()),
        [SECRET_KEY]: secretKey(secret.name, SECRET_KEY),
      },
    });
  }

  /** Connections of one pod, so that all pods at once never exhaust the database. */
  private poolSize(): number {
    const free = this.postgres.settings.maxConnections - SPARE_CONNECTIONS;
    // One pod more than the maximum runs while a rollout replaces them.
    return Math.max(1, Math.min(LARGEST_POOL, Math.floor(free / (this.values.runtime.maxReplicas + 1))));
  }
}
