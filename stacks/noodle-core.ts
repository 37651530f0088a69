import { Duration } from 'cdk8s';
import type { NoodleCoreValues } from '../charts/noodle-core';
import { ServiceType } from '../components/http-props';
import type { Settings } from './schema';
import type { ImageSource } from './schema-fields';
import {
  backupValues,
  cacheValues,
  databaseValues,
  resources,
  serviceValues,
  storeSources,
  systemValues,
} from './system';

type Name = keyof NoodleCoreValues['images'];

/** Where each image of NoodleCore comes from. */
export function noodleCoreSources({ noodleCore }: Settings): Readonly<Record<Name, ImageSource>> {
  const { runtime, ide, nginx } = noodleCore;
  return {
    runtime: runtime.source,
    runtimeCanary: runtime.canary.source,
    ide: ide.source,
    nginx: nginx.source,
    ...storeSources(noodleCore),
  };
}

/** Settings of NoodleCore as its chart takes them. */
export function noodleCoreValues(settings: Settings): Omit<NoodleCoreValues, 'images' | 'secrets'> {
  const { noodleCore: own } = settings;
  const { runtime, ide, nginx } = own;
  const serviceType = runtime.serviceType === 'LoadBalancer' ? ServiceType.LOAD_BALANCER : ServiceType.CLUSTER_IP;
  return {
    ...systemValues(settings, own),
    backup: backupValues(own.backup),
    traceSampleRatio: own.traceSampleRatio,
    runtime: {
      ...serviceValues(runtime),
      canaryWeight: runtime.canary.weight,
      logLevel: runtime.logLevel,
      serviceType,
    },
    ide: { ...serviceValues(ide), logLevel: ide.logLevel, host: ide.host },
    nginx: {
      replicas: nginx.replicas,
      resources: resources(nginx),
      balance: nginx.balance,
      maxBodySize: nginx.maxBodySize,
      timeout: Duration.seconds(nginx.timeoutSeconds),
    },
    postgres: databaseValues(own.postgres),
    redis: cacheValues(own.redis),
  };
}

/** Addresses and names that a user of the stack needs. */
export const noodleCoreOutputs = ({ noodleCore: { namespace, host, ide } }: Settings) => ({
  url: `https://${host}/`,
  ideUrl: `https://${ide.host}/`,
  namespace,
  secrets: {
    postgres: `${namespace}/postgres-secret`,
    redis: `${namespace}/redis-secret`,
    runtime: `${namespace}/noodle-runtime-secret`,
  },
});
