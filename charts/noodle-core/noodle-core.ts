import type { App } from 'cdk8s';
import { Chart } from 'cdk8s';
import type { AutoscaledService } from '../../components/autoscaled-service';
import { CachePersistence, EvictionPolicy } from '../../components/cache-options';
import { CacheStore } from '../../components/cache-store';
import { DatabaseEngine } from '../../components/database-engine';
import { kubeObject } from '../../components/kube';
import { LateTokens } from '../../components/late';
import { NamespaceAccess } from '../../components/namespace-access';
import { NamespaceBaseline } from '../../components/namespace-baseline';
import { StatefulDatabase } from '../../components/stateful-database';
import { TlsIngress } from '../../components/tls-ingress';
import { poolSize } from '../pools';
import { addIde, addNginx, addRuntime, SECRET, SECRET_KEY } from './services';
import type { NoodleCoreValues } from './values';

/**
 * NoodleCore: a runtime and its development interface behind a TLS ingress, PostgreSQL 15 for the runtime's data, Redis 7 as its cache.
 * The runtime starts once both stores are ready, and nothing else may talk to them. Nginx may stand between ingress and runtime.
 */
export class NoodleCore extends Chart {
  public readonly runtime: AutoscaledService;
  public readonly ide: AutoscaledService;
  /** Nothing where the ingress leads to the runtime itself. */
  public readonly nginx: AutoscaledService | undefined;
  public readonly postgres: StatefulDatabase;
  public readonly redis: CacheStore;

  /** @throws ValidationError where a component refuses its values, before any of its objects exists */
  public constructor(
    scope: App,
    id: string,
    private readonly values: NoodleCoreValues,
  ) {
    super(scope, id, { namespace: values.namespace, labels: { 'app.kubernetes.io/part-of': 'noodle-core' } });
    const { removalPolicy, largestNode, runtime } = values;
    const baseline = new NamespaceBaseline(this, 'baseline', { removalPolicy, largestNode });
    const access = new NamespaceAccess(this, 'access', values.access);
    this.addSecret();
    this.postgres = this.addPostgres();
    this.redis = this.addRedis();
    const pool = poolSize(this.postgres.settings.maxConnections, [runtime.maxReplicas]);
    this.runtime = addRuntime(this, values, pool).connects(this.postgres, this.redis);
    this.ide = addIde(this, values).connects(this.runtime);
    this.nginx = addNginx(this, values, this.runtime);
    const ingress = this.addIngress(this.nginx ?? this.runtime);
    const parts = [access, this.postgres, this.redis, this.runtime, this.ide, ingress];
    for (const part of [...parts, ...(this.nginx === undefined ? [] : [this.nginx])]) part.node.addDependency(baseline);
  }

  private addSecret(): void {
    const stringData = { [SECRET_KEY]: LateTokens.of(this).asSecret(this, this.values.secrets.secretKey) };
    kubeObject(this, 'runtime-secret', 'v1/Secret', { name: SECRET }, { stringData });
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

  private addIngress(front: AutoscaledService): TlsIngress {
    const { certificate, tlsSecretName, ingressNamespace, host, ide } = this.values;
    return new TlsIngress(this, 'ingress', {
      certificate,
      ...(tlsSecretName === undefined ? {} : { secretName: tlsSecretName }),
      controller: { namespace: ingressNamespace },
      routes: [
        { host, path: '/', to: front },
        { host: ide.host, path: '/', to: this.ide },
      ],
    });
  }
}
