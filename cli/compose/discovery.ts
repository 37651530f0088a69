import type { KubeContainer, KubeVolume, Workload } from './model';

/** Where the program that asks the API server for pods writes them, as `charts/observability` tells it. */
const FOLDER = 'DISCOVERY_DIR';
const NAMESPACES = 'DISCOVERY_NAMESPACES';

const said = ({ env }: KubeContainer, name: string): string | undefined => env?.find((one) => one.name === name)?.value;

/** The container of a workload that asks the API server for pods; Compose has none to ask, and no need for it. */
export const discoveryOf = ({ pod }: Workload): KubeContainer | undefined =>
  pod.containers.find((container) => said(container, FOLDER) !== undefined);

/** Whether a volume is the folder that pods are written to. */
export const isDiscovered = (workload: Workload, { name }: KubeVolume): boolean => {
  const container = discoveryOf(workload);
  const mount = container?.volumeMounts?.find((one) => one.name === name);
  return container !== undefined && mount?.mountPath === said(container, FOLDER);
};

/** Files that the program would write, one a namespace: there is one pod of each workload, and it stays. */
export function podFiles(workload: Workload, all: readonly Workload[]): ReadonlyMap<string, string> {
  const container = discoveryOf(workload);
  const namespaces = (container && said(container, NAMESPACES))?.split(' ') ?? [];
  return new Map(
    namespaces.map((namespace) => {
      const pods = all.filter((one) => one.namespace === namespace).flatMap(targetsOf);
      return [`${namespace}.json`, `${JSON.stringify(pods, undefined, 2)}\n`];
    }),
  );
}

/** Labels as Prometheus' own discovery of Kubernetes gives them to each port of each container. */
const targetsOf = ({ service, name, namespace, labels, pod }: Workload): readonly object[] =>
  pod.containers.flatMap((container) =>
    (container.ports ?? [])
      .filter(({ protocol = 'TCP' }) => protocol === 'TCP')
      .map(({ containerPort }) => ({
        targets: [`${service}:${containerPort}`],
        labels: {
          __meta_kubernetes_namespace: namespace,
          __meta_kubernetes_pod_name: `${name}-0`,
          __meta_kubernetes_pod_phase: 'Running',
          __meta_kubernetes_pod_container_name: container.name,
          __meta_kubernetes_pod_container_port_number: String(containerPort),
          ...Object.fromEntries(
            Object.entries(labels).map(([key, text]) => [
              `__meta_kubernetes_pod_label_${key.replaceAll(/[^A-Za-z0-9_]/g, '_')}`,
              text,
            ]),
          ),
        },
      })),
  );
