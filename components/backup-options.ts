import { Duration } from 'cdk8s';
import type { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { BackupStatus } from './backup-status';
import type { BackupTarget } from './backup-target';
import type { Late, LateSecret } from './late';
import { LateTokens } from './late';
import { durationProblem } from './stateful-workload';
import type { Problems } from './validation';

/** A restore for practice: the newest archive is brought back in a place of its own, and what comes back is compared with what was there. */
export interface BackupDrillOptions {
  /** Five fields in UTC, or a macro such as `@weekly`. */
  readonly schedule: string;
  /** A drill that takes longer is stopped. @default Duration.hours(6) */
  readonly deadline?: Duration;
  /** Age of the last drill that passed, above which somebody is told. @default Duration.days(8) */
  readonly overdueAfter?: Duration;
  /** Room for what is brought back, on a volume that lives as long as the drill. @default - as much as the data's own volume has */
  readonly scratch?: Size;
  /** Class of that volume. @default - the class of the data */
  readonly storageClass?: Late;
}

/** How backups are kept and proved; the same for whatever is backed up. */
export interface BackupPolicyOptions {
  /** Complete archives that are kept; older ones go once a newer one is complete. @default 7 */
  readonly keep?: number;
  /** Archives that are older go too, in whole days; never the two newest. @default Duration.days(30) */
  readonly maxAge?: Duration;
  /** A backup that takes longer is stopped; that of a database holds back VACUUM for as long as it runs. @default Duration.hours(6) */
  readonly deadline?: Duration;
  /** Age of the last good backup, above which somebody is told. @default Duration.hours(26) */
  readonly overdueAfter?: Duration;
  /** @default - no drills: whether an archive can be restored is then not known */
  readonly drill?: BackupDrillOptions;
  /** Where jobs report when they succeeded, for alerts. @default - nowhere */
  readonly status?: BackupStatus;
  /** Requests and limits of the jobs. @default - follows from what is backed up */
  readonly resources?: ContainerResources;
}

/** When something is backed up, with what, and where to. */
export interface BackupOptions extends BackupPolicyOptions {
  /** Five fields in UTC, or a macro such as `@daily`. */
  readonly schedule: string;
  /** Image that follows the contract of `images/backup`. */
  readonly image: Late;
  /**
   * What archives are encrypted with: an identity of age (`AGE-SECRET-KEY-1…`), or any text of 32 characters or more. Without it no archive
   * can be read: keep a copy where the cluster is not.
   */
  readonly encryptionKey: LateSecret;
  /** Where archives are kept. */
  readonly target: BackupTarget;
}

/** The options of a backup with every default filled in. */
export type BackupSettings = Required<Omit<BackupOptions, 'drill' | 'status' | 'resources'>> & {
  readonly drill: (Required<Omit<BackupDrillOptions, 'scratch' | 'storageClass'>> & BackupDrillOptions) | undefined;
  readonly status: BackupStatus | undefined;
  readonly resources: ContainerResources | undefined;
};

/** Longest name of a CronJob: its Jobs get a suffix of eleven characters. */
export const CRON_JOB_NAME_MAX = 52;
/** Suffix of the objects of a backup, and of those of its drill. */
export const BACKUP_SUFFIX = '-backup';
export const DRILL_SUFFIX = '-drill';

/** Decides every default. */
export function backupSettings(options: BackupOptions): BackupSettings {
  const { drill } = options;
  return {
    schedule: options.schedule,
    image: options.image,
    encryptionKey: options.encryptionKey,
    target: options.target,
    keep: options.keep ?? 7,
    maxAge: options.maxAge ?? Duration.days(30),
    deadline: options.deadline ?? Duration.hours(6),
    overdueAfter: options.overdueAfter ?? Duration.hours(26),
    drill: drill && {
      ...drill,
      deadline: drill.deadline ?? Duration.hours(6),
      overdueAfter: drill.overdueAfter ?? Duration.days(8),
    },
    status: options.status,
    resources: options.resources,
  };
}

/** What is wrong with the options, for the list of whoever is backed up. */
export function backupProblems(
  problems: Problems,
  scope: Construct,
  name: string,
  options: BackupOptions | undefined,
  prop = 'backup',
): void {
  if (options === undefined) return;
  const { schedule, image, encryptionKey, target, drill } = options;
  problems
    .dnsLabel('name (with a backup)', name, CRON_JOB_NAME_MAX - BACKUP_SUFFIX.length)
    .cron(`${prop}.schedule`, schedule)
    .image(`${prop}.image`, LateTokens.of(scope).asString(scope, image))
    .integer(`${prop}.keep`, options.keep, { min: 1, max: 366 });
  keyProblems(problems, encryptionKey, prop);
  target._check(problems, `${prop}.target`);
  durationProblem(problems, `${prop}.maxAge`, options.maxAge, 86_400);
  durationProblem(problems, `${prop}.deadline`, options.deadline, 60);
  durationProblem(problems, `${prop}.overdueAfter`, options.overdueAfter, 60);
  if (options.resources !== undefined) problems.resources(`${prop}.resources`, options.resources);
  if (drill === undefined) return;
  problems.cron(`${prop}.drill.schedule`, drill.schedule).size(`${prop}.drill.scratch`, drill.scratch);
  durationProblem(problems, `${prop}.drill.deadline`, drill.deadline, 60);
  durationProblem(problems, `${prop}.drill.overdueAfter`, drill.overdueAfter, 60);
}

/** A literal key; what is late cannot be judged, and no message shows it. */
function keyProblems(problems: Problems, key: LateSecret, prop: string): void {
  if (typeof key !== 'string' || LateTokens.isToken(key)) return;
  problems.require(
    /^[!-~]{32,}$/.test(key),
    `${prop}.encryptionKey must have 32 characters or more, none of them a blank; its value is not shown`,
  );
}
