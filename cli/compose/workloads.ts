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

/** Every Deployment and StatefulSet, one pod of each. What runs by the clock, and what watches the cluster, stays there. */
export function workloadsOf(objects: readonly KubeObject[], systems: readonly string[]): readonly Workload[] {
  return objects.flatMap((object) => {
    if (object.kind !== 'Deployment' && object.kind !== 'StatefulSet') return [];
    const { name, namespace = '', labels } = object.metadata;
    const system = labels?.[PART_OF] ?? '';
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
