import type { ApiObject, Duration } from 'cdk8s';
import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Labels, PodSpec } from './kube';
import { kubeObject } from './kube';
import { WorkloadPolicy } from './network';
import { RemovalPolicy, setReleaseOptions } from './release-options';
import { scoreIgnored } from './score';
import type { Problems } from './validation';
import type { VolumeClaim } from './volume-claim';
import { ADOPT_ANNOTATION, claimSpec, volumeClaim } from './volume-claim';

/**
 * Longest name of a stateful component: a StatefulSet puts `<name>-<hash of ten>` into a label of its pods, which
 * holds 63 characters. The longest suffix that the component adds itself, `-headless`, would fit 54.
 */
export const STATEFUL_NAME_MAX = 52;

/** Name of the claim, and of the pod's volume that it becomes. */
export const DATA_VOLUME = 'data';

/** Replicas with stable names, their Services, their disruption budget and their NetworkPolicy. */
export interface StatefulWorkloadOptions {
  readonly name: string;
  /** What selects the pods; never changes during the component's life. */
  readonly selector: Labels;
  /** Further labels on the objects and the pods. */
  readonly labels: Labels;
  readonly port: { readonly name: string; readonly port: number };
  /** Further ports of the headless Service, such as a bus between the replicas or metrics. @default - none */
  readonly morePorts?: readonly { readonly name: string; readonly port: number }[];
  readonly pod: PodSpec;
  /** @default 1 */
  readonly replicas?: number;
  /**
   * Whether each replica starts after the one before is ready. The controller then waits for a pod that does not start, even where a later
   * template would mend it (kubernetes/kubernetes#67250), so that somebody has to end it: `./trellis rollback` does. Fixed at creation.
   * @default false
   */
  readonly ordered?: boolean;
  /** Whether `<name>-service` leads to these pods; something else may stand in front of them. @default true */
  readonly serves?: boolean;
  /** A volume that every replica gets for itself. @default - no volume */
  readonly claim?: VolumeClaim;
  readonly removalPolicy: RemovalPolicy;
  readonly startupDeadline: Duration;
  /** kube-score checks that the pods do not pass on purpose, each with its reason. @default - none */
  readonly ignored?: Readonly<Record<string, string>>;
}

/** Address of a Service; the namespace is part of it, so that clients of other namespaces may use it too. */
export function serviceHost(scope: Construct, service: string): string {
  const namespace = Chart.of(scope).namespace;
  return namespace === undefined ? service : `${service}.${namespace}.svc`;
}

/** Keys and values of labels that a user adds; the selector's own are refused. */
export function labelProblems(problems: Problems, labels: Labels, selector: Labels): void {
  for (const [key, value] of Object.entries(labels)) {
    const [name = '', ...prefix] = key.split('/').reverse();
    problems
      .require(!(key in selector), `labels: '${key}' selects the pods and cannot be set`)
      .require(
        name !== '' && prefix.length <= 1,
        `labels: '${key}' must be a label key (an optional DNS prefix and '/', then a name)`,
      )
      .labelValue(`labels: the name of '${key}'`, name)
      .dnsSubdomain(`labels: the prefix of '${key}'`, prefix[0])
      .labelValue(`labels['${key}']`, value);
  }
}

/** A duration of at least one second; cdk8s lets NaN through. */
export function durationProblem(problems: Problems, prop: string, value: Duration | undefined, min = 1): void {
  if (value === undefined) return;
  const seconds = value.toSeconds({ integral: false });
  problems.require(
    Number.isInteger(seconds) && seconds >= min,
    `${prop} must be whole seconds, at least ${min}, got ${String(seconds)}`,
  );
}

