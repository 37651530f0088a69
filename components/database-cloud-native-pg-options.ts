import type { Size } from 'cdk8s';

/** How the primary of an operator's cluster is updated, after its replicas. */
export enum PrimaryUpdate {
  /** It restarts in its place, for the seconds that this takes. */
  RESTART = 'restart',
  /** A replica takes its place first. The operator refuses a change of image and of settings at once. */
  SWITCHOVER = 'switchover',
  /** It waits until somebody says so, with `kubectl cnpg promote`. Needs a read replica. */
  SUPERVISED = 'supervised',
}

/** Backups by snapshots of the volumes, for which the cluster needs a CSI driver that takes them. */
export interface SnapshotBackupOptions {
  /**
   * VolumeSnapshotClass of the snapshots.
   * @default - the default one of the volumes' driver
   */
  readonly className?: string;
  /**
   * Whether the server runs on meanwhile. A snapshot of a stopped replica is complete in itself.
   * @default - true without read replicas, whose only server would be stopped; false with some
   */
  readonly online?: boolean;
}

/** Backups by a plugin of the operator, such as `barman-cloud.cloudnative-pg.io`. */
export interface PluginBackupOptions {
  /** Name under which the plugin is known to the operator. */
  readonly name: string;
  /**
   * What the plugin wants to know, such as `barmanObjectName`.
   * @default - nothing
   */
  readonly parameters?: Readonly<Record<string, string>>;
  /**
   * Whether the plugin also keeps the write-ahead log, without which no point in time between two backups can be restored.
   * @default true
   */
  readonly archivesLog?: boolean;
  /**
   * Where the plugin, which runs beside each server, keeps it all: addresses as CIDR, and the port.
   * @default - anywhere, on port 443
   */
  readonly store?: { readonly cidr: string; readonly port: number };
}

/** What backs a database of the operator up; `backup` of the database says when. */
export class CloudNativePgBackup {
  /** Snapshots of the volumes. They stay when the database goes; how long is up to whoever prunes them. */
  public static volumeSnapshot(options: SnapshotBackupOptions = {}): CloudNativePgBackup {
    return new CloudNativePgBackup({ kind: 'volumeSnapshot', options });
  }

  /** A plugin that is in the cluster; how long it keeps backups is among its own settings. */
  public static plugin(options: PluginBackupOptions): CloudNativePgBackup {
    return new CloudNativePgBackup({ kind: 'plugin', options });
  }

  private constructor(private readonly method: BackupMethod) {}

  /** @internal */
  public get _method(): BackupMethod {
    return this.method;
  }
}

/** How a backup is made. */
export type BackupMethod =
  | { readonly kind: 'volumeSnapshot'; readonly options: SnapshotBackupOptions }
  | { readonly kind: 'plugin'; readonly options: PluginBackupOptions };

/** What a database that the operator CloudNativePG runs needs to know of it. */
export interface CloudNativePgOptions {
  /**
   * Namespace of the operator, which has to reach each server.
   * @default "cnpg-system"
   */
  readonly operatorNamespace?: string;
  /**
   * Addresses (CIDR) of the API server, which each server asks for its role and its settings.
   * @default - every address, on the ports alone
   */
  readonly apiServer?: readonly string[];
  /**
   * Ports of the API server's Service and of itself: policies are judged before or after the one becomes the other.
   * @default [443, 6443]
   */
  readonly apiServerPorts?: readonly number[];
  /** @default PrimaryUpdate.RESTART */
  readonly primaryUpdate?: PrimaryUpdate;
  /**
   * A replica that is further behind, in bytes of the write-ahead log, gets no readers.
   * @default - it gets readers as soon as it accepts connections
   */
  readonly maximumLag?: Size;
  /**
   * What backs the database up.
   * @default - nothing; `backup` of the database is then refused
   */
  readonly backup?: CloudNativePgBackup;
}

/** The options with every default filled in. */
export type CloudNativePgSettings = Required<Omit<CloudNativePgOptions, 'maximumLag' | 'backup'>> & {
  readonly maximumLag: Size | undefined;
  readonly backup: BackupMethod | undefined;
};

export const cloudNativePgSettings = ({ backup, ...options }: CloudNativePgOptions): CloudNativePgSettings => ({
  operatorNamespace: 'cnpg-system',
  apiServer: ['0.0.0.0/0', '::/0'],
  apiServerPorts: [443, 6443],
  primaryUpdate: PrimaryUpdate.RESTART,
  maximumLag: undefined,
  ...options,
  backup: backup?._method,
});
