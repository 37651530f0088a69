import type { DatabaseSettings } from './database-configuration';
import type { CloudNativePgSettings } from './database-cloud-native-pg-options';
import { PrimaryUpdate } from './database-cloud-native-pg-options';
import type { StatefulDatabaseProps } from './database-props';
import { isCidr } from './http-settings';
import { LateTokens } from './late';
import { sizeBytes } from './units';
import type { Problems } from './validation';

/** The operator refuses a longer name, since it adds suffixes of its own. */
const NAME_MAX = 50;
/** A backup's name, which is that of its schedule and the time, is the value of a label. */
const NAME_MAX_WITH_BACKUP = 63 - '-backup-20260101000000'.length;
/** The port that the operator knows, for the server and for the pooler. */
export const OPERATOR_PORT = 5432;

/** Roles that the operator makes for itself. */
const OPERATOR_ROLES = ['streaming_replica', 'cnpg_pooler_pgbouncer'];

/** Settings that the operator writes itself or refuses (`FixedConfigurationParameters` of its 1.28). */
const OPERATOR_OWNED = new Set(
  [
    'allow_system_table_mods archive_cleanup_command archive_command archive_mode bonjour bonjour_name cluster_name config_file',
    'data_directory data_sync_retry event_source external_pid_file hba_file hot_standby ident_file jit_provider listen_addresses',
    'log_destination log_directory log_file_mode log_filename log_rotation_age log_rotation_size log_truncate_on_rotation',
    'logging_collector pg_failover_slots.primary_dsn pg_failover_slots.standby_slot_names port primary_conninfo primary_slot_name',
    'promote_trigger_file recovery_end_command recovery_min_apply_delay recovery_target recovery_target_action',
    'recovery_target_inclusive recovery_target_lsn recovery_target_name recovery_target_time recovery_target_timeline',
    'recovery_target_xid restart_after_crash restore_command ssl ssl_ca_file ssl_cert_file ssl_crl_file ssl_dh_params_file',
    'ssl_ecdh_curve ssl_key_file ssl_passphrase_command ssl_passphrase_command_supports_reload ssl_prefer_server_ciphers',
    'stats_temp_directory synchronized_standby_slots synchronous_standby_names syslog_facility syslog_ident',
    'syslog_sequence_numbers syslog_split_messages temp_tablespaces unix_socket_directories unix_socket_group',
    'unix_socket_permissions',
  ].flatMap((line) => line.split(' ')),
);

/** Whether the operator writes this setting itself. */
export const operatorOwns = (parameter: string): boolean => OPERATOR_OWNED.has(parameter);

/** What the rules of this back end look at. */
export interface CloudNativePgRulesInput {
  readonly operator: CloudNativePgSettings;
  readonly props: StatefulDatabaseProps;
  readonly name: string;
  readonly username: string;
  readonly readReplicas: number;
  /** Nothing where they cannot be derived, which is a problem of its own. */
  readonly settings: DatabaseSettings | undefined;
}

