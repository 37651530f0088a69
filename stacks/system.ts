import type { StoreImages } from '../charts/stores';
import type { CacheValues, DatabaseValues, ServiceValues, StoreValues, SystemValues } from '../charts/values';
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

type StoreSettings = Amounts & Pick<NoodleCoreSettings['redis'], 'storage' | 'storageClass'>;

const storeValues = (settings: StoreSettings): StoreValues => ({
  resources: resources(settings),
  storage: settings.storage,
  storageClass: settings.storageClass || undefined,
});

export const cacheValues = (settings: NoodleCoreSettings['redis']): CacheValues => {
  const { topology, replicas, sentinels } = settings;
  return {
    ...storeValues(settings),
    sentinel: topology === 'sentinel' ? { replicas, sentinels } : undefined,
  };
};

export const databaseValues = (settings: NoodleCoreSettings['postgres']): DatabaseValues => {
  const { backup, readReplicas, pooler } = settings;
  const { replicas, maxServerConnections } = pooler;
  return {
    ...storeValues(settings),
    backup,
    readReplicas,
    pooler: { replicas, maxServerConnections },
    tls: tls(settings.tls),
  };
};

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

type Stores = Pick<NoodleCoreSettings, 'postgres' | 'redis'>;

/** Where the images of a system's stores come from. */
export const storeSources = ({ postgres, redis }: Stores): Readonly<Record<keyof StoreImages, ImageSource>> => ({
  postgres: postgres.source,
  pooler: postgres.pooler.source,
  postgresExporter: postgres.exporter.source,
  redis: redis.source,
  redisExporter: redis.exporter.source,
});
