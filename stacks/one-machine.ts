import type { Settings } from './schema';

type Stores = Pick<Settings['noodleCore'], 'postgres' | 'redis' | 'backup'>;

const single = { minReplicas: 1, maxReplicas: 1 } as const;

/** One server of each store; certificates of their own where a cluster has an issuer for them. */
const stores = ({ postgres, redis, backup }: Stores): Stores => ({
  backup: { ...backup, enabled: false },
  postgres: {
    ...postgres,
    readReplicas: 0,
    pooler: { ...postgres.pooler, replicas: Math.min(1, postgres.pooler.replicas) },
    tls: postgres.tls.source === 'none' ? postgres.tls : { ...postgres.tls, source: 'selfSigned' },
  },
  redis: { ...redis, topology: 'standalone' },
});

/**
 * An environment without what only several machines have: one of each, no canary, no device, no operator, and nothing that runs by the
 * clock, so no backups. Logs stay with Docker.
 * What is left (versions, variables, limits, TLS, configuration) is the environment's own.
 */
export function onOneMachine(settings: Settings): Settings {
  const { cluster, noodleCore, noaServer, observability } = settings;
  const { runtime, ide, nginx } = noodleCore;
  const { ui, mcp, claudeFlow, agenticOs, llamaCpp } = noaServer;
  const none = { weight: 0 } as const;
  return {
    ...settings,
    // References by name: Compose has neither a store nor a controller that could open a ciphertext.
    secrets: { ...settings.secrets, mode: 'external' },
    cluster: { ...cluster, ingress: { ...cluster.ingress, backend: 'nginx' } },
    noodleCore: {
      ...noodleCore,
      ...stores(noodleCore),
      runtime: { ...runtime, ...single, canary: { ...runtime.canary, ...none } },
      ide: { ...ide, ...single },
      nginx: { ...nginx, replicas: Math.min(1, nginx.replicas) },
    },
    noaServer: {
      ...noaServer,
      ...stores(noaServer),
      ui: { ...ui, ...single, canary: { ...ui.canary, ...none } },
      mcp: { ...mcp, ...single },
      claudeFlow: { ...claudeFlow, ...single },
      agenticOs: { ...agenticOs, replicas: 1 },
      llamaCpp: { ...llamaCpp, replicas: 1, gpus: 0 },
    },
    observability: {
      ...observability,
      // There is no API server to ask.
      prometheus: { ...observability.prometheus, discovery: 'files' },
      loki: { ...observability.loki, enabled: false },
      logs: { ...observability.logs, enabled: false },
    },
  };
}