/** Adds the objects of the workload to `scope` and returns its NetworkPolicy, to which edges are added. */
export function statefulWorkload(scope: Construct, options: StatefulWorkloadOptions): WorkloadPolicy {
  const { name, selector } = options;
  const labels = { ...options.labels, ...selector };
  const account = kubeObject(
    scope,
    'ServiceAccount',
    'v1/ServiceAccount',
    { name, labels },
    {
      automountServiceAccountToken: false,
    },
  );
  // One at a time; with a single replica any budget that forbids its eviction would block every drain of its node for good.
  kubeObject(scope, 'PodDisruptionBudget', 'policy/v1/PodDisruptionBudget', { name, labels }, () => ({
    spec: { maxUnavailable: 1, selector: { matchLabels: selector }, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
  }));
  const policy = new WorkloadPolicy(scope, name, selector);
  retain(options.removalPolicy, account, policy.object, ...services(scope, options, labels));
  const server = statefulSet(scope, options, labels);
  // They come first, with the size that is asked for: the StatefulSet takes the claims that it finds.
  for (const claim of replicaClaims(scope, options)) server.node.addDependency(claim);
  return policy;
}

/** Marks the objects without which the data could not be read any more. */
export function retain(removalPolicy: RemovalPolicy, ...objects: readonly ApiObject[]): void {
  for (const object of objects) setReleaseOptions(object, { removalPolicy });
}

function services(scope: Construct, options: StatefulWorkloadOptions, labels: Labels): readonly ApiObject[] {
  const { name, selector: matching, port, morePorts = [], serves = true } = options;
  const servicePort = (one: typeof port) => ({ ...one, targetPort: one.name, protocol: 'TCP' });
  const ports = [servicePort(port)];
  const headless = [...ports, ...morePorts.map(servicePort)];
  const inFront = (): ApiObject =>
    kubeObject(scope, 'Service', 'v1/Service', { name: `${name}-service`, labels }, () => ({
      spec: { type: 'ClusterIP', selector: matching, ports },
    }));
  return [
    ...(serves ? [inFront()] : []),
    // Names of single pods must resolve while they start: replicas find each other before they are ready.
    kubeObject(scope, 'Headless', 'v1/Service', { name: `${name}-headless`, labels }, () => ({
      spec: {
        type: 'ClusterIP',
        clusterIP: 'None',
        publishNotReadyAddresses: true,
        selector: matching,
        ports: headless,
      },
    })),
  ];
}

/**
 * The claims of all replicas under the names that their StatefulSet looks for. As objects of their own they grow in place, which a template
 * never does. Fewer replicas leave claims behind where they are retained.
 */
export function replicaClaims(
  scope: Construct,
  options: Pick<StatefulWorkloadOptions, 'name' | 'selector' | 'claim' | 'removalPolicy' | 'replicas'>,
): readonly ApiObject[] {
  const { name, selector, claim, removalPolicy, replicas = 1 } = options;
  if (claim === undefined) return [];
  const annotations = {
    [ADOPT_ANNOTATION]: 'true',
    // Its controller wrote the fields of one that it made.
    'pulumi.com/patchForce': 'true',
  };
  return Array.from({ length: replicas }, (_, ordinal) =>
    volumeClaim(scope, `Data-${ordinal}`, {
      name: `${DATA_VOLUME}-${name}-${ordinal}`,
      ...{ labels: selector, annotations, claim, removalPolicy },
    }),
  );
}

function statefulSet(scope: Construct, options: StatefulWorkloadOptions, labels: Labels): ApiObject {
  const { name, selector, claim, removalPolicy, startupDeadline, replicas = 1, ordered = false } = options;
  const kept = removalPolicy === RemovalPolicy.RETAIN;
  const annotations = {
    // The engine's own limit is ten minutes; each start may take its deadline, after a pull and an attach.
    'pulumi.com/timeoutSeconds': String(startupDeadline.toSeconds() * (ordered ? replicas : 1) + 300),
    // A new size is a new template, which only a new object can have: pods and claims live on, and it takes them over.
    // It has to be on the old object to count. Where nothing is retained it would leave pods behind that nobody ends.
    ...(kept ? { 'pulumi.com/deletionPropagationPolicy': 'orphan' } : {}),
    ...scoreIgnored(options.ignored),
  };
  const object = kubeObject(scope, 'StatefulSet', 'apps/v1/StatefulSet', { name, labels, annotations }, () => ({
    spec: {
      serviceName: `${name}-headless`,
      replicas,
      podManagementPolicy: ordered ? 'OrderedReady' : 'Parallel',
      updateStrategy: { type: 'RollingUpdate' },
      revisionHistoryLimit: 10,
      // The claims are objects of their own: a StatefulSet that is made anew must not take them along.
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      selector: { matchLabels: selector },
      template: { metadata: { labels }, spec: options.pod },
      ...(claim === undefined ? {} : { volumeClaimTemplates: [claimTemplate(scope, selector, claim)] }),
    },
  }));
  // What an engine retains it cannot replace either. Without it nothing is lost: its pods run on, and claims and Secret are retained.
  setReleaseOptions(object, { removalPolicy: RemovalPolicy.DESTROY });
  return object;
}

// Only the selector's labels: a label that changes, such as a version, would make every upgrade a replacement.
export const claimTemplate = (scope: Construct, selector: Labels, claim: VolumeClaim) => ({
  metadata: { name: DATA_VOLUME, labels: selector },
  spec: claimSpec(scope, claim),
});
