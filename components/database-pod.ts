import type { Duration } from 'cdk8s';
import { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { ArchiveInput } from './database-archive-pod';
import { archiveParts } from './database-archive-pod';
import type { DatabaseEngine } from './database-engine';
import type { DatabaseMetrics, MetricsParts } from './database-metrics';
import { metricsParts } from './database-metrics';
import type { DatabaseTls } from './database-tls';
import type { Labels, PodSpec, Probe, Volume, VolumeMount } from './kube';
import { LateTokens } from './late';
import type { ContainerSpec } from './pod';
import { hardenedPod, startupProbe } from './pod';
import type { RemovalPolicy } from './release-options';
import { DATA_VOLUME } from './stateful-workload';
import { sizeBytes, sizeQuantity } from './units';

/** Key of the Secret that holds the password alone. */
export const PASSWORD_KEY = 'POSTGRES_PASSWORD';
/** Key of the Secret with the roles that may log in, where the password rotates: `ROLE PASSWORD` a line. */
export const LOGINS_KEY = 'POSTGRES_LOGINS';
/** Key of the Secret that holds the password of the replicas. */
export const REPLICATION_PASSWORD_KEY = 'REPLICATION_PASSWORD';

const DATA = '/var/lib/postgresql/data';
const CONFIG = '/etc/postgresql/postgresql.conf';
const ACCESS = '/etc/postgresql/pg_hba.conf';
const TLS_DIRECTORY = '/etc/postgresql/tls';
const SECRETS = '/run/secrets/postgres';

/** The password as a file: an environment is inherited, dumped and printed, a file is not. */
export interface PasswordSource {
  readonly volume: Volume;
  readonly mount: VolumeMount;
  /** Path of the file inside the container. */
  readonly file: string;
}

/** Where a pod of the database, or one of its tools, finds the password. */
export const passwordSource = (secretName: string): PasswordSource =>
  secretFile('password', secretName, PASSWORD_KEY, SECRETS);

/** Where servers find who may log in with which password. */
export const loginsSource = (secretName: string): PasswordSource =>
  secretFile('password', secretName, LOGINS_KEY, SECRETS, 'logins');

/** Where servers and replicas find the password of the role that replicas follow as. */
const replicationPassword = (secretName: string): PasswordSource =>
  secretFile('replication', secretName, REPLICATION_PASSWORD_KEY, '/run/secrets/replication');

const secretFile = (
  name: string,
  secretName: string,
  key: string,
  mountPath: string,
  path = 'password',
): PasswordSource => ({
  // 0440: root owns the file, the pod's group may read it.
  volume: { name, secret: { secretName, defaultMode: 0o440, items: [{ key, path }] } },
  mount: { name, mountPath, readOnly: true },
  file: `${mountPath}/${path}`,
});

/** What the pod needs to know of its database. */
export interface DatabasePodInput extends Construct {
  readonly engine: DatabaseEngine;
  readonly name: string;
  readonly databaseName: string;
  readonly username: string;
  readonly resources: ContainerResources;
  readonly terminationGrace: Duration;
  readonly startupDeadline: Duration;
  readonly secretName: string;
  readonly port: number;
  readonly storage: Size;
  readonly removalPolicy: RemovalPolicy;
}

/** One kind of pod of a database. */
export interface DatabasePodOptions {
  /** Name of the workload. */
  readonly name: string;
  readonly selector: Labels;
  /** Name by which clients reach it. */
  readonly host: string;
  /** Whether there are scripts for the first start. */
  readonly init: boolean;
  readonly tls: DatabaseTls | undefined;
  readonly metrics: DatabaseMetrics | undefined;
  /** Whether others follow this server. */
  readonly followed: boolean;
  /** Whether the password rotates: the server then takes over who may log in while it runs. */
  readonly rotating: boolean;
  /** Where the log goes, and where the data came from; a replica has neither. @default - neither */
  readonly repositories?: ArchiveInput;
  /** The server that this one follows. */
  readonly primary?: { readonly host: string; readonly maxLag: Duration };
}

/** A server's pod; its data is in the volume of the StatefulSet's claim. */
export function databasePod(database: DatabasePodInput, options: DatabasePodOptions): PodSpec {
  const { engine, resources } = database;
  const { name, tls, metrics, init, primary } = options;
  const image = LateTokens.of(database).asString(database, engine.image);
  const password = options.rotating ? loginsSource(database.secretName) : passwordSource(database.secretName);
  const replication = options.followed || primary !== undefined ? replicationPassword(database.secretName) : undefined;
  // A password that rotates is no base for another: servers that start at different times would come to different ones.
  const base = options.rotating ? replication : password;
  const files = tls?._files(database.name, TLS_DIRECTORY, image, options.host);
  const exporter =
    metrics && metricsParts(database, metrics, { port: engine.port, databaseName: database.databaseName, image, base });
  const archive = archiveParts(database, options.repositories ?? { archive: undefined, recovery: undefined }, image);
  const passwords = [...(primary === undefined ? [password] : []), ...(replication === undefined ? [] : [replication])];
  const server: ContainerSpec = {
    name: 'postgres',
    image,
    ports: [{ name: 'postgres', port: engine.port }],
    env: envList({ ...serverEnv(database, options, exporter), ...archive.env }),
    resources,
    probes: probes(database, primary?.maxLag),
    mounts: [
      { name: DATA_VOLUME, mountPath: DATA },
      // Single files, so that the image's or a later volume's other files in the folder stay in sight.
      { name: 'config', mountPath: CONFIG, subPath: 'postgresql.conf', readOnly: true },
      { name: 'config', mountPath: ACCESS, subPath: 'pg_hba.conf', readOnly: true },
      { name: 'shm', mountPath: '/dev/shm' },
      ...passwords.map(({ mount }) => mount),
      ...(init ? [{ name: 'init', mountPath: '/docker-entrypoint-initdb.d', readOnly: true }] : []),
      ...(files === undefined ? [] : [files.mount]),
      ...(exporter === undefined || primary !== undefined ? [] : [exporter.mount]),
      ...archive.mounts,
    ],
  };
  const initContainers = [
    ...(files?.initContainers ?? []),
    ...(exporter === undefined ? [] : [exporter.initContainer]),
    ...(primary === undefined ? [] : [fillContainer(server, 'copy-primary')]),
    ...archive.initContainers,
    ...(archive.restores ? [fillContainer(server, 'restore')] : []),
  ];
  return hardenedPod({
    labels: options.selector,
    serviceAccount: name,
    user: engine.user,
    grace: database.terminationGrace,
    ...(initContainers.length === 0 ? {} : { initContainers }),
    volumes: [
      { name: 'config', configMap: { name: `${database.name}-config` } },
      ...(primary === undefined || (exporter !== undefined && base === password) ? [password.volume] : []),
      shm(resources),
      ...(init ? [{ name: 'init', configMap: { name: `${database.name}-init` } }] : []),
      ...(replication === undefined ? [] : [replication.volume]),
      ...(files === undefined ? [] : [files.volume]),
      ...(exporter?.volumes ?? []),
      ...archive.volumes,
    ],
    containers: [server, ...(exporter === undefined ? [] : [exporter.sidecar]), ...archive.sidecars],
  });
}

const envList = (env: Readonly<Record<string, string>>) =>
  Object.entries(env).map(([name, value]) => ({ name, value }));

function serverEnv(
  database: DatabasePodInput,
  { primary, tls, followed, rotating }: DatabasePodOptions,
  exporter: MetricsParts | undefined,
): Readonly<Record<string, string>> {
  const { engine, databaseName, username, secretName } = database;
  const PGDATA = `${DATA}/pgdata`;
  const replication = { POSTGRES_REPLICATION_PASSWORD_FILE: replicationPassword(secretName).file };
  if (primary === undefined) {
    return {
      PGDATA,
      POSTGRES_DB: databaseName,
      ...(rotating
        ? { POSTGRES_LOGINS_FILE: loginsSource(secretName).file }
        : { POSTGRES_PASSWORD_FILE: passwordSource(secretName).file }),
      POSTGRES_USER: username,
      ...(followed ? replication : {}),
      ...exporter?.env,
    };
  }
  return {
    PGDATA,
    // The probe's own connection goes through the socket, whose name has the port in it.
    PGPORT: String(engine.port),
    POSTGRES_PRIMARY_HOST: primary.host,
    POSTGRES_PRIMARY_PORT: String(engine.port),
    ...(tls === undefined ? {} : { POSTGRES_PRIMARY_SSLMODE: tls.sslMode }),
    ...(tls?._authority(database.name) === undefined ? {} : { POSTGRES_PRIMARY_CA: `${TLS_DIRECTORY}/ca.crt` }),
    ...replication,
  };
}

/** Fills the volume before the server starts: it takes as long as it takes, and no probe's budget has to be sized for it. */
const fillContainer = (
  { image, env, mounts, resources }: ContainerSpec,
  name: 'copy-primary' | 'restore',
): ContainerSpec => ({
  name,
  image,
  args: [`postgres-${name}`],
  ...(env === undefined ? {} : { env }),
  ...(mounts === undefined ? {} : { mounts }),
  resources,
});

/** The runtime's own has 64 MiB, where parallel queries end with "could not resize shared memory segment". */
function shm(resources: ContainerResources): Volume {
  const memory = resources.memory?.limit as Size;
  const size = Size.kibibytes(Math.max(64 * 1024, Math.floor(sizeBytes(memory) / 8 / 1024)));
  return { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: sizeQuantity(size) } };
}

