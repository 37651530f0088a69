import type { Size } from 'cdk8s';
import { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import type { DatabaseEngine } from './database-engine';
import type { PasswordSource } from './database-pod';
import type { DatabaseTls } from './database-tls';
import { tlsClient } from './database-tls';
import type { Labels, NetworkPolicyPeer, PodSpec } from './kube';
import { kubeObject } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import { podsPeer, WorkloadPolicy } from './network';
import { compute, hardenedPod } from './pod';
import type { RemovalPolicy } from './release-options';
import { durationProblem } from './stateful-workload';
import type { Problems } from './validation';
import { volumeClaim } from './volume-claim';

/** When a database is dumped, and how much of it is kept. */
export interface DatabaseBackupOptions {
  /** Five fields in UTC, or a macro such as `@daily`. */
  readonly schedule: string;
  /**
   * Complete dumps that are kept; older ones go once a newer one is complete.
   * @default 7
   */
  readonly keep?: number;
  /**
   * Volume of its own for the dumps: it has to hold one more than are kept. It may grow where its class can expand.
   * @default - as much as the database's storage
   */
  readonly storage?: Size;
  /** @default - the database's storage class */
  readonly storageClass?: Late;
  /**
   * A dump that takes longer is stopped; it holds back VACUUM for as long as it runs.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;
}

/** What the job knows about the database. */
export interface DatabaseBackupProps {
  readonly name: string;
  readonly engine: DatabaseEngine;
  readonly options: Required<Omit<DatabaseBackupOptions, 'storageClass'>> & { readonly storageClass?: Late };
  readonly host: string;
  readonly databaseName: string;
  readonly username: string;
  readonly labels: Labels;
  readonly removalPolicy: RemovalPolicy;
  readonly password: PasswordSource;
  readonly tls: DatabaseTls | undefined;
}

/** Longest name of a CronJob: its Jobs get a suffix of eleven characters. */
export const CRON_JOB_NAME_MAX = 52;

/** Suffix of the objects of a database's backup. */
export const BACKUP_SUFFIX = '-backup';

const DIRECTORY = '/backup';
// Jobs of the last three days can be read; failed ones are counted on top.
const KEPT_JOBS = { history: 3, ttl: Duration.days(3) } as const;

/**
 * One complete archive or none: it is written under a hidden name, read back, and renamed when its checksum lies beside it.
 * `sha256sum --check NAME.sha256` proves a copy; `pg_restore` reads the archive.
 */
const SCRIPT = `
umask 077
cd ${DIRECTORY}
partial=.running.dump
trap 'rm -f "$partial" .running.sha256' EXIT
# A NetworkPolicy knows a new pod only a moment after its start.
for second in $(seq 30); do
  if pg_isready --quiet; then break; fi
  sleep 1
done
name="$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump"
PGPASSWORD=$(cat "$PASSWORD_FILE") pg_dump --format=custom --no-password --lock-wait-timeout=60s --file="$partial"
pg_restore --list "$partial" > /dev/null
sum=$(sha256sum < "$partial")
echo "\${sum%% *}  $name" > .running.sha256
sync "$partial" .running.sha256
mv .running.sha256 "$name.sha256"
mv "$partial" "$name"
sync .
echo "complete: $name, $(stat -c %s "$name") bytes"
ls -1r | grep '^'"$PGDATABASE"'-[0-9TZ]*\\.dump$' | tail -n "+$((KEEP + 1))" | while read -r old; do
  rm -f "$old" "$old.sha256"
  echo "pruned: $old"
done
`.trim();

/** What is wrong with the options, for the database's own list. */
export function backupProblems(problems: Problems, name: string, options: DatabaseBackupOptions | undefined): void {
  if (options === undefined) return;
  problems
    .dnsLabel('name (with a backup)', name, CRON_JOB_NAME_MAX - BACKUP_SUFFIX.length)
    .cron('backup.schedule', options.schedule)
    .integer('backup.keep', options.keep, { min: 1, max: 366 })
    .size('backup.storage', options.storage);
  durationProblem(problems, 'backup.deadline', options.deadline, 60);
}

/** A CronJob that dumps one database to a volume of its own. */
export class DatabaseBackup extends Construct {
  /** How the database's NetworkPolicy names the job's pods. */
  public readonly peer: NetworkPolicyPeer;
  private readonly name: string;
  private readonly selector: Labels;

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: DatabaseBackupProps,
  ) {
    super(scope, id);
    this.name = `${props.name}${BACKUP_SUFFIX}`;
    this.selector = { 'app.kubernetes.io/name': this.name };
    this.peer = podsPeer(this, this.selector);
    const metadata = { name: this.name, labels: { ...props.labels, ...this.selector } };
    kubeObject(this, 'ServiceAccount', 'v1/ServiceAccount', metadata, { automountServiceAccountToken: false });
    this.addVolume(metadata);
    this.addJob(metadata);
  }

  /** Lets the job reach the database; nothing can reach the job. */
  public allowTo(database: NetworkPolicyPeer): void {
    new WorkloadPolicy(this, this.name, this.selector).allowTo(database, this.props.engine.port);
  }

  private addVolume(metadata: { readonly name: string; readonly labels: Labels }): void {
    const { storage, storageClass } = this.props.options;
    volumeClaim(this, 'Volume', {
      ...metadata,
      // Many classes bind a claim with its first pod, which is the first scheduled run: nothing must wait for it.
      annotations: { 'pulumi.com/skipAwait': 'true' },
      claim: { size: storage, ...(storageClass === undefined ? {} : { storageClass }) },
      removalPolicy: this.props.removalPolicy,
    });
  }

  private addJob(metadata: { readonly name: string; readonly labels: Labels }): void {
    const { schedule, deadline } = this.props.options;
    kubeObject(this, 'CronJob', 'batch/v1/CronJob', metadata, () => ({
      spec: {
        schedule,
        timeZone: 'Etc/UTC',
        // A second dump at once would only slow both down.
        concurrencyPolicy: 'Forbid',
        // A run missed while the control plane was down is made up for within the hour.
        startingDeadlineSeconds: 3600,
        successfulJobsHistoryLimit: KEPT_JOBS.history,
        failedJobsHistoryLimit: KEPT_JOBS.history,
        jobTemplate: {
          metadata: { labels: metadata.labels },
          spec: {
            backoffLimit: 2,
            activeDeadlineSeconds: deadline.toSeconds(),
            ttlSecondsAfterFinished: KEPT_JOBS.ttl.toSeconds(),
            template: { metadata: { labels: metadata.labels }, spec: this.pod() },
          },
        },
      },
    }));
  }

  private pod(): PodSpec {
    const { engine, options, host, databaseName, username, password, tls } = this.props;
    const client = tlsClient(tls, this.props.name);
    const env = {
      KEEP: String(options.keep),
      PASSWORD_FILE: password.file,
      PGAPPNAME: this.name,
      PGCONNECT_TIMEOUT: '10',
      PGDATABASE: databaseName,
      PGHOST: host,
      PGPORT: String(engine.port),
      ...client.env,
      PGUSER: username,
    };
    const pod = hardenedPod({
      labels: this.selector,
      serviceAccount: this.name,
      user: engine.user,
      grace: Duration.seconds(30),
      volumes: [password.volume, { name: 'dumps', persistentVolumeClaim: { claimName: this.name } }, ...client.volumes],
      containers: [
        {
          name: 'pg-dump',
          image: LateTokens.of(this).asString(this, engine.image),
          // Arguments, so that the image's own init stays the first process and passes signals on.
          args: ['/bin/sh', '-euc', SCRIPT],
          env: Object.entries(env).map(([name, value]) => ({ name, value })),
          // pg_dump streams: its memory follows from the longest row and the number of objects, not from the data.
          resources: compute([50, 1000], [64, 512]),
          mounts: [password.mount, { name: 'dumps', mountPath: DIRECTORY }, ...client.mounts],
        },
      ],
    });
    return { ...pod, restartPolicy: 'Never' };
  }
}
