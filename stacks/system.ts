import type { DatabaseValues, ServiceValues, StoreValues, SystemValues } from '../charts/values';
import { Certificate } from '../components/certificate';
import { RemovalPolicy } from '../components/release-options';
import type { NoodleCoreSettings } from './schema-noodle-core';
import type { Settings } from './schema';

type SystemSettings = Pick<NoodleCoreSettings, 'namespace' | 'host' | 'tls' | 'access'>;
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
    ingressNamespace: cluster.ingressNamespace,
    removalPolicy: state.removal === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
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

export const cacheValues = (settings: NoodleCoreSettings['redis']): StoreValues => ({
  resources: resources(settings),
  storage: settings.storage,
  storageClass: settings.storageClass || undefined,
});

export const databaseValues = (settings: NoodleCoreSettings['postgres']): DatabaseValues => ({
  ...cacheValues(settings),
  backup: settings.backup,
});
