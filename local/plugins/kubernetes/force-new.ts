import type { Gvk, KubeObject } from './objects';
import type { Path } from '../shared/values';

/** What decides, beside the kind, whether a change needs a new object. */
export interface Mutability {
  /** `enableConfigMapMutable` of the provider. */
  readonly configMaps: boolean;
  /** `enableSecretMutable` of the provider. */
  readonly secrets: boolean;
}

/*
 * The vendor's force-new properties (pulumi-kubernetes v4, provider/pkg/provider/diff.go), as paths. `*` stands for any index.
 * They are kept as they are, even where today's Kubernetes would take the change, so that a stack plans the same steps here
 * and there.
 */
const selector = ['spec.selector'];
const statefulSet = [
  'spec.podManagementPolicy',
  'spec.revisionHistoryLimit',
  'spec.selector',
  'spec.serviceName',
  'spec.volumeClaimTemplates',
];
const job = ['spec.completions', 'spec.parallelism', 'spec.selector', 'spec.template'];
const roleBinding = ['roleRef'];

const container = [
  'args',
  'command',
  'env',
  'image',
  'imagePullPolicy',
  'lifecycle',
  'livenessProbe',
  'ports',
  'readinessProbe',
  'resources',
  'securityContext',
  'stdin',
  'stdinOnce',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'tty',
  'volumeDevices',
  'volumeMounts',
  'workingDir',
].flatMap((field) => [`spec.containers.*.${field}`, `spec.initContainers.*.${field}`]);

const pod = [
  'affinity',
  'automountServiceAccountToken',
  'dnsConfig',
  'dnsPolicy',
  'enableServiceLinks',
  'hostAliases',
  'hostIPC',
  'hostNetwork',
  'hostPID',
  'hostname',
  'imagePullSecrets',
  'nodeName',
  'nodeSelector',
  'overhead',
  'preemptionPolicy',
  'priority',
  'priorityClassName',
  'readinessGates',
  'restartPolicy',
  'runtimeClassName',
  'schedulerName',
  'securityContext',
  'serviceAccount',
  'serviceAccountName',
  'shareProcessNamespace',
  'subdomain',
  'terminationGracePeriodSeconds',
  'volumes',
].map((field) => `spec.${field}`);

const persistentVolume = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'csi',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'glusterfs',
  'hostPath',
  'iscsi',
  'local',
  'nfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
].map((field) => `spec.${field}`);

/** By `group/version/kind`; the core group is empty. */
const table: Readonly<Record<string, readonly string[]>> = {
  '/v1/PersistentVolume': persistentVolume,
  // Growing spec.resources happens in place; everything else about a claim is fixed.
  '/v1/PersistentVolumeClaim': ['spec.accessModes', 'spec.selector', 'spec.storageClassName', 'spec.volumeName'],
  '/v1/Pod': [...pod, ...container],
  '/v1/ResourceQuota': ['spec.scopes'],
  '/v1/Secret': ['type'],
  '/v1/Service': ['spec.clusterIP'],
  'apps/v1/DaemonSet': selector,
  'apps/v1/Deployment': selector,
  'apps/v1/StatefulSet': statefulSet,
  'apps/v1beta1/StatefulSet': statefulSet,
  'apps/v1beta2/DaemonSet': selector,
  'apps/v1beta2/Deployment': selector,
  'apps/v1beta2/StatefulSet': statefulSet,
  'batch/v1/Job': job,
  'batch/v1beta1/Job': job,
  'batch/v2alpha1/Job': job,
  'policy/v1beta1/PodDisruptionBudget': ['spec'],
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': roleBinding,
  'rbac.authorization.k8s.io/v1/RoleBinding': roleBinding,
  'rbac.authorization.k8s.io/v1beta1/ClusterRoleBinding': roleBinding,
  'rbac.authorization.k8s.io/v1beta1/RoleBinding': roleBinding,
  'storage.k8s.io/v1/StorageClass': ['parameters', 'provisioner'],
};

const identity = ['metadata.name', 'metadata.namespace'];

/** The paths whose change needs a new object, for the object as it shall be. */
export function forceNewPaths(gvk: Gvk, object: KubeObject, mutability: Mutability): readonly string[] {
  const key = `${gvk.group}/${gvk.version}/${gvk.kind}`;
  const fixed = object.immutable === true;
  const paths = [...identity, ...(table[key] ?? [])];
  if (key === '/v1/Secret' && (fixed || !mutability.secrets)) paths.push('stringData', 'data');
  if (key === '/v1/ConfigMap' && (fixed || !mutability.configMaps)) paths.push('binaryData', 'data');
  return paths;
}

/** Whether a change at `changed` touches `pattern`: the same path, one below it, or one above it. */
export function touches(changed: Path, pattern: string): boolean {
  const steps = pattern.split('.');
  const shared = Math.min(steps.length, changed.length);
  return steps.slice(0, shared).every((step, index) => step === '*' || step === String(changed[index]));
}
