import { createHash } from 'node:crypto';
import { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import type { IClient } from './connections';
import type { Kinds, Labels, NetworkPolicyPeer, PodSpec, Volume, VolumeMount } from './kube';
import { kubeObject } from './kube';
import { LateTokens } from './late';
import { CACHE_MOUNT, FETCH_SCRIPT, WAIT_SCRIPT, WRONG_CONTENT } from './model-download-script';
import type { DownloadPlan } from './model-files';
import { cacheQuantity, fileUrl, modelDirectory } from './model-files';
import { podsPeer, WorkloadPolicy } from './network';
import type { ContainerSpec, PodOptions } from './pod';
import { compute, hardenedPod } from './pod';
import { sizeBytes } from './units';

/** Where the cache is mounted in the pods that serve. */
export const MODELS_MOUNT = '/models';
/** Longest name of the workload: its Job is called `<name>-model-<8 digits>`, and pods of Jobs carry that in a label. */
export const DOWNLOAD_NAME_MAX = 48;

const TOKEN_MOUNT = '/run/secrets/model';
const TOKEN_KEY = 'TOKEN';
// Bytes a second that a download has at least, where no deadline is given.
const SLOWEST = 5 * 1024 ** 2;
const VOLUME = 'models';
// Addresses that are nobody's on the internet (RFC 6890); among them the metadata of cloud nodes, which hands out credentials.
const PRIVATE = ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'];
const EVERYWHERE: readonly NetworkPolicyPeer[] = [
  { ipBlock: { cidr: '0.0.0.0/0', except: PRIVATE } },
  { ipBlock: { cidr: '::/0', except: ['fc00::/7', 'fe80::/10'] } },
];

// Only what differs from a failure that may pass: a wrong file is wrong again, and a drained node is nobody's fault.
const FAILURE_RULES = [
  { action: 'FailJob', onExitCodes: { containerName: 'fetch', operator: 'In', values: [WRONG_CONTENT] } },
  { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
  // The generated type wants both parts in each rule, which the API refuses.
] as unknown as NonNullable<Kinds['batch/v1/Job']['spec']['podFailurePolicy']>['rules'];

/** What the workload tells its download. */
export interface ModelDownloadProps {
  /** Name of the workload. */
  readonly name: string;
  readonly plan: DownloadPlan;
  readonly labels: Labels;
  /** The same user as of the pods that read, so that the volume belongs to both. */
  readonly user: number;
  /** Nodes that the pods run on: the volume must be where they can reach it. */
  readonly placement: Pick<PodOptions, 'nodeSelector' | 'tolerations'>;
}

/** A volume for models and the Job that fills it: the only pod of the workload that may connect to where models come from. */
export class ModelDownload extends Construct implements IClient {
  public readonly peer: NetworkPolicyPeer;
  private readonly name: string;
  private readonly claim: string;
  private readonly selector: Labels;
  private readonly directory: string;
  private readonly image: string;

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: ModelDownloadProps,
  ) {
    super(scope, id);
    this.name = `${props.name}-model`;
    this.claim = `${props.name}-models`;
    this.selector = { 'app.kubernetes.io/name': this.name };
    this.peer = podsPeer(this, this.selector);
    this.directory = modelDirectory(props.plan);
    this.image = LateTokens.of(this).asString(this, props.plan.image);
    const metadata = { name: this.name, labels: { ...props.labels, ...this.selector } };
    const account = kubeObject(this, 'ServiceAccount', 'v1/ServiceAccount', metadata, {
      automountServiceAccountToken: false,
    });
    this.addVolume();
    const policy = this.addPolicy();
    const job = this.addJob(metadata);
    // Without the policy the Job would be refused every connection, or none.
    job.addDependency(account, policy.object);
    if (props.plan.server !== undefined) job.node.addDependency(props.plan.server);
  }

  /** Waits in a pod until the model is there; with a deployment engine it is, since the Job comes first. */
  public waiting(mounts: readonly VolumeMount[]): ContainerSpec {
    return {
      name: 'wait-for-model',
      image: this.image,
      args: ['/bin/sh', '-euc', WAIT_SCRIPT, 'wait', `${MODELS_MOUNT}/${this.directory}`],
      resources: compute([10, 100], [16, 64]),
      mounts,
    };
  }

  private addVolume(): void {
    const { plan, labels } = this.props;
    const storageClass = plan.storageClass;
    const spec = {
      accessModes: [plan.sharedVolume === true ? 'ReadWriteMany' : 'ReadWriteOnce'],
      ...(storageClass === undefined ? {} : { storageClassName: LateTokens.of(this).asString(this, storageClass) }),
      resources: { requests: { storage: cacheQuantity(plan) } },
    };
    // Many classes bind a claim with its first pod, which comes later: nothing must wait for it.
    const annotations = { 'pulumi.com/skipAwait': 'true' };
    const metadata = { name: this.claim, labels: { ...labels, ...this.selector }, annotations };
    kubeObject(this, 'Volume', 'v1/PersistentVolumeClaim', metadata, { spec });
  }

  private addPolicy(): WorkloadPolicy {
    const { plan } = this.props;
    const policy = new WorkloadPolicy(this, this.name, this.selector);
    if (plan.server !== undefined) {
      policy.allowTo(plan.server.peer, plan.server.targetPort ?? plan.server.port);
      plan.server.allowFrom(this);
      return policy;
    }
    const url = new URL(fileUrl(plan, ''));
    const port = url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port);
    const peers = plan.addresses?.map((cidr): NetworkPolicyPeer => ({ ipBlock: { cidr } })) ?? EVERYWHERE;
    for (const peer of peers) policy.allowTo(peer, port);
    return policy;
  }

  private addJob(metadata: { readonly name: string; readonly labels: Labels }) {
    const { plan } = this.props;
    const seconds = Math.max(3600, Math.ceil(sizeBytes(plan.size) / SLOWEST));
    const deadline = plan.deadline?.toSeconds() ?? seconds;
    const pod = this.pod();
    // A Job's pods can never change: another model is another Job.
    const digest = createHash('sha256').update(
      JSON.stringify([this.directory, FETCH_SCRIPT, plan.token === undefined]),
    );
    const name = `${this.name}-${digest.digest('hex').slice(0, 8)}`;
    const annotations = {
      'pulumi.com/timeoutSeconds': String(deadline + 120),
      // One that has failed is tried again by the next run.
      'pulumi.com/replaceUnready': 'true',
    };
    return kubeObject(this, 'Job', 'batch/v1/Job', { ...metadata, name, annotations }, () => ({
      spec: {
        backoffLimit: 4,
        activeDeadlineSeconds: deadline,
        podFailurePolicy: { rules: FAILURE_RULES },
        template: { metadata: { labels: metadata.labels }, spec: pod },
      },
    }));
  }

  private pod(): PodSpec {
    const { plan, user, placement } = this.props;
    const protocol = new URL(fileUrl(plan, '')).protocol === 'http:' ? 'http' : 'https';
    const lines = plan.files.map(({ path, sha256 }) => `${sha256} ${path} ${fileUrl(plan, path)}`);
    const token = this.token();
    const env = { MODEL: this.directory, MODEL_FILES: lines.join('\n'), PROTOCOL: protocol, ...token.env };
    const pod = hardenedPod({
      ...placement,
      labels: this.selector,
      serviceAccount: this.name,
      user,
      grace: Duration.seconds(10),
      volumes: [{ name: VOLUME, persistentVolumeClaim: { claimName: this.claim } }, ...token.volumes],
      containers: [
        {
          name: 'fetch',
          image: this.image,
          // Arguments, so that the image's own init stays the first process and passes signals on.
          args: ['/bin/sh', '-euc', FETCH_SCRIPT],
          env: Object.entries(env).map(([name, value]) => ({ name, value })),
          // curl streams; what it writes is counted as cache, which is given back.
          resources: compute([50, 1000], [64, 256]),
          mounts: [{ name: VOLUME, mountPath: CACHE_MOUNT }, ...token.mounts],
        },
      ],
    });
    return {
      ...pod,
      restartPolicy: 'Never',
      affinity: { ...pod.affinity, podAffinity: this.besideReaders() },
      // The last lines of the log say in the pod's status why a download failed.
      containers: pod.containers.map((one) => ({ ...one, terminationMessagePolicy: 'FallbackToLogsOnError' })),
    };
  }

  // A volume that one node at a time can mount is on the node of the pods that serve the revision before.
  private besideReaders(): NonNullable<NonNullable<PodSpec['affinity']>['podAffinity']> {
    const labelSelector = { matchLabels: { 'app.kubernetes.io/name': this.props.name } };
    return {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector } },
      ],
    };
  }

  private token(): {
    env: Readonly<Record<string, string>>;
    volumes: readonly Volume[];
    mounts: readonly VolumeMount[];
  } {
    const { token } = this.props.plan;
    if (token === undefined) return { env: {}, volumes: [], mounts: [] };
    const name = `${this.name}-secret`;
    const stringData = { [TOKEN_KEY]: LateTokens.of(this).asSecret(this, token) };
    const labels = { ...this.props.labels, ...this.selector };
    kubeObject(this, 'Secret', 'v1/Secret', { name, labels }, { type: 'Opaque', stringData });
    return {
      env: { TOKEN_FILE: `${TOKEN_MOUNT}/${TOKEN_KEY}` },
      volumes: [{ name: 'token', secret: { secretName: name, defaultMode: 0o440 } }],
      mounts: [{ name: 'token', mountPath: TOKEN_MOUNT, readOnly: true }],
    };
  }
}

/** The volume of the cache, as a pod that serves mounts it. */
export const cacheVolume = (name: string): { volume: Volume; mount: VolumeMount } => ({
  volume: { name: VOLUME, persistentVolumeClaim: { claimName: `${name}-models` } },
  mount: { name: VOLUME, mountPath: MODELS_MOUNT, readOnly: true },
});
