import type { KubeObject, KubePod, Workload } from './model';

interface WorkloadSpec {
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: KubePod;
  };
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
}

/** The label that says which system an object is part of. */
const PART_OF = 'app.kubernetes.io/part-of';

/** The system that an object is part of; empty where it says none. */
export const systemOf = ({ metadata }: KubeObject): string => metadata.labels?.[PART_OF] ?? '';

/** What a ConfigMap of a namespace holds; nothing where the definition doesn't make it. */
export const configMapData = (
  objects: readonly KubeObject[],
  namespace: string,
  name: string,
): Readonly<Record<string, string>> | undefined =>
  objects.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name && metadata.namespace === namespace,
  )?.data;

/** Every Deployment and StatefulSet, one pod of each. What runs by the clock, and what watches the cluster, stays there. */
export function workloadsOf(objects: readonly KubeObject[], systems: readonly string[]): readonly Workload[] {
  return objects.flatMap((object) => {
    if (object.kind !== 'Deployment' && object.kind !== 'StatefulSet') return [];
    const { name, namespace = '' } = object.metadata;
    const system = systemOf(object);
    if (!systems.includes(system)) return [];
    const { template, volumeClaimTemplates = [] } = object.spec as unknown as WorkloadSpec;
    return [
      {
        ...{ system, name, namespace },
        service: `${system}-${name}`,
        labels: {
          ...template.metadata.labels,
          ...(object.kind === 'StatefulSet' ? { 'statefulset.kubernetes.io/pod-name': `${name}-0` } : {}),
        },
        pod: template.spec,
        claims: volumeClaimTemplates.map(({ metadata }) => metadata.name),
      },
    ];
  });
}
