import { ApiObject, Lazy } from 'cdk8s';
import type { Construct } from 'constructs';
import type { k8s } from 'cdk8s-plus-28';
import type { CustomKinds } from './custom-kinds';

/**
 * The shape of an object as YAML has it, from the generated types: quantities and int-or-strings are plain.
 * The generated classes are not used, since their mappers drop every field newer than Kubernetes 1.28 without a word.
 */
export type Plain<T> = T extends string | number | boolean | Date | undefined
  ? T
  : T extends readonly (infer U)[]
    ? readonly Plain<U>[]
    : IsWrapper<T> extends true
      ? string | number
      : { readonly [K in keyof T]: Plain<T[K]> };
// Quantity and IntOrString have the same shape; a type that has more fields, such as a header, must not match.
type IsWrapper<T> = [T] extends [k8s.Quantity] ? ([k8s.Quantity] extends [T] ? true : false) : false;

/** A container, with the `sleep` hook that Kubernetes has since 1.30. */
export type Container = Omit<Plain<k8s.Container>, 'lifecycle'> & {
  readonly lifecycle?: {
    readonly preStop?: {
      readonly sleep?: { readonly seconds: number };
      readonly exec?: { readonly command: readonly string[] };
    };
  };
};
export type PodSpec = Omit<Plain<k8s.PodSpec>, 'containers' | 'initContainers'> & {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
};
export type EnvVar = Plain<k8s.EnvVar>;
export type Volume = Plain<k8s.Volume>;
export type VolumeMount = Plain<k8s.VolumeMount>;
export type Probe = Plain<k8s.Probe>;
export type ResourceRequirements = Plain<k8s.ResourceRequirements>;
export type NetworkPolicyPeer = Plain<k8s.NetworkPolicyPeer>;
export type Labels = Readonly<Record<string, string>>;

/** Kinds that the library writes, with the type of what stands beside `metadata`. */
export interface Kinds extends CustomKinds {
  'v1/Secret': { readonly type?: string; readonly stringData: Readonly<Record<string, string>> };
  'v1/ConfigMap': { readonly data: Readonly<Record<string, string>> };
  'v1/Service': { readonly spec: Plain<k8s.ServiceSpec> };
  'v1/ServiceAccount': { readonly automountServiceAccountToken: boolean };
  'v1/PersistentVolumeClaim': { readonly spec: Plain<k8s.PersistentVolumeClaimSpec> };
  'v1/Namespace': object;
  'v1/ResourceQuota': { readonly spec: Plain<k8s.ResourceQuotaSpec> };
  'v1/LimitRange': { readonly spec: Plain<k8s.LimitRangeSpec> };
  'apps/v1/Deployment': {
    readonly spec: Omit<Plain<k8s.DeploymentSpec>, 'template'> & { readonly template: PodTemplate };
  };
  'apps/v1/StatefulSet': {
    readonly spec: Omit<Plain<k8s.StatefulSetSpec>, 'template'> & { readonly template: PodTemplate };
  };
  'apps/v1/DaemonSet': {
    readonly spec: Omit<Plain<k8s.DaemonSetSpec>, 'template'> & { readonly template: PodTemplate };
  };
  'batch/v1/CronJob': { readonly spec: CronJobSpec };
  'batch/v1/Job': { readonly spec: JobSpec };
  'autoscaling/v2/HorizontalPodAutoscaler': { readonly spec: Plain<k8s.HorizontalPodAutoscalerSpecV2> };
  'policy/v1/PodDisruptionBudget': { readonly spec: Plain<k8s.PodDisruptionBudgetSpec> };
  'networking.k8s.io/v1/NetworkPolicy': { readonly spec: Plain<k8s.NetworkPolicySpec> };
  'networking.k8s.io/v1/Ingress': { readonly spec: Plain<k8s.IngressSpec> };
  'rbac.authorization.k8s.io/v1/Role': { readonly rules: readonly Plain<k8s.PolicyRule>[] };
  'rbac.authorization.k8s.io/v1/RoleBinding': {
    readonly roleRef: Plain<k8s.RoleRef>;
    readonly subjects: readonly Plain<k8s.Subject>[];
  };
}
export interface PodTemplate {
  readonly metadata: { readonly labels: Labels; readonly annotations?: Labels };
  readonly spec: PodSpec;
}
type JobSpec = Omit<Plain<k8s.JobSpec>, 'template'> & { readonly template: PodTemplate };
type CronJobSpec = Omit<Plain<k8s.CronJobSpec>, 'jobTemplate'> & {
  readonly jobTemplate: { readonly metadata?: { readonly labels: Labels }; readonly spec: JobSpec };
};

/** Names and labels of an object. */
export interface Metadata {
  readonly name: string;
  /** @default - the chart's */
  readonly namespace?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
}

// A later field of any other name, such as a Secret's type, would be lost without a word.
type Lazily<T> = keyof T extends 'spec' | 'data' ? () => T : never;

/**
 * Adds one API object to the tree.
 * `body` may be a function: it is then called at synth, so that later calls on the component still count.
 */
export function kubeObject<K extends keyof Kinds>(
  scope: Construct,
  id: string,
  kind: K,
  metadata: Metadata,
  body: Kinds[K] | Lazily<Kinds[K]>,
): ApiObject {
  const cut = kind.lastIndexOf('/');
  const fields = typeof body === 'function' ? lazyFields(kind, body as () => Kinds[K]) : body;
  return new ApiObject(scope, id, { apiVersion: kind.slice(0, cut), kind: kind.slice(cut + 1), metadata, ...fields });
}

// cdk8s resolves a Lazy below the top level only, so the top-level field must be known now.
function lazyFields(kind: keyof Kinds, body: () => object): Record<string, unknown> {
  const field = kind === 'v1/ConfigMap' ? 'data' : 'spec';
  return { [field]: Lazy.any({ produce: () => (body() as Record<string, unknown>)[field] }) as unknown };
}
