import type { Kinds, PodSpec } from './kube';

/** Pods and volumes that an operator makes of one object. */
export interface OperatedPods {
  readonly count: number;
  readonly spec: PodSpec;
  readonly claims: readonly { readonly name: string; readonly spec: Kinds['v1/PersistentVolumeClaim']['spec'] }[];
}

const GROUP = 'postgresql.cnpg.io/v1';

/** Kinds whose pods are counted like those of a Deployment. */
export const OPERATED: readonly string[] = ['Cluster', 'Pooler'];

/** What the operator makes of this object, as many as there may be at once; nothing for an object of another kind. */
export function operatedPods(object: {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly spec?: unknown;
}): OperatedPods | undefined {
  if (object.apiVersion !== GROUP) return undefined;
  if (object.kind === 'Cluster') {
    const { instances, resources, storage } = object.spec as Kinds['postgresql.cnpg.io/v1/Cluster']['spec'];
    // A job makes each server's data before that server is there, and asks for as much.
    return {
      count: instances,
      spec: { containers: [{ name: 'postgres', ...(resources === undefined ? {} : { resources }) }] },
      claims: [{ name: 'data', spec: { resources: { requests: { storage: storage?.size ?? '0' } } } }],
    };
  }
  if (object.kind === 'Pooler') {
    const {
      instances = 1,
      deploymentStrategy,
      template,
    } = object.spec as Kinds['postgresql.cnpg.io/v1/Pooler']['spec'];
    const surge = deploymentStrategy?.rollingUpdate?.maxSurge;
    return {
      count: instances + (typeof surge === 'number' ? surge : 1),
      spec: { containers: template?.spec?.containers ?? [] } as PodSpec,
      claims: [],
    };
  }
  return undefined;
}
