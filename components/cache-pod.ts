import type { Duration } from 'cdk8s';
import { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { BackupOptions } from './backup-options';
import { CLIENT_COMMANDS } from './cache-configuration';
import type { CacheMembers } from './cache-members';
import { BUS_OFFSET, memberEnv, memberMounts, STOP_SECONDS } from './cache-members';
import type { CacheMetrics } from './cache-metrics';
import { EXPORTER_DIR, exporterParts } from './cache-metrics';
import type { CachePersistence } from './cache-options';
import type { CacheUser } from './cache-users';
import { passwordKey } from './cache-users';
import type { Labels, PodSpec, Probe, Volume, VolumeMount } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import type { ContainerSpec } from './pod';
import { DEFAULT_EPHEMERAL, hardenedPod, startupProbe } from './pod';
import { DATA_VOLUME } from './stateful-workload';
import { sizeBytes } from './units';

const SECRETS = '/run/secrets/redis';
const USERS = '/run/secrets/redis-users';
const USERS_FILE = '/etc/redis/users.acl';
const HANDOVER_SECONDS = 20;

/** What the pod needs to know of its store. */
export interface CachePodInput extends CacheMembers {
  readonly image: Late;
  readonly user: number;
  readonly maxMemory: Size;
  readonly users: readonly CacheUser[];
  readonly metrics: CacheMetrics | undefined;
  readonly backup: BackupOptions | undefined;
  readonly persistence: CachePersistence;
  readonly resources: ContainerResources;
  readonly terminationGrace: Duration;
  readonly startupDeadline: Duration;
  readonly authenticated: boolean;
}

/**
 * The server's pod. On SIGTERM Redis writes out its append-only file and ends, and waits for its replicas where it has some; a primary has
 * handed over before.
 */
export function cachePod(store: CachePodInput, selector: Labels, allowedCommands: readonly string[]): PodSpec {
  const { name, metrics, port, topology } = store;
  const exporter = metrics === undefined ? undefined : exporterParts(store, metrics, port);
  const mounted = mounts(store);
  const image = LateTokens.of(store).asString(store, store.image);
  const server: ContainerSpec = {
    name: 'redis',
    image,
    ports: [
      { name: 'redis', port },
      ...(topology.sharding === undefined ? [] : [{ name: 'bus', port: port + BUS_OFFSET }]),
    ],
    env: environment(store, allowedCommands),
    resources: scratched(store),
    probes: probes(store.startupDeadline, topology.members === undefined ? 'redis-ping' : 'redis-ready'),
    mounts: mounted.mounts,
    ...(topology.members === undefined ? {} : { preStopCommand: ['redis-handover'] }),
  };
  return hardenedPod({
    labels: selector,
    serviceAccount: name,
    user: store.user,
    grace: store.terminationGrace,
    volumes: [...mounted.volumes, ...(exporter?.volumes ?? [])],
    containers: [server, ...(exporter === undefined ? [] : [exporter.container])],
  });
}

function environment(store: CachePodInput, allowedCommands: readonly string[]) {
  const { authenticated, port, terminationGrace, topology, users, metrics, backup } = store;
  const handover = Math.min(HANDOVER_SECONDS, terminationGrace.toSeconds() - STOP_SECONDS);
  const env = {
    REDIS_ACL_RULES: [...CLIENT_COMMANDS, ...allowedCommands.map((command) => `+${command}`)].join(' '),
    REDIS_PORT: String(port),
    ...(authenticated ? { REDIS_PASSWORD_FILE: `${SECRETS}/password` } : { REDIS_ALLOW_EMPTY_PASSWORD: 'true' }),
    ...(users.length === 0 ? {} : { REDIS_USERS_DIR: USERS, REDIS_USERS_FILE: USERS_FILE }),
    ...(metrics === undefined ? {} : { REDIS_EXPORTER_DIR: EXPORTER_DIR }),
    ...(backup === undefined ? {} : { REDIS_BACKUP_USER: 'true' }),
    ...(topology.members === undefined ? {} : { REDIS_HANDOVER_SECONDS: String(handover) }),
  };
  return [...Object.entries(env).map(([name, value]) => ({ name, value })), ...memberEnv(store)].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

// A file rather than an environment, which is inherited, dumped and printed. 0440: the pod's group may read it.
const secretFiles = (name: string, secretName: string, items: readonly { key: string; path: string }[]): Volume => ({
  name,
  secret: { secretName, defaultMode: 0o440, items },
});

function mounts(store: CachePodInput): {
  readonly mounts: readonly VolumeMount[];
  readonly volumes: readonly Volume[];
} {
  const { name, secretName, authenticated, persistence, users, metrics } = store;
  const members = memberMounts(store);
  const passwords = users.map((user) => ({ key: passwordKey(user.name), path: user.name }));
  return {
    mounts: [
      { name: DATA_VOLUME, mountPath: '/data' },
      { name: 'config', mountPath: '/etc/redis/redis.conf', subPath: 'redis.conf', readOnly: true },
      ...(authenticated ? [{ name: 'password', mountPath: SECRETS, readOnly: true }] : []),
      ...(users.length === 0
        ? []
        : [
            { name: 'config', mountPath: USERS_FILE, subPath: 'users.acl', readOnly: true },
            { name: 'user-passwords', mountPath: USERS, readOnly: true },
          ]),
      ...(metrics === undefined ? [] : [{ name: 'exporter', mountPath: EXPORTER_DIR }]),
      ...members.mounts,
    ],
    volumes: [
      { name: 'config', configMap: { name: `${name}-config` } },
      ...(authenticated ? [secretFiles('password', secretName, [{ key: passwordKey(), path: 'password' }])] : []),
      ...(users.length === 0 ? [] : [secretFiles('user-passwords', secretName, passwords)]),
      ...members.volumes,
      ...(persistence.durable ? [] : [{ name: DATA_VOLUME, emptyDir: { sizeLimit: `${scratchMebibytes(store)}Mi` } }]),
    ],
  };
}

// Without an append-only file a single server writes nothing; the image still checks that it could. A replica writes what it is sent
// into a file before it drops what it has.
const scratchMebibytes = ({ maxMemory, topology }: CachePodInput): number =>
  16 + (topology.members === undefined ? 0 : Math.ceil(sizeBytes(maxMemory) / 1024 ** 2));

function scratched(store: CachePodInput): ContainerResources {
  const { resources, persistence, topology } = store;
  if (persistence.durable || topology.members === undefined || resources.ephemeralStorage !== undefined)
    return resources;
  const more = sizeBytes(DEFAULT_EPHEMERAL.limit) / 1024 ** 2 + scratchMebibytes(store);
  return { ...resources, ephemeralStorage: { request: DEFAULT_EPHEMERAL.request, limit: Size.mebibytes(more) } };
}

// Any answer of the server is a sign of life: a long script (BUSY), a full disk (MISCONF), a mounted password that is newer than the
// running server (WRONGPASS). A restart would mend none of them and read the whole append-only file again. Silence restarts it.
const ALIVE =
  'answer=$(redis-ping 2>&1) || case "$answer" in *BUSY*|*LOADING*|*MISCONF*|*NOAUTH*|*WRONGPASS*) ;; *) echo "$answer" >&2; exit 1 ;; esac';

// An authenticated PING fails while the append-only file is read: the start-up probe holds the others back until then.
function probes(deadline: Duration, ready: string): { startup: Probe; liveness: Probe; readiness: Probe } {
  const ping: Probe = { exec: { command: ['redis-ping'] } };
  return {
    startup: startupProbe(ping, deadline),
    liveness: {
      exec: { command: ['/bin/sh', '-c', ALIVE] },
      periodSeconds: 20,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    readiness:
      ready === 'redis-ping'
        ? { ...ping, periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 }
        : { exec: { command: [ready] }, periodSeconds: 5, timeoutSeconds: 10, failureThreshold: 3 },
  };
}
