import { Chart, JsonPatch } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { Labels } from './kube';
import { kubeObject } from './kube';
import type { NodeCapacity } from './namespace-capacity';
import { capacityProblems, checkCapacity } from './namespace-capacity';
import type { NamespaceQuota } from './namespace-quota';
import { derivedLimits, hardLimits, quotaProblems } from './namespace-quota';
import { compute, resourceRequirements } from './pod';
import { RemovalPolicy, setReleaseOptions } from './release-options';
import { Problems } from './validation';

export type { NamespaceQuota } from './namespace-quota';

/** On a Namespace: why it admits more than `restricted`. */
export const EXCEPTION_ANNOTATION = 'trellis.dev/pod-security-reason';

/** What a namespace admits that Pod Security `restricted` would refuse. */
export interface PodSecurityException {
  /** `privileged` also admits volumes of the node, which `baseline` refuses. */
  readonly level: 'baseline' | 'privileged';
  /** One sentence, put on the Namespace. */
  readonly reason: string;
}

/** What a namespace starts with. */
export interface NamespaceBaselineProps {
  /** @default - what the namespace's workloads add up to at most, autoscalers at their maximum and rollouts under way, and a quarter more */
  readonly quota?: NamespaceQuota;
  /** What one node has for pods at most; a workload whose pod needs more is refused. @default - not known, so nothing is refused */
  readonly largestNode?: NodeCapacity;
  /** What a container gets that says nothing, such as one that an operator adds. @default - cpu 100m/500m, memory 128Mi/512Mi */
  readonly containerDefaults?: ContainerResources;
  /** Version of the Pod Security Standards, so that an upgrade of the cluster does not move them. @default "v1.34" */
  readonly podSecurityVersion?: string;
  /** Where a pod that the system needs cannot be `restricted`; such pods get a namespace to themselves. @default - none */
  readonly podSecurityException?: PodSecurityException;
  /** Of the Namespace alone: to delete it is to delete all that it holds, kept volumes included. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
  /** Put on the Namespace. @default - none */
  readonly labels?: Labels;
}

/**
 * The namespace of its chart, closed before anything runs in it: Pod Security `restricted` enforced unless an exception says why not, no API token for pods
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
    private readonly props: NamespaceBaselineProps = {},
  ) {
    super(scope, id);
    this.name = Chart.of(this).namespace ?? '';
    this.podSecurityVersion = props.podSecurityVersion ?? 'v1.34';
    this.removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const containerDefaults = props.containerDefaults ?? compute([100, 500], [128, 512]);
    this.check(containerDefaults);

    this.addNamespace();
    const account = kubeObject(
      this,
      'DefaultAccount',
      'v1/ServiceAccount',
      { name: 'default' },
      { automountServiceAccountToken: false },
    );
    // The controller makes it with the namespace; only this one field is ours.
    setReleaseOptions(account, { patch: true });
    kubeObject(
      this,
      'DefaultDeny',
      'networking.k8s.io/v1/NetworkPolicy',
      { name: 'default-deny' },
      { spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } },
    );
    kubeObject(this, 'Quota', 'v1/ResourceQuota', { name: 'quota' }, () => ({
      // By synth every workload is known, in whichever order they came.
      spec: { hard: props.quota === undefined ? derivedLimits(this, this.name) : hardLimits(props.quota) },
    }));
    const { requests, limits } = resourceRequirements(containerDefaults);
    const perContainer = { type: 'Container', defaultRequest: requests ?? {}, default: limits ?? {} };
    this.node.addValidation({ validate: () => this.unschedulable() });
    kubeObject(this, 'Limits', 'v1/LimitRange', { name: 'container-defaults' }, { spec: { limits: [perContainer] } });
  }

  // What would be made, and then wait for ever.
  private unschedulable(): string[] {
    const { quota, largestNode } = this.props;
    return [
      ...(quota === undefined ? [] : quotaProblems(this, this.name, quota)),
      ...(largestNode === undefined ? [] : capacityProblems(this, this.name, largestNode)),
    ];
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
      .resources('containerDefaults', containerDefaults);
    const { podSecurityException: exception } = this.props;
    problems.require(
      exception === undefined || exception.reason.trim() !== '',
      'podSecurityException.reason must say why, since every pod of the namespace is admitted with it',
    );
    if (quota !== undefined) checkQuota(problems, quota);
    if (this.props.largestNode !== undefined) checkCapacity(problems, this.props.largestNode);
    for (const [key, value] of Object.entries(labels)) {
      problems
        .labelValue(`labels['${key}']`, value)
        .require(!key.startsWith('pod-security.kubernetes.io/'), `labels: '${key}' is the component's`);
    }
    problems.raise();
  }

  private addNamespace(): void {
    const { podSecurityException: exception } = this.props;
    const level = exception?.level ?? 'restricted';
    // An exception is audited all the same.
    const modes = Object.entries({ enforce: level, audit: 'restricted', warn: level }).flatMap(([mode, value]) => [
      [`pod-security.kubernetes.io/${mode}`, value],
      [`pod-security.kubernetes.io/${mode}-version`, this.podSecurityVersion],
    ]);
    const labels = { ...this.props.labels, ...(Object.fromEntries(modes) as Labels) };
    const metadata = {
      ...{ name: this.name, labels },
      ...(exception === undefined ? {} : { annotations: { [EXCEPTION_ANNOTATION]: exception.reason } }),
    };
    const namespace = kubeObject(this, 'Namespace', 'v1/Namespace', metadata, {});
    // cdk8s puts every object into the chart's namespace; the API server refuses that for one that is in none.
    namespace.addJsonPatch(JsonPatch.remove('/metadata/namespace'));
    setReleaseOptions(namespace, { removalPolicy: this.removalPolicy });
  }
}

function checkQuota(problems: Problems, quota: NamespaceQuota): void {
  problems
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
}
