import type { Duration } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { CLIENT_COMMANDS } from './cache-configuration';
import type { CachePersistence } from './cache-options';
import type { Labels, PodSpec, Probe, Volume } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import { hardenedPod, startupProbe } from './pod';
import { DATA_VOLUME } from './stateful-workload';

/** Key of the Secret that holds the password alone. */
export const PASSWORD_KEY = 'REDIS_PASSWORD';

/** Name of the variable that clients read, and of the key in the Secret that holds it. */
export const REDIS_URL = 'REDIS_URL';

const SECRETS = '/run/secrets/redis';

/** What the pod needs to know of its store. */
export interface CachePodInput extends Construct {
  readonly name: string;
  readonly image: Late;
  readonly user: number;
  readonly port: number;
  readonly persistence: CachePersistence;
  readonly resources: ContainerResources;
  readonly terminationGrace: Duration;
  readonly startupDeadline: Duration;
  readonly secretName: string;
  readonly authenticated: boolean;
}

/** The server's pod. On SIGTERM Redis writes out its append-only file and ends; nothing else has to be asked for. */
export function cachePod(store: CachePodInput, selector: Labels, allowedCommands: readonly string[]): PodSpec {
  const { name, authenticated, port } = store;
  const env = {
    REDIS_ACL_RULES: [...CLIENT_COMMANDS, ...allowedCommands.map((command) => `+${command}`)].join(' '),
    REDIS_PORT: String(port),
    ...(authenticated ? { REDIS_PASSWORD_FILE: `${SECRETS}/password` } : { REDIS_ALLOW_EMPTY_PASSWORD: 'true' }),
  };
  return hardenedPod({
    labels: selector,
    serviceAccount: name,
    user: store.user,
    grace: store.terminationGrace,
    volumes: volumes(store),
    containers: [
      {
        name: 'redis',
        image: LateTokens.of(store).asString(store, store.image),
        ports: [{ name: 'redis', port }],
        env: Object.entries(env)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, value]) => ({ name: key, value })),
        resources: store.resources,
        probes: probes(store.startupDeadline),
        mounts: [
          { name: DATA_VOLUME, mountPath: '/data' },
          { name: 'config', mountPath: '/etc/redis/redis.conf', subPath: 'redis.conf', readOnly: true },
          ...(authenticated ? [{ name: 'password', mountPath: SECRETS, readOnly: true }] : []),
        ],
      },
    ],
  });
}

function volumes({ name, secretName, authenticated, persistence }: CachePodInput): readonly Volume[] {
  return [
    { name: 'config', configMap: { name: `${name}-config` } },
    ...(authenticated
      ? [
          {
            name: 'password',
            // A file rather than an environment, which is inherited, dumped and printed. 0440: the pod's group may read it.
            secret: { secretName, defaultMode: 0o440, items: [{ key: PASSWORD_KEY, path: 'password' }] },
          },
        ]
      : []),
    // Without an append-only file nothing is written; the image still checks that it could.
    ...(persistence.durable ? [] : [{ name: DATA_VOLUME, emptyDir: { sizeLimit: '16Mi' } }]),
  ];
}

// Any answer of the server is a sign of life: a long script (BUSY), a full disk (MISCONF), a mounted password that is newer than the
// running server (WRONGPASS). A restart would mend none of them and read the whole append-only file again. Silence restarts it.
const ALIVE =
  'answer=$(redis-ping 2>&1) || case "$answer" in *BUSY*|*LOADING*|*MISCONF*|*NOAUTH*|*WRONGPASS*) ;; *) echo "$answer" >&2; exit 1 ;; esac';

// An authenticated PING fails while the append-only file is read: the start-up probe holds the others back until then.
function probes(deadline: Duration): { startup: Probe; liveness: Probe; readiness: Probe } {
  const ping: Probe = { exec: { command: ['redis-ping'] } };
  return {
    startup: startupProbe(ping, deadline),
    liveness: {
      exec: { command: ['/bin/sh', '-c', ALIVE] },
      periodSeconds: 20,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    readiness: { ...ping, periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 },
  };
}
