/** Which keys of the configuration decide on a workload; each below its system's own, such as `runtime.source`. */
export interface WorkloadKeys {
  readonly source: string;
  /** How many pods there are at least, or always. */
  readonly replicas: string;
  /** How many there are at most. @default - none: the count is fixed */
  readonly ceiling?: string;
}

const scaled = (key: string): WorkloadKeys => ({
  source: `${key}.source`,
  replicas: `${key}.minReplicas`,
  ceiling: `${key}.maxReplicas`,
});
const fixed = (key: string, source = key): WorkloadKeys => ({
  source: `${source}.source`,
  replicas: `${key}.replicas`,
});
/** A second version: its pods are a share of its service's, by weight. */
const canary = (key: string): WorkloadKeys => ({
  source: `${key}.canary.source`,
  replicas: `${key}.canary.weight`,
});

const STORES: Readonly<Record<string, WorkloadKeys>> = {
  postgres: { source: 'postgres.source', replicas: 'postgres.readReplicas' },
  'postgres-replica': { source: 'postgres.source', replicas: 'postgres.readReplicas' },
  'postgres-pooler': fixed('postgres.pooler'),
  redis: fixed('redis'),
  'redis-sentinel': { source: 'redis.source', replicas: 'redis.sentinels' },
  'redis-router': { source: 'redis.source', replicas: 'redis.topology' },
  // There is one, always.
  'backup-status': { source: 'backup.status.source', replicas: 'backup.status.source' },
};

/** By system, as its objects are labelled, and by name of the Deployment or StatefulSet. */
const KEYS: Readonly<Record<string, Readonly<Record<string, WorkloadKeys>>>> = {
  'noodle-core': {
    ...STORES,
    'noodle-runtime': scaled('runtime'),
    'noodle-runtime-canary': canary('runtime'),
    'noodle-ide': scaled('ide'),
    nginx: fixed('nginx'),
  },
  'noa-server': {
    ...STORES,
    ui: scaled('ui'),
    'ui-canary': canary('ui'),
    mcp: scaled('mcp'),
    'claude-flow': scaled('claudeFlow'),
    'agentic-os': fixed('agenticOs'),
    'llama-cpp': fixed('llamaCpp'),
  },
};

/** `noodle-core` → `noodleCore`: a system's label, and its key in the configuration. */
export const systemKey = (system: string): string =>
  system.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The keys of a workload, from the top: `noodleCore.runtime.source`. @returns undefined for one that no configuration makes */
export function workloadKeys(system: string, name: string): WorkloadKeys | undefined {
  const keys = KEYS[system]?.[name];
  if (keys === undefined) return undefined;
  const whole = (key: string): string => `${systemKey(system)}.${key}`;
  return {
    source: whole(keys.source),
    replicas: whole(keys.replicas),
    ...(keys.ceiling === undefined ? {} : { ceiling: whole(keys.ceiling) }),
  };
}

/** The workload that a service's second version is, by the keys of system and service: `noodleCore`, `runtime`. */
export function workloadOfCanary(system: string, service: string): string {
  const own = Object.entries(KEYS).find(([label]) => systemKey(label) === system)?.[1] ?? {};
  const found = Object.entries(own).find(([, { source }]) => source === `${service}.canary.source`);
  return found?.[0] ?? `${service}-canary`;
}
