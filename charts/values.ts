import type { Duration, Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { ObjectStorageOptions } from '../components/backup-target';
import type { Certificate } from '../components/certificate';
import type { DatabaseTls } from '../components/database-tls';
import type { IngressController, IngressBackend } from '../components/ingress-backend';
import type { Hsts, IngressFeature, RateLimit, SecurityHeaders } from '../components/ingress-options';
import type { NamespaceAccessProps } from '../components/namespace-access';
import type { NodeCapacity } from '../components/namespace-capacity';
import type { RemovalPolicy } from '../components/release-options';
import type { ArchiveValues, RecoveryValues } from './archive';

/** What every system is told of its surroundings: plain data. Nothing in a chart reads anything else. */
export interface SystemValues {
  readonly namespace: string;
  /** Public host name of the system. */
  readonly host: string;
  readonly environment: 'development' | 'staging' | 'production';
  readonly certificate: Certificate;
  /** Secret that an issued certificate is put into; nothing for certificates that have their own place. */
  readonly tlsSecretName: string | undefined;
  readonly ingress: IngressValues;
  readonly removalPolicy: RemovalPolicy;
  /** Groups of people that may look at the namespace, and operate it. */
  readonly access: Required<NamespaceAccessProps>;
  /** What one node has for pods at most; a pod that needs more is refused. */
  readonly largestNode: NodeCapacity;
  readonly tracing: TracingValues;
}

/** What a system with data is told beside. */
export interface KeptValues {
  /** Nothing where no backups are made. */
  readonly backup: BackupValues | undefined;
}

/** Where spans are sent to. */
export interface TracingValues {
  /** Empty where nobody collects them. */
  readonly host: string;
  readonly port: number;
  /** Of the collector's pods; empty for one outside of the cluster. */
  readonly namespace: string;
}

/** Where a system's archives are kept, and what remembers that they are good. */
export interface BackupValues {
  /** Nothing for a volume beside each store. */
  readonly bucket: ObjectStorageOptions | undefined;
  readonly status: { readonly storage: Size; readonly storageClass: string | undefined };
}

/** When one store is backed up, and how much of it is kept. */
export interface StoreBackupValues {
  readonly schedule: string;
  readonly keep: number;
  readonly maxAge: Duration;
  /** Of the archives' volume, where they have one. */
  readonly storage: Size;
  /** Nothing for no drills. */
  readonly drillSchedule: string | undefined;
}

/** What serves a system's public addresses, and what it does beside TLS. */
export interface IngressValues {
  readonly backend: IngressBackend;
  /** Class of Ingresses. */
  readonly className: string;
  /** Pods that serve Ingresses; those of a Gateway are in the back end. */
  readonly controller: IngressController;
  /** What may be asked for in vain; anything else that the back end can't do is refused. */
  readonly accepted: readonly IngressFeature[];
  readonly redirectHttp: boolean;
  /** Nothing for the back end's own bound. */
  readonly maxBodySize: Size | undefined;
  readonly hsts: Hsts;
  /** Nothing where services say it all. */
  readonly securityHeaders: SecurityHeaders | undefined;
  readonly gzip: boolean;
  /** Nothing for no limit. */
  readonly rateLimit: RateLimit | undefined;
}

/** Size and behaviour of a service that scales by CPU. */
export interface ServiceValues {
  readonly minReplicas: number;
  /** Equal to `minReplicas` for a fixed number of pods. */
  readonly maxReplicas: number;
  readonly resources: ContainerResources;
  /** CPU use, in percent of the request, that pods are added above. */
  readonly cpuTarget: number;
}

/** A service behind an ingress, of which a second version may be tried. */
export interface FrontValues extends ServiceValues {
  /** Percent of the requests that the second version answers; there is none with zero. */
  readonly canaryWeight: number;
}

/** Size of something that keeps data. */
export interface StorageValues {
  readonly resources: ContainerResources;
  readonly storage: Size;
  /** Nothing for the cluster's default class. */
  readonly storageClass: string | undefined;
}

/** Size of a data store, and how it is backed up. */
export interface StoreValues extends StorageValues {
  readonly backup: StoreBackupValues;
}

/** Size of a database, and what stands before and beside it. */
export interface DatabaseValues extends StoreValues {
  /** Nothing where the log is not archived. */
  readonly archive: ArchiveValues | undefined;
  readonly recovery: RecoveryValues;
  /** Servers that follow the primary and only read. */
  readonly readReplicas: number;
  /** PgBouncer between clients and primary; none with zero replicas. */
  readonly pooler: { readonly replicas: number; readonly maxServerConnections: number };
  /** Nothing where traffic to the database is not encrypted. */
  readonly tls: DatabaseTls | undefined;
}

/** Size of a cache, and how many servers hold it. */
export interface CacheValues extends StoreValues {
  /** A primary with replicas, and sentinels that choose the next one; nothing for a single server. */
  readonly sentinel: { readonly replicas: number; readonly sentinels: number } | undefined;
}
