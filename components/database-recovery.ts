import type { Construct } from 'constructs';
import type { DatabaseArchive } from './database-archive';
import type { DatabaseBackend } from './database-backend';
import type { Problems } from './validation';

/** How far a recovery goes. */
export interface RecoveryOptions {
  /**
   * The moment, of the source's clock, that the data is brought to; it has to lie after the end of a base backup.
   * @default - the end of the archive
   */
  readonly to?: Date;
}

/** Settings that belong to whoever archives or recovers. */
const OWNED = /^(archive_(mode|command|library|timeout|cleanup_command)|restore_command|recovery_.*)$/;

/** What the rules look at. */
export interface RecoveryRulesInput {
  readonly archive: DatabaseArchive | undefined;
  readonly recovery: DatabaseRecovery | undefined;
  readonly readReplicas: number;
  readonly backend: DatabaseBackend;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/**
 * Where the data of an empty volume comes from, and what the server is. To change `standby` into `primary` promotes it; a volume that holds
 * data is never filled again.
 */
export class DatabaseRecovery {
  /**
   * Follows another server by its archive alone, and answers what only reads. It archives nothing until it is promoted, and then to its own
   * `archive`: what the other server may still write is never overwritten.
   */
  public static standby(source: DatabaseArchive): DatabaseRecovery {
    return new DatabaseRecovery('standby', source, undefined);
  }

  /**
   * A server that writes. An empty volume is filled from its own archive where that has backups and no moment is asked for, else from
   * `source`; a volume that was a standby's is promoted, when the log in the source has been read to its end.
   */
  public static primary(source: DatabaseArchive, options: RecoveryOptions = {}): DatabaseRecovery {
    return new DatabaseRecovery('primary', source, options.to);
  }

  private constructor(
    private readonly role: 'standby' | 'primary',
    private readonly source: DatabaseArchive,
    private readonly to: Date | undefined,
  ) {}

  /** @internal */
  public get _isStandby(): boolean {
    return this.role === 'standby';
  }

  /** @internal */
  public get _source(): DatabaseArchive {
    return this.source;
  }

  /** What the image wants to know. @internal */
  public _env(scope: Construct, archive: DatabaseArchive | undefined): Readonly<Record<string, string>> {
    const own = archive?._is(scope, this.source) ?? false;
    return {
      POSTGRES_RECOVERY: this.role,
      POSTGRES_RECOVERY_SOURCE: own ? 'archive' : 'source',
      ...(this.to === undefined
        ? {}
        : { POSTGRES_RECOVERY_TO: this.to.toISOString().replace('T', ' ').replace('Z', '+00') }),
    };
  }

  /** @internal */
  public _check(
    problems: Problems,
    scope: Construct,
    archive: DatabaseArchive | undefined,
    readReplicas: number,
  ): void {
    this.source._check(problems, scope, 'recovery.source');
    const own = archive?._is(scope, this.source) ?? false;
    problems
      .require(this.to === undefined || !Number.isNaN(this.to.getTime()), 'recovery.to must be a moment, got none')
      .require(
        own || this.source._place.kind !== 'volume',
        "recovery.source must be a bucket, or the database's own archive: a volume cannot be read from elsewhere",
      );
    if (!this._isStandby) return;
    problems
      .require(archive !== undefined, 'archive is required for a standby, which archives from its promotion on')
      .require(!own, 'archive must not be the one that a standby follows: two servers would write to one place')
      .require(
        readReplicas === 0,
        `readReplicas must be 0 for a standby, got ${readReplicas}: they come when it is promoted`,
      );
  }
}

/** What is wrong with archive and recovery, for the database's own list. */
export function recoveryProblems(problems: Problems, scope: Construct, input: RecoveryRulesInput): void {
  const { archive, recovery, backend, readReplicas, parameters } = input;
  if (archive === undefined && recovery === undefined) return;
  if (backend._operator !== undefined) {
    problems.require(
      false,
      `${archive === undefined ? 'recovery' : 'archive'} has no use with DatabaseBackend.cloudNativePg(): the operator archives by CloudNativePgBackup.plugin(), and recovers by its Cluster`,
    );
    return;
  }
  archive?._check(problems, scope, 'archive');
  recovery?._check(problems, scope, archive, readReplicas);
  for (const name of Object.keys(parameters))
    problems.require(!OWNED.test(name), `configuration.parameters: '${name}' follows from archive and recovery`);
}
