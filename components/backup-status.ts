import { Duration, Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { BackupWatch } from './backup-monitoring';
import { backupMonitoring } from './backup-monitoring';
import type { IClient } from './connections';
import type { Labels, NetworkPolicyPeer, Probe } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import type { IMonitored, Monitoring } from './monitoring';
import type { WorkloadPolicy } from './network';
import { podsPeer } from './network';
import { compute, hardenedPod, startupProbe } from './pod';
import { RemovalPolicy } from './release-options';
import { DATA_VOLUME, serviceHost, STATEFUL_NAME_MAX, statefulWorkload } from './stateful-workload';
import { Problems } from './validation';

/** Props of a BackupStatus. */
export interface BackupStatusProps {
  /** Image that follows the contract of `images/pushgateway`. */
  readonly image: Late;
  /** Name of the objects. @default - the construct's id */
  readonly name?: string;
  /** Volume that what was reported outlives a restart on. @default Size.gibibytes(1) */
  readonly storage?: Size;
  /** @default - the cluster's default StorageClass */
  readonly storageClass?: Late;
  /** @default - cpu 10m/200m, memory 24Mi/64Mi */
  readonly resources?: ContainerResources;
  /** What happens to the volume when it leaves the definition. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
}

const PORT = 9091;
const USER = 10_077;
const DIRECTORY = '/data';

/**
 * Remembers when each backup of a namespace was last good and last proved, for Prometheus: the jobs that know it are gone by the time that
 * somebody asks. Nothing but those jobs can report, and nothing can read but whom `allowScraping` names.
 * @stateful
 */
export class BackupStatus extends Construct implements IMonitored {
  public readonly name: string;
  public readonly storage: Size;
  public readonly resources: ContainerResources;
  public readonly removalPolicy: RemovalPolicy;
  public readonly host: string;
  public readonly port = PORT;
  public readonly peer: NetworkPolicyPeer;
  private readonly selector: Labels;
  private readonly policy: WorkloadPolicy;
  private readonly watched: BackupWatch[] = [];

  /** @throws ValidationError with every problem of the props, before any object is made */
  public constructor(scope: Construct, id: string, props: BackupStatusProps) {
    super(scope, id);
    this.name = props.name ?? id;
    this.storage = props.storage ?? Size.gibibytes(1);
    this.resources = props.resources ?? compute([10, 200], [24, 64]);
    this.removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const image = LateTokens.of(this).asString(this, props.image);
    new Problems(this)
      .dnsLabel('name', this.name, STATEFUL_NAME_MAX)
      .image('image', image)
      .size('storage', this.storage)
      .resources('resources', this.resources)
      .raise();
    this.selector = { 'app.kubernetes.io/name': this.name };
    this.peer = podsPeer(this, this.selector);
    this.host = serviceHost(this, `${this.name}-service`);
    const { storageClass } = props;
    this.policy = statefulWorkload(this, {
      ...{ name: this.name, selector: this.selector, labels: {}, removalPolicy: this.removalPolicy },
      startupDeadline: Duration.minutes(2),
      port: { name: 'metrics', port: PORT },
      claim: { size: this.storage, ...(storageClass === undefined ? {} : { storageClass }) },
      pod: this.pod(image),
    });
  }

  public monitoring(): Monitoring {
    return backupMonitoring(this, { job: this.name, labels: this.selector, port: PORT, backups: this.watched });
  }

  public allowScraping(...clients: readonly IClient[]): void {
    for (const client of clients) this.policy.allowFrom(client.peer, PORT);
  }

  /** Lets a backup's jobs report, and knows of them from now on. @internal */
  public _watch(backup: BackupWatch, ...jobs: readonly NetworkPolicyPeer[]): void {
    this.watched.push(backup);
    for (const peer of jobs) this.policy.allowFrom(peer, PORT);
  }

  private pod(image: string) {
    const healthy: Probe = { httpGet: { path: '/-/healthy', port: 'metrics' } };
    return hardenedPod({
      ...{ labels: this.selector, serviceAccount: this.name, user: USER, grace: Duration.seconds(30) },
      containers: [
        {
          name: 'pushgateway',
          image,
          args: [
            `--web.listen-address=:${PORT}`,
            `--persistence.file=${DIRECTORY}/status`,
            '--persistence.interval=5s',
          ],
          ports: [{ name: 'metrics', port: PORT }],
          resources: this.resources,
          mounts: [{ name: DATA_VOLUME, mountPath: DIRECTORY }],
          probes: {
            startup: startupProbe(healthy, Duration.minutes(2)),
            liveness: { ...healthy, periodSeconds: 20, timeoutSeconds: 5, failureThreshold: 3 },
            readiness: {
              httpGet: { path: '/-/ready', port: 'metrics' },
              ...{ periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 },
            },
          },
        },
      ],
    });
  }
}
