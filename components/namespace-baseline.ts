import { Chart, JsonPatch, Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import { Cpu } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { Labels } from './kube';
import { kubeObject } from './kube';
import { compute, resourceRequirements } from './pod';
import { RemovalPolicy, setReleaseOptions } from './release-options';
import { cpuMillis, sizeQuantity } from './units';
import { Problems } from './validation';

/**
 * What all pods and volumes of a namespace may add up to.
 * It must hold every autoscaler at its maximum and the extra pods of a rollout, or both stop half-way.
 */
export interface NamespaceQuota {
  /** Sum of all requests and of all limits; memory limits are required, the rest is unbounded where it is left out. */
  readonly compute: ContainerResources;
  /** @default 100 */
  readonly pods?: number;
  /** Volumes that are claimed. @default 20 */
  readonly persistentVolumeClaims?: number;
  /** Sum of all claims. @default Size.gibibytes(200) */
  readonly storage?: Size;
  /** Services with a load balancer, each of which costs money. @default 1 */
  readonly loadBalancers?: number;
  /** Devices by the name of their extended resource, such as `nvidia.com/gpu`. @default - none */
  readonly devices?: Readonly<Record<string, number>>;
}

/** What a namespace starts with. */
export interface NamespaceBaselineProps {
  readonly quota: NamespaceQuota;
  /** What a container gets that says nothing, such as one that an operator adds. @default - cpu 100m/500m, memory 128Mi/512Mi */
  readonly containerDefaults?: ContainerResources;
  /** Version of the Pod Security Standards, so that an upgrade of the cluster does not move them. @default "v1.34" */
  readonly podSecurityVersion?: string;
  /** Of the Namespace alone: to delete it is to delete all that it holds, kept volumes included. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
  /** Put on the Namespace. @default - none */
  readonly labels?: Labels;
}

/**
 * The namespace of its chart, closed before anything runs in it: Pod Security `restricted` enforced, no API token for pods
 * that name no account, no traffic that is not allowed, a quota for all and limits for each.
 */
export class NamespaceBaseline extends Construct {
  /** Name of the namespace: that of the chart. */
  public readonly name: string;
  public readonly podSecurityVersion: string;
  public readonly removalPolicy: RemovalPolicy;

  /** @throws ValidationError with every problem of the props, or where the chart has no namespace. */
  public constructor(
    scope: Construct,
    id: string,
    private readonly props: NamespaceBaselineProps,
  ) {
    super(scope, id);
    this.name = Chart.of(this).namespace ?? '';
    this.podSecurityVersion = props.podSecurityVersion ?? 'v1.34';
    this.removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const containerDefaults = props.containerDefaults ?? compute([100, 500], [128, 512]);
    this.check(containerDefaults);

    this.addNamespace();
    kubeObject(
      this,
      'DefaultAccount',
      'v1/ServiceAccount',
      { name: 'default' },
      { automountServiceAccountToken: false },
    );
    kubeObject(
      this,
      'DefaultDeny',
      'networking.k8s.io/v1/NetworkPolicy',
      { name: 'default-deny' },
      { spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } },
    );
    kubeObject(this, 'Quota', 'v1/ResourceQuota', { name: 'quota' }, { spec: { hard: this.hardLimits() } });
    const { requests, limits } = resourceRequirements(containerDefaults);
    const perContainer = { type: 'Container', defaultRequest: requests ?? {}, default: limits ?? {} };
    kubeObject(this, 'Limits', 'v1/LimitRange', { name: 'container-defaults' }, { spec: { limits: [perContainer] } });
  }

  private check(containerDefaults: ContainerResources): void {
    const { quota, labels = {} } = this.props;
    const problems = new Problems(this)
      .require(this.name !== '', 'the chart needs a namespace, which this component then makes')
      .dnsLabel('namespace', this.name === '' ? undefined : this.name)
      .require(
        !/^(default|kube-.*)$/.test(this.name),
        `namespace '${this.name}' belongs to the cluster; workloads get one of their own`,
      )
      .require(
        /^v1\.[0-9]{1,3}$/.test(this.podSecurityVersion),
        `podSecurityVersion must be a version such as v1.34, got '${this.podSecurityVersion}'`,
      )
      .resources('containerDefaults', containerDefaults)
      .resources('quota.compute', quota.compute)
      .integer('quota.pods', quota.pods, { min: 1, max: 10_000 })
      .integer('quota.persistentVolumeClaims', quota.persistentVolumeClaims, { min: 0, max: 10_000 })
      .integer('quota.loadBalancers', quota.loadBalancers, { min: 0, max: 1000 })
      .size('quota.storage', quota.storage);
    for (const [device, count] of Object.entries(quota.devices ?? {})) {
      problems
        .require(/^[a-z0-9.-]+\/[\w.-]+$/.test(device), `quota.devices: '${device}' is not an extended resource`)
        .integer(`quota.devices['${device}']`, count, { min: 0, max: 10_000 });
    }
    for (const [key, value] of Object.entries(labels)) {
      problems
        .labelValue(`labels['${key}']`, value)
        .require(!key.startsWith('pod-security.kubernetes.io/'), `labels: '${key}' is the component's`);
    }
    problems.raise();
  }

  private addNamespace(): void {
    const modes = ['enforce', 'audit', 'warn'].flatMap((mode) => [
      [`pod-security.kubernetes.io/${mode}`, 'restricted'],
      [`pod-security.kubernetes.io/${mode}-version`, this.podSecurityVersion],
    ]);
    const labels = { ...this.props.labels, ...(Object.fromEntries(modes) as Labels) };
    const namespace = kubeObject(this, 'Namespace', 'v1/Namespace', { name: this.name, labels }, {});
    // cdk8s puts every object into the chart's namespace; the API server refuses that for one that is in none.
    namespace.addJsonPatch(JsonPatch.remove('/metadata/namespace'));
    setReleaseOptions(namespace, { removalPolicy: this.removalPolicy });
  }

  private hardLimits(): Readonly<Record<string, string>> {
    const { quota } = this.props;
    const { cpu, memory, ephemeralStorage } = quota.compute;
    const sums: readonly (readonly [string, Cpu | Size | number | undefined])[] = [
      ['requests.cpu', cpu?.request],
      ['limits.cpu', cpu?.limit],
      ['requests.memory', memory?.request],
      ['limits.memory', memory?.limit],
      ['requests.ephemeral-storage', ephemeralStorage?.request],
      ['limits.ephemeral-storage', ephemeralStorage?.limit],
      ['pods', quota.pods ?? 100],
      ['persistentvolumeclaims', quota.persistentVolumeClaims ?? 20],
      ['requests.storage', quota.storage ?? Size.gibibytes(200)],
      ['services.loadbalancers', quota.loadBalancers ?? 1],
      ...Object.entries(quota.devices ?? {}).map(([name, count]) => [`requests.${name}`, count] as const),
    ];
    return Object.fromEntries(sums.flatMap(([name, sum]) => (sum === undefined ? [] : [[name, quantity(sum)]])));
  }
}

function quantity(amount: Cpu | Size | number): string {
  if (typeof amount === 'number') return String(amount);
  return amount instanceof Cpu ? `${cpuMillis(amount)}m` : sizeQuantity(amount);
}
