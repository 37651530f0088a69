import type { Duration, Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { ServiceType } from '../../components/http-props';
import type { Late, LateSecret } from '../../components/late';
import type { Password } from '../../components/rotating-password';
import type { StoreImages } from '../stores';
import type { CacheValues, DatabaseValues, FrontValues, ServiceValues, KeptValues, SystemValues } from '../values';

/** All that differs between two NoodleCores: plain data, images and secrets. */
export interface NoodleCoreValues extends SystemValues, KeptValues {
  readonly images: Readonly<Record<'runtime' | 'runtimeCanary' | 'ide' | 'nginx', Late>> & StoreImages;
  readonly secrets: {
    readonly postgresPassword: Password;
    /** What read replicas follow their primary with. */
    readonly replicationPassword: LateSecret;
    /** What an archive on a volume is encrypted with. */
    readonly archivePassphrase: LateSecret;
    readonly redisPassword: Password;
    /** What several servers of Redis prove to each other who they are with. */
    readonly redisSystemPassword: LateSecret;
    /** What archives are encrypted with. */
    readonly backupKey: LateSecret;
    /** Key that the runtime signs its tokens with. */
    readonly secretKey: LateSecret;
  };
  /** Part of the traces that begin here which is sampled, 0 to 1. */
  readonly traceSampleRatio: number;
  readonly runtime: RuntimeValues;
  readonly ide: IdeValues;
  readonly nginx: ProxyValues;
  readonly postgres: DatabaseValues;
  readonly redis: CacheValues;
}

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';

/** Size and behaviour of the runtime. */
export interface RuntimeValues extends FrontValues {
  readonly logLevel: LogLevel;
  readonly serviceType: ServiceType;
}

/** Size and behaviour of the development interface. */
export interface IdeValues extends ServiceValues {
  readonly logLevel: LogLevel;
  /** Public host name of its own. */
  readonly host: string;
}

/** Nginx between the ingress and the runtime. */
export interface ProxyValues {
  /** Zero leaves it out: the ingress then leads to the runtime itself. */
  readonly replicas: number;
  readonly resources: ContainerResources;
  readonly balance: 'least_conn' | 'ip_hash' | 'random' | 'round_robin';
  /** Largest body of a request. */
  readonly maxBodySize: Size;
  /** How long it waits for the runtime. */
  readonly timeout: Duration;
}
