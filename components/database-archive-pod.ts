import { Size } from 'cdk8s';
import type { Construct } from 'constructs';
import type { DatabaseArchive, ArchiveStorageOptions } from './database-archive';
import type { DatabaseRecovery } from './database-recovery';
import { declareExternal } from './external';
import type { Labels, Volume, VolumeMount } from './kube';
import { LateTokens } from './late';
import type { Late } from './late';
import type { ContainerSpec } from './pod';
import { compute } from './pod';
import type { RemovalPolicy } from './release-options';
import { DATA_VOLUME } from './stateful-workload';
import { cpuMillis, sizeBytes } from './units';
import { volumeClaim } from './volume-claim';

/** A repository as the image knows it: the server's own, or the one that it recovers from. */
export type RepositoryName = 'archive' | 'source';

/** The repositories of one server. */
export interface ArchiveInput {
  readonly archive: DatabaseArchive | undefined;
  readonly recovery: DatabaseRecovery | undefined;
}

/** The database whose repositories they are. */
export interface ArchivedDatabase extends Construct {
  readonly name: string;
  readonly storage: Size;
  readonly port: number;
  readonly removalPolicy: RemovalPolicy;
}

/** What archive and recovery add to the pod of the server. */
export interface ArchiveParts {
  readonly volumes: readonly Volume[];
  /** Of the server, and of what restores it. */
  readonly mounts: readonly VolumeMount[];
  readonly env: Readonly<Record<string, string>>;
  readonly initContainers: readonly ContainerSpec[];
  readonly sidecars: readonly ContainerSpec[];
  /** Whether the volume is filled from a repository before the server starts. */
  readonly restores: boolean;
}

const KEYS = { volume: 'repository-keys', directory: '/run/pgbackrest' } as const;
const SECRETS = '/run/secrets';
const CONFIG = '/etc/pgbackrest';
const VOLUME = '/var/lib/pgbackrest';
const PUBLIC_AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/** The repositories by their names; the own one is not there a second time. */
export function repositories(
  scope: Construct,
  { archive, recovery }: ArchiveInput,
): readonly (readonly [RepositoryName, DatabaseArchive])[] {
  const source = recovery?._source;
  const other = source === undefined || (archive?._is(scope, source) ?? false) ? undefined : source;
  return [
    ...(archive === undefined ? [] : [['archive', archive] as const]),
    ...(other === undefined ? [] : [['source', other] as const]),
  ];
}

/** Files of the server's ConfigMap, one a repository. */
export const repositoryFiles = (database: ArchivedDatabase, input: ArchiveInput): Readonly<Record<string, string>> =>
  Object.fromEntries(
    repositories(database, input).map(([name, one]) => [`${name}.conf`, repositoryConf(database, name, one)]),
  );

/** The text that pgBackRest reads; what is secret of it comes from a file beside. */
function repositoryConf(database: ArchivedDatabase, name: RepositoryName, archive: DatabaseArchive): string {
  const { keepFull, resources, maxQueue } = archive._settings;
  const queue = maxQueue === undefined ? Math.floor(sizeBytes(database.storage) / 4) : sizeBytes(maxQueue);
  const cpu = resources.cpu?.limit;
  const place = archive._place;
  const options = {
    ...(place.kind === 'volume'
      ? { 'repo1-type': 'posix', 'repo1-path': VOLUME }
      : bucket(database, name, place.options)),
    'repo1-cipher-type': 'aes-256-cbc',
    // A database has a thousand small files, and each object of a store costs a request.
    'repo1-bundle': 'y',
    'repo1-retention-full': keepFull,
    'archive-push-queue-max': queue,
    'archive-timeout': 60,
    'compress-type': 'zst',
    'compress-level': 3,
    'process-max': cpu === undefined ? 1 : Math.max(1, Math.floor(cpuMillis(cpu) / 1000)),
    // Else a backup waits for the next checkpoint, which may be a quarter of an hour away.
    'start-fast': 'y',
    'lock-path': '/tmp/pgbackrest',
    'log-level-console': 'off',
    'log-level-file': 'off',
    'log-level-stderr': 'warn',
  };
  const server = {
    'pg1-path': '/var/lib/postgresql/data/pgdata',
    'pg1-port': database.port,
    'pg1-socket-path': '/tmp',
    'pg1-user': 'postgres',
  };
  const section = (title: string, values: object): string =>
    [`[${title}]`, ...Object.entries(values).map(([key, value]) => `${key}=${String(value)}`), ''].join('\n');
  return [section('global', options), section('main', server)].join('\n');
}

function bucket(
  scope: Construct,
  name: RepositoryName,
  options: ArchiveStorageOptions,
): Readonly<Record<string, string>> {
  const { endpoint, port = 443, region, prefix = '/', pathStyle = false, authority } = options;
  return {
    'repo1-type': 's3',
    'repo1-path': prefix,
    'repo1-s3-endpoint': LateTokens.of(scope).asString(scope, endpoint),
    'repo1-s3-region': region,
    'repo1-s3-bucket': options.bucket,
    'repo1-s3-uri-style': pathStyle ? 'path' : 'host',
    'repo1-storage-port': String(port),
    'repo1-storage-ca-file': authority === undefined ? PUBLIC_AUTHORITIES : `${SECRETS}/${name}-ca/ca.crt`,
  };
}

