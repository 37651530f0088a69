import type { NoaServerValues } from '../charts/noa-server';
import { GpuRequest } from '../components/gpu-request';
import type { Settings } from './schema';
import type { ImageSource } from './schema-fields';
import type { NoaServerSettings } from './schema-noa-server';
import {
  backupValues,
  cacheValues,
  databaseValues,
  resources,
  serviceValues,
  storeBackupValues,
  storeSources,
  systemValues,
} from './system';

type Name = keyof NoaServerValues['images'];

/** Where each image of Noa Server comes from. */
export function noaServerSources({ noaServer }: Settings): Readonly<Record<Name, ImageSource>> {
  const { ui, mcp, claudeFlow, agenticOs, llamaCpp } = noaServer;
  return {
    ui: ui.source,
    uiCanary: ui.canary.source,
    mcp: mcp.source,
    claudeFlow: claudeFlow.source,
    agenticOs: agenticOs.source,
    llamaCpp: llamaCpp.source,
    modelFetch: llamaCpp.model.fetch.source,
    ...storeSources(noaServer),
  };
}

/** Settings of Noa Server as its chart takes them. */
export function noaServerValues(settings: Settings): Omit<NoaServerValues, 'images' | 'secrets'> {
  const { noaServer: own } = settings;
  const { ui, mcp, claudeFlow, agenticOs, llamaCpp } = own;
  return {
    ...systemValues(settings, own),
    backup: backupValues(own.backup),
    ui: { ...serviceValues(ui), canaryWeight: ui.canary.weight },
    mcp: {
      ...serviceValues(mcp),
      memoryTarget: mcp.memory.target,
      storage: mcp.volume.storage,
      storageClass: mcp.volume.storageClass || undefined,
      backup: storeBackupValues(mcp.volume.backup),
    },
    claudeFlow: { ...serviceValues(claudeFlow), memoryTarget: claudeFlow.memory.target },
    agenticOs: { replicas: agenticOs.replicas, resources: resources(agenticOs) },
    llamaCpp: llamaValues(llamaCpp),
    postgres: databaseValues(own.postgres),
    redis: cacheValues(own.redis),
    variables: own.variables,
  };
}

function llamaValues(settings: NoaServerSettings['llamaCpp']): NoaServerValues['llamaCpp'] {
  const { replicas, gpus, model, slots, contextPerSlot } = settings;
  const { path, size, uri, revision, sha256 } = model;
  return {
    ...{ replicas, slots, contextPerSlot },
    model: { path, size, uri, revision, sha256 },
    resources: resources(settings),
    gpu: gpus === 0 ? GpuRequest.none() : GpuRequest.nvidia(gpus),
  };
}

/** Addresses and names that a user of the stack needs. */
export const noaServerOutputs = ({ noaServer: { namespace, host } }: Settings) => ({
  url: `https://${host}/`,
  namespace,
  secrets: {
    postgres: `${namespace}/postgres-secret`,
    redis: `${namespace}/redis-secret`,
    services: `${namespace}/noa-server-secret`,
    llamaCpp: `${namespace}/llama-cpp-secret`,
  },
});
