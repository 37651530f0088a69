import type { Duration } from 'cdk8s';
import { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { DatabaseEngine } from './database-engine';
import type { Labels, PodSpec, Probe, Volume, VolumeMount } from './kube';
import { LateTokens } from './late';
import { hardenedPod, startupProbe } from './pod';
import { DATA_VOLUME } from './stateful-workload';
import { sizeBytes, sizeQuantity } from './units';

/** Key of the Secret that holds the password alone. */
export const PASSWORD_KEY = 'POSTGRES_PASSWORD';

const DATA = '/var/lib/postgresql/data';
const CONFIG = '/etc/postgresql/postgresql.conf';
const SECRETS = '/run/secrets/postgres';

/** The password as a file: an environment is inherited, dumped and printed, a file is not. */
export interface PasswordSource {
  readonly volume: Volume;
  readonly mount: VolumeMount;
  /** Path of the file inside the container. */
  readonly file: string;
}

/** Where a pod of the database, or one of its tools, finds the password. */
export const passwordSource = (secretName: string): PasswordSource => ({
  volume: {
    name: 'password',
    // 0440: root owns the file, the pod's group may read it.
    secret: { secretName, defaultMode: 0o440, items: [{ key: PASSWORD_KEY, path: 'password' }] },
  },
  mount: { name: 'password', mountPath: SECRETS, readOnly: true },
  file: `${SECRETS}/password`,
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
}

/** The server's pod; its data is in the volume of the StatefulSet's claim. */
export function databasePod(database: DatabasePodInput, selector: Labels, init: boolean): PodSpec {
  const { engine, name, databaseName, username, resources } = database;
  const password = passwordSource(database.secretName);
  const env = {
    PGDATA: `${DATA}/pgdata`,
    POSTGRES_DB: databaseName,
    POSTGRES_PASSWORD_FILE: password.file,
    POSTGRES_USER: username,
  };
  return hardenedPod({
    labels: selector,
    serviceAccount: name,
    user: engine.user,
    grace: database.terminationGrace,
    volumes: volumes(name, password, resources, init),
    containers: [
      {
        name: 'postgres',
        image: LateTokens.of(database).asString(database, engine.image),
        ports: [{ name: 'postgres', port: engine.port }],
        env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
        resources,
        probes: probes(database),
        mounts: [
          { name: DATA_VOLUME, mountPath: DATA },
          // One file, so that the image's or a later volume's other files in the folder stay in sight.
          { name: 'config', mountPath: CONFIG, subPath: 'postgresql.conf', readOnly: true },
          { name: 'shm', mountPath: '/dev/shm' },
          password.mount,
          ...(init ? [{ name: 'init', mountPath: '/docker-entrypoint-initdb.d', readOnly: true }] : []),
        ],
      },
    ],
  });
}

function volumes(
  name: string,
  password: PasswordSource,
  resources: ContainerResources,
  init: boolean,
): readonly Volume[] {
  const memory = resources.memory?.limit as Size;
  // The runtime's /dev/shm has 64 MiB, where parallel queries end with "could not resize shared memory segment".
  const shm = Size.kibibytes(Math.max(64 * 1024, Math.floor(sizeBytes(memory) / 8 / 1024)));
  return [
    { name: 'config', configMap: { name: `${name}-config` } },
    password.volume,
    { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: sizeQuantity(shm) } },
    ...(init ? [{ name: 'init', configMap: { name: `${name}-init` } }] : []),
  ];
}

/**
 * `pg_isready` ends with 0 when connections are accepted, 1 when they are refused for now (start, recovery, shutdown), 2 without an answer.
 * Over TCP, since the server that fills a new data folder listens on a socket only.
 */
function probes(database: DatabasePodInput): { startup: Probe; liveness: Probe; readiness: Probe } {
  const { engine, username, databaseName, startupDeadline } = database;
  const ask = ['pg_isready', '-q', '-h', '127.0.0.1', '-p', String(engine.port), '-U', username, '-d', databaseName];
  const ready: Probe = { exec: { command: ask } };
  return {
    startup: startupProbe(ready, startupDeadline),
    // When one backend crashes the server restarts itself and replays its log, and refuses connections meanwhile.
    // A restart by the kubelet would only begin that recovery again, so refusing counts as alive and silence does not.
    liveness: {
      exec: { command: ['/bin/sh', '-c', `${ask.join(' ')}; [ "$?" -lt 2 ]`] },
      periodSeconds: 20,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    readiness: { ...ready, periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 },
  };
}
