import { Size } from 'cdk8s';
import { databaseMachine } from './database-rules';
import type { CloudNativePgSettings } from './database-cloud-native-pg-options';
import { PrimaryUpdate } from './database-cloud-native-pg-options';
import { operatorOwns } from './database-cloud-native-pg-rules';
import { serverParameters } from './database-configuration';
import type { DatabaseServersInput } from './database-servers';
import type { Kinds, Labels } from './kube';
import { LateTokens } from './late';
import { resourceRequirements } from './pod';
import { sizeBytes, sizeQuantity } from './units';

type ClusterSpec = Kinds['postgresql.cnpg.io/v1/Cluster']['spec'];

/** Label by which the operator tells servers, poolers and jobs of one cluster from each other. */
export const ROLE_LABEL = 'cnpg.io/podRole';

/** Labels of the servers of a cluster; its jobs have the first one alone. */
export const instanceLabels = (name: string): Labels => ({ 'cnpg.io/cluster': name, [ROLE_LABEL]: 'instance' });

/** Name of the ConfigMap with the scripts for the first start. */
export const initName = (name: string): string => `${name}-init`;

/**
 * The scripts as the owner's: the operator runs them as the superuser, to whom all they make would belong. They may end in a comment or
 * without a semicolon.
 */
export const ownedScripts = (
  username: string,
  scripts: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(scripts).map(([name, sql]) => [name, `set role "${username}";\n${sql}\n;\nreset role;\n`]),
  );

/** The operator's Cluster behind one database. */
export function clusterSpec(input: DatabaseServersInput, operator: CloudNativePgSettings): ClusterSpec {
  const { database, props, labels } = input;
  const { engine, name, storage, resources, readReplicas, terminationGrace, startupDeadline } = database;
  const tokens = LateTokens.of(database);
  const grace = terminationGrace.toSeconds();
  const authority = database.tls?._authority(name);
  const inherited = Object.keys(labels).length === 0 ? {} : { inheritedMetadata: { labels } };
  return {
    instances: 1 + readReplicas,
    imageName: tokens.asString(database, engine.image),
    imagePullPolicy: 'Always',
    postgresUID: engine.user,
    postgresGID: engine.user,
    ...inherited,
    bootstrap: { initdb: initdb(input) },
    storage: {
      size: sizeQuantity(storage),
      resizeInUseVolumes: true,
      ...(props.storageClass === undefined ? {} : { storageClass: tokens.asString(database, props.storageClass) }),
    },
    postgresql: postgresql(input),
    resources: resourceRequirements(resources),
    // The default of 64 MiB ends parallel queries.
    ephemeralVolumesSizeLimit: { shm: sharedMemory(resources.memory?.limit as Size), temporaryData: '512Mi' },
    enableSuperuserAccess: false,
    // A budget for the only server would block every drain of its node for good.
    enablePDB: readReplicas > 0,
    ...(authority === undefined
      ? {}
      : { certificates: { serverTLSSecret: authority.secretName, serverCASecret: authority.secretName } }),
    // The fast shutdown at once: the smart one waits for clients, which keep their connections open.
    smartShutdownTimeout: 0,
    stopDelay: grace,
    switchoverDelay: grace,
    startDelay: startupDeadline.toSeconds(),
    ...updates(operator.primaryUpdate),
    ...(operator.maximumLag === undefined
      ? {}
      : { probes: { readiness: { type: 'streaming' as const, maximumLag: sizeQuantity(operator.maximumLag) } } }),
    ...backups(operator, readReplicas),
    ...placement(name),
  };
}

function initdb({ database, props }: DatabaseServersInput) {
  const { name, databaseName, username, secretName } = database;
  const scripts = Object.keys(props.initScripts ?? {}).sort();
  return {
    database: databaseName,
    owner: username,
    secret: { name: secretName },
    dataChecksums: true,
    encoding: 'UTF8',
    ...(scripts.length === 0
      ? {}
      : { postInitApplicationSQLRefs: { configMapRefs: scripts.map((key) => ({ name: initName(name), key })) } }),
  };
}

/** Settings as without an operator, less what is the operator's. */
function postgresql({ database }: DatabaseServersInput) {
  const { settings, tls } = database;
  const all = serverParameters(databaseMachine(database), settings);
  const statements = 'pg_stat_statements';
  const libraries = (all['shared_preload_libraries'] ?? '')
    .split(',')
    .map((library) => library.trim())
    // The operator loads it, and makes the extension, where it has a setting.
    .filter((library) => library !== '' && library !== statements);
  // Its time-outs of 5 s are part of how fast the operator sees that a primary is lost.
  const left = ['shared_preload_libraries', 'wal_sender_timeout', 'wal_receiver_timeout'];
  const kept = (parameter: string): boolean =>
    !operatorOwns(parameter) &&
    (!left.includes(parameter) || (parameter in settings.parameters && parameter !== left[0]));
  return {
    parameters: {
      [`${statements}.track`]: 'top',
      ...Object.fromEntries(Object.entries(all).filter(([parameter]) => kept(parameter))),
    },
    ...(libraries.length === 0 ? {} : { shared_preload_libraries: libraries }),
    pg_hba: ['host all postgres all reject', ...(tls === undefined ? [] : ['hostnossl all all all reject'])],
  };
}

const sharedMemory = (memory: Size): string =>
  sizeQuantity(Size.kibibytes(Math.max(64 * 1024, Math.floor(sizeBytes(memory) / 8 / 1024))));

const updates = (update: PrimaryUpdate) =>
  ({
    primaryUpdateStrategy: update === PrimaryUpdate.SUPERVISED ? 'supervised' : 'unsupervised',
    primaryUpdateMethod: update === PrimaryUpdate.SWITCHOVER ? 'switchover' : 'restart',
  }) as const;

function backups({ backup }: CloudNativePgSettings, readReplicas: number): Pick<ClusterSpec, 'backup' | 'plugins'> {
  if (backup === undefined) return {};
  if (backup.kind === 'plugin') {
    const { name, parameters, archivesLog = true } = backup.options;
    const plugin = { name, enabled: true, isWALArchiver: archivesLog };
    return { plugins: [{ ...plugin, ...(parameters === undefined ? {} : { parameters }) }] };
  }
  const { className, online = readReplicas === 0 } = backup.options;
  return {
    backup: {
      target: 'prefer-standby',
      // With `none` they outlive the database.
      volumeSnapshot: { online, snapshotOwnerReference: 'none', ...(className === undefined ? {} : { className }) },
    },
  };
}

function placement(name: string): Pick<ClusterSpec, 'affinity' | 'topologySpreadConstraints'> {
  const wish = (topologyKey: string) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: instanceLabels(name) },
  });
  return {
    affinity: {
      enablePodAntiAffinity: true,
      podAntiAffinityType: 'preferred',
      topologyKey: 'kubernetes.io/hostname',
    },
    topologySpreadConstraints: [wish('topology.kubernetes.io/zone'), wish('kubernetes.io/hostname')],
  };
}
