import { Duration, Size } from 'cdk8s';
import { sizeBytes } from './units';

/** Settings of PostgreSQL that users change; all others are derived or fixed by the component. */
export interface DatabaseConfiguration {
  /**
   * Connections at most, three of them kept for administrators and ten for backups, migrations and the metrics exporter. Each costs memory
   * even when idle: a pool of 20 a service fits five services. Replicas do not count: the server has places of their own for them.
   * @default - 100, or what the pooler may open and thirteen more, if that is more
   */
  readonly maxConnections?: number;
  /**
   * PostgreSQL's own cache; at most 40 % of the memory limit.
   * @default - 25 % of the memory limit (PostgreSQL 15 manual, 20.4.1: a reasonable start, more than 40 % unlikely to help)
   */
  readonly sharedBuffers?: Size;
  /**
   * What the planner may assume to be cached, the kernel's part included. It reserves nothing.
   * @default - 75 % of the memory limit (pgtune's rule; files cached for a container count against its limit)
   */
  readonly effectiveCacheSize?: Size;
  /**
   * Memory of one sort or hash before it goes to disk; one query may use it several times. At least 64 KiB.
   * @default - (memory limit - shared buffers) / (3 x connections), at least 64 KiB: pgtune's rule, three sorts in each connection
   */
  readonly workMem?: Size;
  /**
   * Memory of VACUUM and CREATE INDEX. Three workers may use it at once.
   * @default - 1/16 of the memory limit, at most 2 GiB (pgtune's rule)
   */
  readonly maintenanceWorkMem?: Size;
  /**
   * Write-ahead log between two checkpoints; more means fewer checkpoints and a longer recovery. At most half of the storage.
   * @default - half of the memory limit (twice the default cache) between 256 MiB and 4 GiB, or half of a storage smaller than that. It
   * does not follow the storage upwards: a disk grows without a restart of the server.
   */
  readonly maxWalSize?: Size;
  /**
   * Statements that take longer are logged, without the values bound to them.
   * @default Duration.seconds(1)
   */
  readonly slowStatement?: Duration;
  /**
   * Statements that take longer are ended.
   * @default - never: a migration or a dump may take hours
   */
  readonly statementTimeout?: Duration;
  /**
   * A transaction that waits for its client that long is ended: it holds locks and keeps VACUUM from cleaning up.
   * @default Duration.minutes(5)
   */
  readonly idleInTransactionTimeout?: Duration;
  /**
   * Further settings by PostgreSQL's own names; they win over the derived ones. What has a field above is refused here.
   * @default - none
   */
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
}

/** The settings above with every default filled in. */
export type DatabaseSettings = Required<Omit<DatabaseConfiguration, 'statementTimeout'>> & {
  /** Zero where statements may take any time. */
  readonly statementTimeout: Duration;
};

/** What the defaults are derived from. */
export interface DatabaseMachine {
  readonly memory: Size;
  /** Millicores of the CPU limit, where there is one. */
  readonly cpuMillis: number | undefined;
  readonly storage: Size;
  readonly port: number;
  /** Connections that a pooler may open; zero without one. */
  readonly pooled: number;
  /** How far replicas may be behind, where there are any. */
  readonly maxLag: Duration | undefined;
  /** Within what time the log reaches the archive, where there is one. */
  readonly maxLoss?: Duration | undefined;
}

const MIB = 1024 ** 2;
const bytes = (amount: number): Size => Size.kibibytes(Math.floor(amount / 1024));

/** Connections that only a superuser gets, so that an administrator comes in when all others are taken. */
const RESERVED_CONNECTIONS = 3;
/** Connections that a pooler leaves free: for backups, migrations, the exporter and an operator. */
const SPARE_CONNECTIONS = 10;
const DEFAULT_CONNECTIONS = 100;
/** More would only be chained to the primary's network card. */
export const MOST_REPLICAS = 8;

/** Fewest connections that a server has to accept where a pooler opens so many. */
export const leastConnections = (pooled: number): number =>
  pooled === 0 ? 0 : pooled + SPARE_CONNECTIONS + RESERVED_CONNECTIONS;

/** PostgreSQL refuses less for work_mem. */
export const LEAST_WORK_MEM = Size.kibibytes(64);

