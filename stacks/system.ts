import { Duration } from 'cdk8s';
import type { ArchiveValues, RecoveryValues } from '../charts/archive';
import type { StoreImages } from '../charts/stores';
import type {
  BackupValues,
  CacheValues,
  DatabaseValues,
  ServiceValues,
  StoreBackupValues,
  StorageValues,
  StoreValues,
  SystemValues,
} from '../charts/values';
import { Certificate } from '../components/certificate';
import { DatabaseTls } from '../components/database-tls';
import { RemovalPolicy } from '../components/release-options';
import type { ImageSource } from './schema-fields';
import { ingressValues } from './ingress';
import type { NoodleCoreSettings } from './schema-noodle-core';
import type { Settings } from './schema';

type SystemSettings = Pick<NoodleCoreSettings, 'namespace' | 'host' | 'tls' | 'access' | 'ingress'>;
type Amounts = Pick<NoodleCoreSettings['redis'], 'cpu' | 'memory'>;
type Scaled = Pick<NoodleCoreSettings['runtime'], 'minReplicas' | 'maxReplicas' | 'cpu' | 'memory'>;

/** The resource of whole NVIDIA devices. */
export const NVIDIA = 'nvidia.com/gpu';

/** What every system is told of its surroundings. */
export function systemValues(settings: Settings, own: SystemSettings): SystemValues {
  const { namespace, host, tls, access } = own;
  const { cluster, environment, state } = settings;
  const { cpu, memory, gpus } = cluster.largestNode;
  return {
    ...{ namespace, host, environment, access },
    certificate: certificate(tls),
    tlsSecretName: tls.source === 'issuer' ? tls.secretName : undefined,
    ingress: ingressValues(cluster.ingress, own.ingress),
    removalPolicy: state.removal === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    tracing: cluster.traceCollector,
    largestNode: { cpu, memory, devices: { [NVIDIA]: gpus } },
  };
}

export function backupValues({ enabled, target, status }: NoodleCoreSettings['backup']): BackupValues | undefined {
  if (!enabled) return undefined;
  const { kind, authoritySecretName: secretName, ...rest } = target;
  const bucket = secretName === '' ? rest : { ...rest, authority: { secretName, key: 'ca.crt' } };
  return {
    bucket: kind === 'objectStorage' ? bucket : undefined,
    status: { storage: status.storage, storageClass: status.storageClass || undefined },
  };
}

export const storeBackupValues = (settings: StoreSettings['backup']): StoreBackupValues => {
  const { schedule, keep, maxAgeDays, storage, drillSchedule } = settings;
  return { schedule, keep, storage, maxAge: Duration.days(maxAgeDays), drillSchedule: drillSchedule || undefined };
};

function certificate(tls: SystemSettings['tls']): Certificate {
  switch (tls.source) {
    case 'controller':
      return Certificate.ofController();
    case 'issuer':
      return Certificate.issuedBy(tls.issuer);
    case 'secret':
      return Certificate.fromSecret(tls.secretName);
  }
}

export const resources = ({ cpu, memory }: Amounts): ServiceValues['resources'] => ({
  cpu: { request: cpu.request, limit: cpu.limit },
  memory: { request: memory.request, limit: memory.limit },
});

export const serviceValues = (settings: Scaled): ServiceValues => ({
  minReplicas: settings.minReplicas,
  maxReplicas: settings.maxReplicas,
  resources: resources(settings),
  cpuTarget: settings.cpu.target,
});

type StorageSettings = Amounts & Pick<NoodleCoreSettings['redis'], 'storage' | 'storageClass'>;
type StoreSettings = StorageSettings & Pick<NoodleCoreSettings['redis'], 'backup'>;

export const storageValues = (settings: StorageSettings): StorageValues => ({
  resources: resources(settings),
  storage: settings.storage,
  storageClass: settings.storageClass || undefined,
});

const storeValues = (settings: StoreSettings): StoreValues => ({
  ...storageValues(settings),
  backup: storeBackupValues(settings.backup),
});

export const cacheValues = (settings: NoodleCoreSettings['redis']): CacheValues => {
  const { topology, replicas, sentinels } = settings;
  return {
    ...storeValues(settings),
    sentinel: topology === 'sentinel' ? { replicas, sentinels } : undefined,
  };
};

export const databaseValues = (settings: NoodleCoreSettings['postgres']): DatabaseValues => {
  const { readReplicas, pooler, archive, recovery } = settings;
  const { replicas, maxServerConnections } = pooler;
  return {
    ...storeValues(settings),
    archive: archiveValues(archive),
    recovery: recoveryValues(recovery),
    readReplicas,
    pooler: { replicas, maxServerConnections },
    tls: tls(settings.tls),
  };
};

type DatabaseSettings = NoodleCoreSettings['postgres'];

function archiveValues(settings: DatabaseSettings['archive']): ArchiveValues | undefined {
  const { target, storage, maxLossSeconds, fullEveryDays, keepFull, ...bucket } = settings;
  if (target === 'none') return undefined;
  return { target: target === 'volume' ? storage : bucket, maxLossSeconds, fullEveryDays, keepFull };
}

const recoveryValues = ({ role, to, source }: DatabaseSettings['recovery']): RecoveryValues => ({
  role,
  source: source.bucket === '' ? undefined : source,
  to: to ?? undefined,
});

function tls({ source, issuer }: NoodleCoreSettings['postgres']['tls']): DatabaseTls | undefined {
  switch (source) {
    case 'none':
      return undefined;
    case 'selfSigned':
      return DatabaseTls.selfSigned();
    case 'issuer':
      return DatabaseTls.issuedBy(issuer);
  }
}

type Stores = Pick<NoodleCoreSettings, 'postgres' | 'redis' | 'backup'>;

/** Where the images of a system's stores come from. */
export const storeSources = ({
  postgres,
  redis,
  backup,
}: Stores): Readonly<Record<keyof StoreImages, ImageSource>> => ({
  postgres: postgres.source,
  pooler: postgres.pooler.source,
  postgresExporter: postgres.exporter.source,
  redis: redis.source,
  redisExporter: redis.exporter.source,
  backup: backup.source,
  backupStatus: backup.status.source,
});
