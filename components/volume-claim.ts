import type { ApiObject, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Labels } from './kube';
import { kubeObject } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import type { RemovalPolicy } from './release-options';
import { setReleaseOptions } from './release-options';
import { sizeQuantity } from './units';

/**
 * On a claim: one of this name that exists already is the workload's own and becomes the definition's, whoever made it. The controller of a
 * StatefulSet makes claims by name, and those of replicas that went away stay.
 */
export const ADOPT_ANNOTATION = 'trellis.dev/adopt';

/** A volume by its size. */
export interface VolumeClaim {
  /** May grow on a living claim where its class can expand; it never shrinks. */
  readonly size: Size;
  /**
   * Fixed at creation: a later change holds for new claims only.
   * @default - the cluster's default StorageClass
   */
  readonly storageClass?: Late;
  /** Whether pods on several nodes may write to it at the same time, which few classes can do. Fixed at creation. @default false */
  readonly shared?: boolean;
}

/** What a claim asks for, in a claim of its own or in a StatefulSet's template. */
export const claimSpec = (scope: Construct, { size, storageClass, shared = false }: VolumeClaim) => ({
  accessModes: [shared ? 'ReadWriteMany' : 'ReadWriteOnce'],
  ...(storageClass === undefined ? {} : { storageClassName: LateTokens.of(scope).asString(scope, storageClass) }),
  resources: { requests: { storage: sizeQuantity(size) } },
});

/** One claim as an object of its own, so that an engine changes its size in place. */
export interface VolumeClaimOptions {
  readonly name: string;
  /** Of what claims it, never of a version: they stay for the volume's life. */
  readonly labels: Labels;
  /** @default - none */
  readonly annotations?: Labels;
  readonly claim: VolumeClaim;
  readonly removalPolicy: RemovalPolicy;
}

/** Adds a claim to `scope`. */
export function volumeClaim(scope: Construct, id: string, options: VolumeClaimOptions): ApiObject {
  const { name, labels, annotations, claim, removalPolicy } = options;
  const metadata = { name, labels, ...(annotations === undefined ? {} : { annotations }) };
  const object = kubeObject(scope, id, 'v1/PersistentVolumeClaim', metadata, () => ({ spec: claimSpec(scope, claim) }));
  // An engine would delete the volume to give it another class.
  setReleaseOptions(object, { removalPolicy, ignoreChanges: ['spec.storageClassName'] });
  return object;
}
