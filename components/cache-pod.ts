import type { Duration } from 'cdk8s';
import { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { BackupOptions } from './backup-options';
import { CLIENT_COMMANDS } from './cache-configuration';
import type { CacheMembers } from './cache-members';
import { BUS_OFFSET, memberEnv, memberHosts, memberMounts, STOP_SECONDS } from './cache-members';
import type { CacheMetrics } from './cache-metrics';
import { EXPORTER_DIR, exporterParts } from './cache-metrics';
import type { CachePersistence } from './cache-options';
import { serverKey } from './cache-secret';
import type { CacheUser } from './cache-users';
import type { Labels, PodSpec, Probe, Volume, VolumeMount } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import { PasswordCheck } from './password-check';
import type { ContainerSpec } from './pod';
import { DEFAULT_EPHEMERAL, hardenedPod, startupProbe } from './pod';
import type { Password } from './rotating-password';
import { RotatingPassword } from './rotating-password';
import { DATA_VOLUME, serviceHost } from './stateful-workload';
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

/** What decides about the pods, and is no prop that others may read. */
export interface CachePodOptions {
  readonly allowedCommands: readonly string[];
  readonly password: Password | undefined;
}

/**
 * The server's pod. On SIGTERM Redis writes out its append-only file and ends, and waits for its replicas where it has some; a primary has
 * handed over before.
 */
export function cachePod(store: CachePodInput, selector: Labels, options: CachePodOptions): PodSpec {
  const { name, metrics, port, topology } = store;
  const exporter = metrics === undefined ? undefined : exporterParts(store, metrics, port);
  const mounted = mounts(store, options.password);
  const image = LateTokens.of(store).asString(store, store.image);
  const server: ContainerSpec = {
    name: 'redis',
    image,
    ports: [
      { name: 'redis', port },
      ...(topology.sharding === undefined ? [] : [{ name: 'bus', port: port + BUS_OFFSET }]),
    ],
    env: environment(store, options),
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

function environment(store: CachePodInput, { allowedCommands, password }: CachePodOptions) {
  const { port, terminationGrace, topology, metrics, backup } = store;
  const handover = Math.min(HANDOVER_SECONDS, terminationGrace.toSeconds() - STOP_SECONDS);
  const env = {
    REDIS_ACL_RULES: [...CLIENT_COMMANDS, ...allowedCommands.map((command) => `+${command}`)].join(' '),
    REDIS_PORT: String(port),
    ...passwordEnv(store),
    ...(rotationsOf(store.users, password).length === 0 ? {} : { REDIS_LIVE_PASSWORDS: 'true' }),
    ...(metrics === undefined ? {} : { REDIS_EXPORTER_DIR: EXPORTER_DIR }),
    ...(backup === undefined ? {} : { REDIS_BACKUP_USER: 'true' }),
    ...(topology.members === undefined ? {} : { REDIS_HANDOVER_SECONDS: String(handover) }),
  };
  return [...Object.entries(env).map(([name, value]) => ({ name, value })), ...memberEnv(store)].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

/** Of the client's user and of the others, those whose passwords rotate. */
const rotationsOf = (users: readonly CacheUser[], password: Password | undefined): readonly RotatingPassword[] =>
  [password, ...users.map((user) => user.password)].filter((one) => one instanceof RotatingPassword);

/** Where the image finds passwords. */
const passwordEnv = ({ authenticated, users }: CachePodInput): Readonly<Record<string, string>> => ({
  ...(authenticated ? { REDIS_PASSWORD_FILE: `${SECRETS}/password` } : { REDIS_ALLOW_EMPTY_PASSWORD: 'true' }),
  ...(users.length === 0 ? {} : { REDIS_USERS_DIR: USERS, REDIS_USERS_FILE: USERS_FILE }),
});

// A file rather than an environment, which is inherited, dumped and printed. 0440: the pod's group may read it.
const secretFiles = (name: string, secretName: string, items: readonly { key: string; path: string }[]): Volume => ({
  name,
  secret: { secretName, defaultMode: 0o440, items },
});

const configVolume = (name: string): Volume => ({ name: 'config', configMap: { name: `${name}-config` } });

interface Mounts {
  readonly mounts: readonly VolumeMount[];
  readonly volumes: readonly Volume[];
}

/** Passwords of clients as files, with the file that names the users. */
function passwordMounts({ secretName, authenticated, users }: CachePodInput, password: Password | undefined): Mounts {
  const passwords = users.map((user) => ({ key: serverKey(user.password, user.name), path: user.name }));
  return {
    mounts: [
      ...(authenticated ? [{ name: 'password', mountPath: SECRETS, readOnly: true }] : []),
      ...(users.length === 0
        ? []
        : [
            { name: 'config', mountPath: USERS_FILE, subPath: 'users.acl', readOnly: true },
            { name: 'user-passwords', mountPath: USERS, readOnly: true },
          ]),
    ],
    volumes: [
      ...(authenticated ? [secretFiles('password', secretName, [{ key: serverKey(password), path: 'password' }])] : []),
      ...(users.length === 0 ? [] : [secretFiles('user-passwords', secretName, passwords)]),
    ],
  };
}

function mounts(store: CachePodInput, password: Password | undefined): Mounts {
  const { name, persistence, metrics } = store;
  const members = memberMounts(store);
  const passwords = passwordMounts(store, password);
  return {
    mounts: [
      { name: DATA_VOLUME, mountPath: '/data' },
      { name: 'config', mountPath: '/etc/redis/redis.conf', subPath: 'redis.conf', readOnly: true },
      ...passwords.mounts,
      ...(metrics === undefined ? [] : [{ name: 'exporter', mountPath: EXPORTER_DIR }]),
      ...members.mounts,
    ],
    volumes: [
      configVolume(name),
      ...passwords.volumes,
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

/** Waits until all servers go by the passwords of the definition; they are mounted as the servers' own are. */
export function addPasswordCheck(
  store: CachePodInput,
  labels: Labels,
  password: Password | undefined,
): PasswordCheck | undefined {
  const rotations = rotationsOf(store.users, password);
  if (rotations.every(({ _first }) => _first)) return undefined;
  const { mounts: files, volumes } = passwordMounts(store, password);
  const env = { ...passwordEnv(store), REDIS_PORT: String(store.port) };
  const hosts =
    store.topology.members === undefined ? [serviceHost(store, `${store.name}-service`)] : memberHosts(store);
  return new PasswordCheck(store, 'Logins', {
    ...{ name: store.name, rotations, labels, user: store.user, mounts: files },
    image: LateTokens.of(store).asString(store, store.image),
    args: ['redis-passwords-ready', ...hosts],
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    volumes: [...(store.users.length === 0 ? [] : [configVolume(store.name)]), ...volumes],
  });
}