/** Fills in every default from what the container has. */
export function databaseSettings(machine: DatabaseMachine, given: DatabaseConfiguration = {}): DatabaseSettings {
  const [memory, storage] = [sizeBytes(machine.memory), sizeBytes(machine.storage)];
  const maxConnections = given.maxConnections ?? Math.max(DEFAULT_CONNECTIONS, leastConnections(machine.pooled));
  const sharedBuffers = given.sharedBuffers ?? bytes(memory / 4);
  const perSort = (memory - sizeBytes(sharedBuffers)) / (3 * maxConnections);
  return {
    maxConnections,
    sharedBuffers,
    effectiveCacheSize: given.effectiveCacheSize ?? bytes(memory * 0.75),
    workMem: given.workMem ?? bytes(Math.max(sizeBytes(LEAST_WORK_MEM), perSort)),
    maintenanceWorkMem: given.maintenanceWorkMem ?? bytes(Math.min(memory / 16, 2048 * MIB)),
    maxWalSize: given.maxWalSize ?? bytes(Math.min(clamp(memory / 2, 256 * MIB, 4096 * MIB), storage / 2)),
    slowStatement: given.slowStatement ?? Duration.seconds(1),
    statementTimeout: given.statementTimeout ?? Duration.seconds(0),
    idleInTransactionTimeout: given.idleInTransactionTimeout ?? Duration.minutes(5),
    parameters: given.parameters ?? {},
  };
}

const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

type Value = string | number | boolean;

const kilobytes = (size: Size): string => `${Math.floor(sizeBytes(size) / 1024)}kB`;
const millis = (duration: Duration): string => `${duration.toMilliseconds()}ms`;

/** Settings that a field of the configuration owns. */
function derived(settings: DatabaseSettings): Readonly<Record<string, Value>> {
  return {
    max_connections: settings.maxConnections,
    shared_buffers: kilobytes(settings.sharedBuffers),
    effective_cache_size: kilobytes(settings.effectiveCacheSize),
    work_mem: kilobytes(settings.workMem),
    maintenance_work_mem: kilobytes(settings.maintenanceWorkMem),
    max_wal_size: kilobytes(settings.maxWalSize),
    // A quarter stays allocated for reuse; initdb's ratio is 80 MB to 1 GB, made for small disks.
    min_wal_size: kilobytes(bytes(Math.max(32 * MIB, sizeBytes(settings.maxWalSize) / 4))),
    log_min_duration_statement: millis(settings.slowStatement),
    statement_timeout: millis(settings.statementTimeout),
    idle_in_transaction_session_timeout: millis(settings.idleInTransactionTimeout),
  };
}

/** Settings that users may change through `parameters`. */
function fixed(machine: DatabaseMachine): Readonly<Record<string, Value>> {
  const cores = Math.max(1, Math.ceil((machine.cpuMillis ?? 1000) / 1000));
  return {
    superuser_reserved_connections: RESERVED_CONNECTIONS,
    authentication_timeout: '30s',
    // A client that vanished is noticed after two minutes instead of the kernel's two hours.
    tcp_keepalives_idle: '60s',
    tcp_keepalives_interval: '10s',
    tcp_keepalives_count: 6,
    client_connection_check_interval: '10s',
    // With 'try', a node that has huge pages kills a pod that may not use them.
    huge_pages: 'off',
    // It pays off in long analytical queries only, and its memory is not bounded by work_mem.
    jit: false,
    max_worker_processes: Math.max(8, cores),
    max_parallel_workers: cores,
    max_parallel_workers_per_gather: Math.floor(cores / 2),
    max_parallel_maintenance_workers: Math.floor(cores / 2),
    wal_compression: true,
    checkpoint_timeout: '15min',
    checkpoint_completion_target: 0.9,
    // Network and solid-state disks: a random page costs about as much as the next one, and many reads run at once.
    random_page_cost: 1.1,
    effective_io_concurrency: 200,
    shared_preload_libraries: 'pg_stat_statements',
    // To stderr, for the cluster to collect. Values bound to a statement stay out: they are users' data.
    log_destination: 'stderr',
    logging_collector: false,
    log_line_prefix: '%m [%p] user=%u db=%d app=%a client=%h ',
    log_timezone: 'UTC',
    timezone: 'UTC',
    log_checkpoints: true,
    log_lock_waits: true,
    log_temp_files: '10MB',
    log_autovacuum_min_duration: '10s',
    log_parameter_max_length: 0,
    log_parameter_max_length_on_error: 0,
  };
}