/** What the operator cannot do, or does in another way; each with the reason. */
export function cloudNativePgProblems(problems: Problems, input: CloudNativePgRulesInput): void {
  const { name, props, username } = input;
  const on = 'with DatabaseBackend.cloudNativePg()';
  problems
    .require(
      /^[a-z]/.test(name) && name.length <= NAME_MAX,
      `name (${on}) must begin with a letter and have at most ${NAME_MAX} characters, got '${name}'`,
    )
    .require(
      props.backup === undefined || name.length <= NAME_MAX_WITH_BACKUP,
      `name (${on} and a backup) must have at most ${NAME_MAX_WITH_BACKUP} characters, got '${name}'`,
    )
    .require(
      !OPERATOR_ROLES.includes(username),
      `username must not be ${OPERATOR_ROLES.join(' or ')}, which are the operator's own, got '${username}'`,
    )
    .require(
      props.engine.port === OPERATOR_PORT,
      `engine.port must be ${OPERATOR_PORT} ${on}, which knows no other, got ${props.engine.port}`,
    )
    .require(
      !Object.keys(props.labels ?? {}).some((key) => /(^|\.)cnpg\.io\//.test(key)),
      `labels: those of cnpg.io are the operator's own`,
    );
  imageProblem(problems, props, on);
  refusedProps(problems, props, on);
  backupProblems(problems, input, on);
  settingsProblems(problems, input, on);
  optionProblems(problems, input);
}

/** The operator reads the version from the tag, and takes no image by its digest alone. */
function imageProblem(problems: Problems, { engine }: StatefulDatabaseProps, on: string): void {
  const { image, version } = engine;
  if (typeof image !== 'string' || LateTokens.isToken(image)) return;
  const [, tag = ''] = /:([\w][\w.-]*)$/.exec(image.split('@')[0] ?? '') ?? [];
  problems.require(
    new RegExp(`^${version}([.-]|$)`).test(tag),
    `engine.image (${on}) must have a tag that begins with its version, such as postgresql:${version}.10@sha256:…, got '${image}'`,
  );
}

function refusedProps(problems: Problems, props: StatefulDatabaseProps, on: string): void {
  const refused: readonly (readonly [string, unknown, string])[] = [
    ['replicationPassword', props.replicationPassword, 'replicas prove themselves by certificates'],
    ['replicaMaxLag', props.replicaMaxLag, 'replicas are measured in bytes; set maximumLag of the back end'],
    ['metrics', props.metrics, 'each server has metrics without an exporter; allowScraping opens them'],
    ['pooler.user', props.pooler?.user, 'the operator decides whom PgBouncer runs as'],
    ['backup.keep', props.backup?.keep, 'whoever keeps the snapshots or the archive also prunes them'],
    ['backup.storage', props.backup?.storage, 'backups are not kept on a volume'],
    ['backup.storageClass', props.backup?.storageClass, 'backups are not kept on a volume'],
    ['backup.deadline', props.backup?.deadline, 'the operator ends no backup'],
  ];
  for (const [prop, value, why] of refused) problems.require(value === undefined, `${prop} has no use ${on}: ${why}`);
}

function backupProblems(problems: Problems, { props, operator }: CloudNativePgRulesInput, on: string): void {
  const { backup } = operator;
  problems.require(
    props.backup === undefined || backup !== undefined,
    `backup ${on} needs to be told how: give the back end a CloudNativePgBackup`,
  );
  if (backup?.kind === 'volumeSnapshot') problems.dnsSubdomain('backend.backup.className', backup.options.className);
  if (backup?.kind !== 'plugin') return;
  problems
    .dnsSubdomain('backend.backup.name', backup.options.name)
    .port('backend.backup.store.port', backup.options.store?.port);
  const { cidr } = backup.options.store ?? {};
  problems.require(
    cidr === undefined || isCidr(cidr),
    `backend.backup.store.cidr must be a CIDR block, got '${cidr ?? ''}'`,
  );
}

function settingsProblems(problems: Problems, { props, settings }: CloudNativePgRulesInput, on: string): void {
  for (const parameter of Object.keys(props.configuration?.parameters ?? {})) {
    problems.require(!operatorOwns(parameter), `configuration.parameters: '${parameter}' belongs to the operator`);
  }
  for (const [file, sql] of Object.entries(props.initScripts ?? {})) {
    problems.require(
      !/^[ \t]*\\/m.test(sql),
      `initScripts: '${file}' has a command of psql (a line that begins with '\\'), and ${on} no psql reads it`,
    );
  }
  const request = props.resources?.memory?.request;
  if (request === undefined || settings === undefined) return;
  const [asked, shared] = [sizeBytes(request), sizeBytes(settings.sharedBuffers)];
  problems.require(
    !(asked < shared),
    `resources.memory.request (${asked} bytes) must be at least the shared buffers (${shared} bytes) ${on}`,
  );
}

function optionProblems(problems: Problems, { operator, readReplicas }: CloudNativePgRulesInput): void {
  const { operatorNamespace, apiServer, apiServerPorts, primaryUpdate, maximumLag } = operator;
  problems
    .dnsLabel('backend.operatorNamespace', operatorNamespace)
    .size('backend.maximumLag', maximumLag)
    .require(apiServer.length > 0, 'backend.apiServer must name at least one range of addresses')
    .require(apiServerPorts.length > 0, 'backend.apiServerPorts must name at least one port')
    .require(
      Object.values(PrimaryUpdate).includes(primaryUpdate),
      `backend.primaryUpdate must be ${Object.values(PrimaryUpdate).join(', ')}, got '${String(primaryUpdate)}'`,
    )
    .require(
      primaryUpdate === PrimaryUpdate.RESTART || readReplicas > 0,
      `backend.primaryUpdate must be '${PrimaryUpdate.RESTART}' without read replicas, got '${primaryUpdate}'`,
    )
    .require(maximumLag === undefined || readReplicas > 0, 'backend.maximumLag has no use without read replicas');
  for (const cidr of apiServer) {
    problems.require(isCidr(cidr), `backend.apiServer: '${cidr}' is not a range of addresses such as 10.0.0.1/32`);
  }
  for (const port of apiServerPorts) problems.port('backend.apiServerPorts: each', port);
}
