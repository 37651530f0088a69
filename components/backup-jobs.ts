import { Duration, Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { BackupSettings } from './backup-options';
import { BACKUP_SUFFIX, DRILL_SUFFIX } from './backup-options';
import type { EnvMap, IClient } from './connections';
import { envVars } from './connections';
import type { Kinds, Labels, NetworkPolicyPeer, PodSpec, Volume, VolumeMount } from './kube';
import { kubeObject } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import type { PodSelector } from './network';
import { podsPeer, WorkloadPolicy } from './network';
import { compute, hardenedPod } from './pod';
import type { RemovalPolicy } from './release-options';
import { retain } from './stateful-workload';
import { sizeQuantity } from './units';
import { claimSpec, volumeClaim } from './volume-claim';

/** Label of what belongs to a backup: the component that is backed up, by which people ask for it. */
export const BACKUP_OF_LABEL = 'trellis.dev/backup-of';
/** Label that tells a backup's CronJob from its drill's. */
export const BACKUP_ROLE_LABEL = 'trellis.dev/backup-role';

/** What is backed up, and how its jobs get at it. */
export interface BackupSource {
  /** What the image does: see its README. */
  readonly kind: 'postgres' | 'redis' | 'volume';
  /** Begin of the names of archives and objects. */
  readonly name: string;
  /** Component that it belongs to; several volumes may belong to one. */
  readonly of: string;
  readonly env: EnvMap;
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
  /** Numeric user and group of the jobs: of whoever owns files that are read. */
  readonly user: number;
  /** Pods whose node the job must share. @default - none */
  readonly nodeOf?: PodSelector;
  /** Requests and limits of its jobs. */
  readonly resources: ContainerResources;
  /** Volume of what is backed up: as much room does a drill need, of that class. */
  readonly data: { readonly size: Size; readonly storageClass: Late | undefined };
  /** Room that a job needs beside what it streams, on the node. @default - none */
  readonly scratch?: Size;
}

/** What the jobs are made from. */
export interface BackupJobsProps {
  readonly source: BackupSource;
  readonly settings: BackupSettings;
  readonly labels: Labels;
  readonly removalPolicy: RemovalPolicy;
}

type FailureRule = NonNullable<Kinds['batch/v1/Job']['spec']['podFailurePolicy']>['rules'][number];

interface Job {
  readonly name: string;
  readonly labels: Labels;
  readonly selector: Labels;
  readonly schedule: string;
  readonly deadline: Duration;
  readonly pod: PodSpec;
}

// Jobs of the last three days can be read; failed ones are counted on top. One with a volume of its own keeps it for as long as it is
// there, and the next needs the room.
const KEPT_JOBS = { history: 3, ttl: Duration.days(3), ttlWithVolume: Duration.hours(1) } as const;
const ARCHIVES = '/backup';
const SCRATCH = '/scratch';
const KEY = { directory: '/run/secrets/backup-key', name: 'BACKUP_KEY' } as const;
/** Exit code of the image that no second try mends. */
const REFUSED = 78;

/**
 * A CronJob that backs something up and one that proves it, each with a policy of its own; the volume of the archives where they have one,
 * and the Secret with the key. A restore is a Job of the backup's template.
 */
export class BackupJobs extends Construct implements IClient {
  /** Pods of backups and restores, as policies name them. */
  public readonly peer: NetworkPolicyPeer;
  private readonly name: string;
  private readonly policy: WorkloadPolicy;
  private readonly selector: Labels;

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: BackupJobsProps,
  ) {
    super(scope, id);
    const { source, settings } = props;
    this.name = `${source.name}${BACKUP_SUFFIX}`;
    this.selector = { 'app.kubernetes.io/name': this.name };
    this.peer = podsPeer(this, this.selector);
    this.addKey();
    this.addVolume();
    this.policy = this.addJob('Job', this.backup());
    const drill = this.drill();
    if (drill !== undefined) this.addJob('Drill', drill);
    const { name } = source;
    const drills = drill === undefined ? [] : [podsPeer(this, drill.selector)];
    const watch = { name, overdueAfter: settings.overdueAfter, verifiedWithin: settings.drill?.overdueAfter };
    settings.status?._watch(watch, this.peer, ...drills);
  }

  /** Lets backups and restores reach what they are of; a drill reaches its archives alone. */
  public allowTo(peer: NetworkPolicyPeer, port: number): void {
    this.policy.allowTo(peer, port);
  }

  private labelsOf(name: string, role: 'backup' | 'drill'): Labels {
    const own = { [BACKUP_OF_LABEL]: this.props.source.of, [BACKUP_ROLE_LABEL]: role };
    return { ...this.props.labels, ...own, 'app.kubernetes.io/name': name };
  }

  private addKey(): void {
    const metadata = { name: `${this.name}-key`, labels: this.labelsOf(this.name, 'backup') };
    const stringData = { [KEY.name]: LateTokens.of(this).asSecret(this, this.props.settings.encryptionKey) };
    // Archives that stay are of no use without it.
    retain(this.props.removalPolicy, kubeObject(this, 'Key', 'v1/Secret', metadata, { type: 'Opaque', stringData }));
  }

  private addVolume(): void {
    const { source, settings, removalPolicy } = this.props;
    const volume = settings.target._volume;
    if (volume === undefined) return;
    const storageClass = volume.storageClass ?? source.data.storageClass;
    volumeClaim(this, 'Volume', {
      ...{ name: this.name, labels: this.labelsOf(this.name, 'backup') },
      // Many classes bind a claim with its first pod, which is the first scheduled run: nothing must wait for it.
      annotations: { 'pulumi.com/skipAwait': 'true' },
      claim: { size: volume.size, ...(storageClass === undefined ? {} : { storageClass }) },
      removalPolicy,
    });
  }

  private backup(): Job {
    const { source, settings } = this.props;
    const { schedule, deadline } = settings;
    const { name, selector } = this;
    const labels = this.labelsOf(name, 'backup');
    const scratch = source.scratch && { name: 'scratch', emptyDir: { sizeLimit: sizeQuantity(source.scratch) } };
    const pod = this.pod(name, 'backup', {
      env: { ...source.env, BACKUP_KEEP: String(settings.keep), BACKUP_MAX_AGE_DAYS: String(settings.maxAge.toDays()) },
      volumes: [...source.volumes, ...(scratch === undefined ? [] : [scratch])],
      mounts: [...source.mounts, ...(scratch === undefined ? [] : [{ name: 'scratch', mountPath: SCRATCH }])],
      ...(source.nodeOf === undefined ? {} : { nodeOf: source.nodeOf }),
    });
    return { name, labels, selector, schedule, deadline, pod };
  }

  /** Its pod has neither the credentials of what is backed up nor a way to it. */
  private drill(): Job | undefined {
    const { source, settings } = this.props;
    const { drill } = settings;
    if (drill === undefined) return undefined;
    const name = `${source.name}${DRILL_SUFFIX}`;
    const labels = this.labelsOf(name, 'drill');
    const storageClass = drill.storageClass ?? source.data.storageClass;
    const size = drill.scratch ?? source.data.size;
    // A volume that comes and goes with the pod: what a node has for scratch is rarely as much as a database.
    const claim = { size, ...(storageClass === undefined ? {} : { storageClass }) };
    const spec = claimSpec(this, claim);
    const pod = this.pod(name, 'drill', {
      env: {},
      volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: { metadata: { labels }, spec } } }],
      mounts: [{ name: 'scratch', mountPath: SCRATCH }],
    });
    const selector = { 'app.kubernetes.io/name': name };
    return { name, labels, selector, schedule: drill.schedule, deadline: drill.deadline, pod };
  }

  private pod(
    name: string,
    task: 'backup' | 'drill',
    own: Pick<BackupSource, 'env' | 'volumes' | 'mounts' | 'nodeOf'>,
  ): PodSpec {
    const { source, settings } = this.props;
    const { target, status, image } = settings;
    const archives = target._volume !== undefined;
    const { volumes, mounts } = target._files;
    const env = {
      ...own.env,
      ...target._env(this),
      BACKUP_KEY_FILE: `${KEY.directory}/key`,
      BACKUP_KIND: source.kind,
      BACKUP_NAME: source.name,
      BACKUP_TASK: task,
      ...(status === undefined ? {} : { BACKUP_STATUS_ADDRESS: `${status.host}:${status.port}` }),
    };
    const secret = { secretName: `${this.name}-key`, defaultMode: 0o440, items: [{ key: KEY.name, path: 'key' }] };
    const pod = hardenedPod({
      labels: { 'app.kubernetes.io/name': name },
      serviceAccount: name,
      user: source.user,
      grace: Duration.seconds(30),
      ...(own.nodeOf === undefined ? {} : { nodeOf: own.nodeOf }),
      volumes: [
        ...own.volumes,
        { name: 'key', secret },
        ...volumes,
        // The identity that decrypts is written here, in memory.
        { name: 'run', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
        ...(archives ? [{ name: 'archives', persistentVolumeClaim: { claimName: this.name } }] : []),
      ],
      containers: [
        {
          name: task,
          image: LateTokens.of(this).asString(this, image),
          env: envVars(this, env),
          resources: settings.resources ?? this.resources(),
          mounts: [
            ...own.mounts,
            { name: 'key', mountPath: KEY.directory, readOnly: true },
            { name: 'run', mountPath: '/run/backup' },
            ...mounts,
            ...(archives
              ? [{ name: 'archives', mountPath: ARCHIVES, ...(task === 'drill' ? { readOnly: true } : {}) }]
              : []),
          ],
        },
      ],
    });
    return { ...pod, restartPolicy: 'Never' };
  }

  private resources(): ContainerResources {
    const { resources, scratch } = this.props.source;
    if (scratch === undefined) return resources;
    const room = Size.mebibytes(scratch.toMebibytes({ rounding: 1 }) + 256);
    return { ...resources, ephemeralStorage: { request: Size.mebibytes(64), limit: room } };
  }

  private addJob(id: string, job: Job): WorkloadPolicy {
    const { name, labels, selector, schedule, deadline, pod } = job;
    const { target, status } = this.props.settings;
    kubeObject(this, `${id}Account`, 'v1/ServiceAccount', { name, labels }, { automountServiceAccountToken: false });
    const policy = new WorkloadPolicy(new Construct(this, `${id}Network`), name, selector);
    const edge = target._edge;
    if (edge !== undefined) policy.allowTo(edge.peer, edge.port);
    if (status !== undefined) policy.allowTo(status.peer, status.port);
    kubeObject(this, id, 'batch/v1/CronJob', { name, labels }, () => ({
      spec: {
        schedule,
        timeZone: 'Etc/UTC',
        // A second one at once would only slow both down.
        concurrencyPolicy: 'Forbid',
        // A run missed while the control plane was down is made up for within the hour.
        startingDeadlineSeconds: 3600,
        successfulJobsHistoryLimit: KEPT_JOBS.history,
        failedJobsHistoryLimit: KEPT_JOBS.history,
        jobTemplate: {
          metadata: { labels },
          spec: {
            backoffLimit: 2,
            activeDeadlineSeconds: deadline.toSeconds(),
            ttlSecondsAfterFinished: keptFor(pod).toSeconds(),
            podFailurePolicy: {
              // The generated type wants pod conditions beside it, which the API server does not.
              rules: [
                {
                  action: 'FailJob',
                  onExitCodes: { operator: 'In', values: [REFUSED] },
                } as Partial<FailureRule> as FailureRule,
              ],
            },
            template: { metadata: { labels }, spec: pod },
          },
        },
      },
    }));
    return policy;
  }
}

const keptFor = ({ volumes = [] }: PodSpec): Duration =>
  volumes.some(({ ephemeral }) => ephemeral !== undefined) ? KEPT_JOBS.ttlWithVolume : KEPT_JOBS.ttl;

/** What jobs that stream need, whatever the size of the data. */
export const streaming = (): ContainerResources => compute([50, 1000], [64, 512]);