const secretName = (database: string, name: RepositoryName): string => `${database}-${name}-secret`;
const claimName = (database: string): string => `${database}-archive`;

/** Secrets and the volume, as children of the database. */
export function addRepositories(
  database: ArchivedDatabase,
  input: ArchiveInput,
  { labels, selector, storageClass }: { labels: Labels; selector: Labels; storageClass: Late | undefined },
): void {
  const { name: own, storage, removalPolicy } = database;
  for (const [name, archive] of repositories(database, input)) {
    const id = name === 'archive' ? 'Archive' : 'Source';
    const { keys } = archive._settings;
    keys._addSecret(database, `${id}Secret`, secretName(own, name), { ...labels, ...selector }, removalPolicy);
    const place = archive._place;
    if (place.kind === 'objectStorage') {
      const { authority } = place.options;
      if (authority !== undefined) declareExternal(database, 'Secret', authority.secretName);
      continue;
    }
    const className = place.options.storageClass ?? storageClass;
    volumeClaim(database, 'ArchiveVolume', {
      name: claimName(own),
      labels: selector,
      claim: {
        size: place.options.storage ?? Size.kibibytes((2 * sizeBytes(storage)) / 1024),
        ...(className === undefined ? {} : { storageClass: className }),
      },
      removalPolicy,
    });
  }
}

/** One repository in the pod: its configuration, its keys, its authority, its volume. */
function repository(
  database: ArchivedDatabase,
  name: RepositoryName,
  archive: DatabaseArchive,
): { readonly volumes: readonly Volume[]; readonly mounts: readonly VolumeMount[]; readonly keys: VolumeMount } {
  const { keys } = archive._settings;
  const place = archive._place;
  const authority = place.kind === 'objectStorage' ? place.options.authority : undefined;
  const secret = (volume: string, of: string, items: { key: string; path: string }[]): Volume => ({
    // 0440: root owns the file, the pod's group may read it.
    name: volume,
    secret: { secretName: of, defaultMode: 0o440, items },
  });
  const items = keys._names(place.kind === 'objectStorage').map((key) => ({ key, path: key }));
  return {
    volumes: [
      secret(`${name}-keys`, keys._secretName(secretName(database.name, name)), items),
      ...(authority === undefined
        ? []
        : [secret(`${name}-ca`, authority.secretName, [{ key: authority.key, path: 'ca.crt' }])]),
      ...(place.kind === 'volume'
        ? [{ name: 'repository', persistentVolumeClaim: { claimName: claimName(database.name) } }]
        : []),
    ],
    mounts: [
      { name: 'config', mountPath: `${CONFIG}/${name}.conf`, subPath: `${name}.conf`, readOnly: true },
      ...(authority === undefined ? [] : [{ name: `${name}-ca`, mountPath: `${SECRETS}/${name}-ca`, readOnly: true }]),
      ...(place.kind === 'volume' ? [{ name: 'repository', mountPath: VOLUME }] : []),
    ],
    keys: { name: `${name}-keys`, mountPath: `${SECRETS}/${name}`, readOnly: true },
  };
}

/** What they add to the server's pod; nothing where there are none. */
export function archiveParts(database: ArchivedDatabase, input: ArchiveInput, image: string): ArchiveParts {
  const { archive, recovery } = input;
  const all = repositories(database, input);
  if (all.length === 0) return NOTHING;
  const parts = all.map(([name, one]) => repository(database, name, one));
  const written = { name: KEYS.volume, mountPath: KEYS.directory };
  const mounts = [...parts.flatMap((part) => part.mounts), { ...written, readOnly: true }];
  return {
    volumes: [
      ...parts.flatMap(({ volumes }) => volumes),
      { name: KEYS.volume, emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    ],
    mounts,
    env: {
      // Its programs ask the server through the socket, whose name has the port in it.
      PGPORT: String(database.port),
      ...recovery?._env(database, archive),
    },
    initContainers: [
      {
        name: 'repository-keys',
        image,
        args: ['pgbackrest-keys', ...all.map(([name]) => name)],
        resources: compute([10, 100], [16, 64]),
        mounts: [...parts.map(({ keys }) => keys), written],
      },
    ],
    sidecars: archive === undefined ? [] : [baseBackups(archive, image, database.port, mounts)],
    restores: recovery !== undefined,
  };
}

const NOTHING: ArchiveParts = { volumes: [], mounts: [], env: {}, initContainers: [], sidecars: [], restores: false };

/**
 * Base backups are made beside the server: they need its files and its socket, and a volume that one node mounts is in no other pod. It has
 * no probe of its own: one that cannot go on ends, and what it did not do shows in the age of the newest backup.
 */
function baseBackups(
  archive: DatabaseArchive,
  image: string,
  port: number,
  mounts: readonly VolumeMount[],
): ContainerSpec {
  const { fullEvery, differentialEvery, resources } = archive._settings;
  const env = {
    PGPORT: String(port),
    POSTGRES_DIFFERENTIAL_SECONDS: String(differentialEvery.toSeconds()),
    POSTGRES_FULL_SECONDS: String(fullEvery.toSeconds()),
  };
  return {
    name: 'base-backups',
    image,
    args: ['postgres-base-backups'],
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    resources,
    mounts: [{ name: DATA_VOLUME, mountPath: '/var/lib/postgresql/data', readOnly: true }, ...mounts],
  };
}