/** Settings of a primary and its replicas; a replica takes its primary's place, and must accept what that one accepts. */
function replication(settings: DatabaseSettings, maxLag: Duration): Readonly<Record<string, Value>> {
  // While it copies, a replica uses three senders; two are left for an operator. It does not follow the number of replicas, since a
  // change of it restarts the primary.
  const senders = 3 * MOST_REPLICAS + 2;
  return {
    max_wal_senders: senders,
    max_replication_slots: senders,
    // A replica that is away longer than this much log is copied anew, instead of filling the primary's disk.
    max_slot_wal_keep_size: kilobytes(settings.maxWalSize),
    // A connection that broke without a word is noticed well within a minute.
    wal_sender_timeout: '20s',
    wal_receiver_timeout: '20s',
    // A query that needs rows which the primary has cleaned up holds back the replica no longer than readers tolerate; then it is ended.
    max_standby_streaming_delay: millis(maxLag),
    // Else a forgotten query on a replica, or the slot of one that is away, keeps the primary from cleaning up.
    hot_standby_feedback: false,
  };
}

/** Settings of a server whose log is archived. One that follows another archives nothing until it is promoted. */
const archiving = (maxLoss: Duration): Readonly<Record<string, Value>> => ({
  archive_mode: true,
  archive_command: 'pgbackrest-repository archive archive-push "%p"',
  // A segment that nothing is written to any more is not full for hours.
  archive_timeout: millis(maxLoss),
});

/** Settings that would break the image, the probes or the access rules when changed. */
const OWNED = [
  'config_file data_directory external_pid_file hba_file hot_standby ident_file include include_dir include_if_exists',
  'listen_addresses password_encryption port primary_conninfo primary_slot_name',
  'ssl ssl_cert_file ssl_key_file unix_socket_directories unix_socket_permissions',
]
  .join(' ')
  .split(' ');

/** What is wrong with further settings, one sentence each. */
export function parameterProblems(parameters: Readonly<Record<string, Value>>): readonly string[] {
  const fields = Object.keys(derived(databaseSettings(SAMPLE)));
  return Object.entries(parameters).flatMap(([name, value]) => {
    const at = `configuration.parameters: '${name}'`;
    if (!/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/.test(name)) return [`${at} is not the name of a PostgreSQL setting`];
    if (OWNED.includes(name)) return [`${at} belongs to the component and cannot be set`];
    if (name === 'wal_level' && value === 'minimal')
      return [`${at} must be replica or logical: without it nothing can be copied`];
    if (name === 'log_statement' && value !== 'none') {
      return [`${at} writes the passwords of CREATE ROLE and ALTER ROLE to the log; use configuration.slowStatement`];
    }
    if (fields.includes(name)) return [`${at} follows from a field of the configuration; set that instead`];
    if (typeof value === 'number' && !Number.isFinite(value)) return [`${at} must be a number, got ${value}`];

    if (typeof value === 'string' && /[\u0000-\u001f]/.test(value)) return [`${at} must be a single line`];
    return [];
  });
}
const SAMPLE: DatabaseMachine = {
  memory: Size.gibibytes(1),
  cpuMillis: 1000,
  storage: Size.gibibytes(10),
  port: 5432,
  pooled: 0,
  maxLag: undefined,
};

/** The text of `postgresql.conf`. */
export function postgresqlConf(machine: DatabaseMachine, settings: DatabaseSettings): string {
  const access = { listen_addresses: '*', port: machine.port, password_encryption: 'scram-sha-256' };
  const rest = { ...fixed(machine), ...settings.parameters };
  const block = (title: string, values: Readonly<Record<string, Value>>): string =>
    [`# ${title}`, ...Object.entries(values).map(([name, value]) => `${name} = ${literal(value)}`), ''].join('\n');
  return [
    block('Access.', access),
    block('Derived from the limits of the container and the size of its volume.', derived(settings)),
    ...(machine.maxLag === undefined
      ? []
      : [block('For the replicas.', without(replication(settings, machine.maxLag), settings.parameters))]),
    ...(machine.maxLoss === undefined ? [] : [block('For the archive.', archiving(machine.maxLoss))]),
    block('The same for every database, and parameters of this one.', rest),
  ].join('\n');
}

/** The same settings for whoever writes the file himself: all but those of the access, by name and unquoted. */
export function serverParameters(
  machine: DatabaseMachine,
  settings: DatabaseSettings,
): Readonly<Record<string, string>> {
  const followed = machine.maxLag === undefined ? {} : replication(settings, machine.maxLag);
  const all = { ...derived(settings), ...followed, ...fixed(machine), ...settings.parameters };
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [name, typeof value === 'string' ? value : literal(value)]),
  );
}

const without = <T>(values: Readonly<Record<string, T>>, names: object): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !(name in names)));

function literal(value: Value): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'number') return String(value);
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