/**
 * `pg_isready` ends with 0 when connections are accepted, 1 when they are refused for now (start, recovery, shutdown), 2 without an answer.
 * Over TCP, since the server that fills a new data folder listens on a socket only.
 * @param maxLag of a replica: it is ready where what readers see is at most so old
 */
function probes(
  database: DatabasePodInput,
  maxLag: Duration | undefined,
): { startup: Probe; liveness: Probe; readiness: Probe } {
  const { engine, username, databaseName, startupDeadline } = database;
  const ask = ['pg_isready', '-q', '-h', '127.0.0.1', '-p', String(engine.port), '-U', username, '-d', databaseName];
  const answers: Probe = { exec: { command: ask } };
  const ready: Probe =
    maxLag === undefined ? answers : { exec: { command: ['postgres-replica-ready', String(maxLag.toSeconds())] } };
  return {
    startup: startupProbe(answers, startupDeadline),
    // When one backend crashes the server restarts itself and replays its log, and refuses connections meanwhile.
    // A restart by the kubelet would only begin that recovery again, so refusing counts as alive and silence does not.
    liveness: {
      exec: { command: ['/bin/sh', '-c', `${ask.join(' ')}; [ "$?" -lt 2 ]`] },
      periodSeconds: 20,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    readiness: { ...ready, periodSeconds: 10, timeoutSeconds: maxLag === undefined ? 3 : 5, failureThreshold: 3 },
  };
}
