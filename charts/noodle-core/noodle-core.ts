import type { App } from 'cdk8s';
import { Chart } from 'cdk8s';
import type { AutoscaledService } from '../../components/autoscaled-service';
import type { BackupStatus } from '../../components/backup-status';
import type { CacheStore } from '../../components/cache-store';
import { kubeObject } from '../../components/kube';
import { LateTokens } from '../../components/late';
import { NamespaceAccess } from '../../components/namespace-access';
import { NamespaceBaseline } from '../../components/namespace-baseline';
import type { StatefulDatabase } from '../../components/stateful-database';
import type { TlsIngress } from '../../components/tls-ingress';
import { Backups } from '../backups';
import { addIngress } from '../edge';
import { addCache, addDatabase, poolSize } from '../stores';
import { addTracing } from '../tracing';
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
  /** What knows when each store was last backed up and proved; nothing where no backups are made. */
  public readonly backupStatus: BackupStatus | undefined;

  /** @throws ValidationError where a component refuses its values, before any of its objects exists */
  public constructor(
    scope: App,
    id: string,
    private readonly values: NoodleCoreValues,
  ) {
    super(scope, id, { namespace: values.namespace, labels: { 'app.kubernetes.io/part-of': 'noodle-core' } });
    const { removalPolicy, largestNode, images, secrets } = values;
    const baseline = new NamespaceBaseline(this, 'baseline', { removalPolicy, largestNode });
    const access = new NamespaceAccess(this, 'access', values.access);
    this.addSecret();
    const backups = new Backups(this, { values: values.backup, images, key: secrets.backupKey, removalPolicy });
    this.backupStatus = backups.status;
    const { postgresPassword: password, replicationPassword, archivePassphrase } = secrets;
    const passwords = { password, replicationPassword, archivePassphrase };
    const database = { values: values.postgres, images, ...passwords, backups, removalPolicy };
    this.postgres = addDatabase(this, { name: 'noodlecore', ...database });
    const { redisPassword, redisSystemPassword: systemPassword } = secrets;
    const cache = { values: values.redis, images, password: redisPassword, systemPassword, backups, removalPolicy };
    this.redis = addCache(this, cache);
    this.runtime = addRuntime(this, values).connects(this.postgres, this.redis);
    this.runtime.addEnv('DATABASE_POOL_MAX', String(poolSize(this.postgres, [this.runtime])));
    this.ide = addIde(this, values).connects(this.runtime);
    addTracing(this, values.tracing, [this.runtime, this.ide]);
    this.nginx = addNginx(this, values, this.runtime);
    const ingress = this.addIngress(this.nginx ?? this.runtime);
    const { backupStatus, postgres, redis, runtime, ide, nginx } = this;
    for (const part of [access, backupStatus, postgres, redis, runtime, ide, nginx, ingress]) {
      part?.node.addDependency(baseline);
    }
  }

  private addSecret(): void {
    const stringData = { [SECRET_KEY]: LateTokens.of(this).asSecret(this, this.values.secrets.secretKey) };
    kubeObject(this, 'runtime-secret', 'v1/Secret', { name: SECRET }, { stringData });
  }

  private addIngress(front: AutoscaledService): TlsIngress {
    const { host, ide } = this.values;
    return addIngress(this, this.values, {
      routes: [
        { host, path: '/', to: front },
        { host: ide.host, path: '/', to: this.ide },
      ],
    });
  }
}
