import type { KubeContainer, KubeObject, Workload } from './model';

interface ServicePort {
  readonly port: number;
  readonly targetPort: number | string;
}

const specOf = (object: KubeObject) =>
  object.spec as { readonly selector: Readonly<Record<string, string>>; readonly ports: readonly ServicePort[] };

/** All names of a Service in the cluster, the longest first. */
const namesOf = (name: string, namespace: string): readonly string[] => [
  `${name}.${namespace}.svc.cluster.local`,
  `${name}.${namespace}.svc`,
  `${name}.${namespace}`,
  name,
];

export const portOf = (containers: readonly KubeContainer[], port: number | string): number => {
  if (typeof port === 'number') return port;
  const found = containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === port);
  return found?.containerPort ?? Number(port);
};

interface KnownService {
  readonly names: readonly string[];
  readonly workload: Workload;
  readonly ports: ReadonlyMap<number, number>;
}

/** The Services of an environment, as names of Compose's DNS, which knows no other port than the container's. */
export class ServiceNames {
  private readonly known: readonly KnownService[];

  public constructor(objects: readonly KubeObject[], workloads: readonly Workload[]) {
    this.known = objects
      .filter(({ kind }) => kind === 'Service')
      .flatMap((object) => {
        const { selector, ports } = specOf(object);
        const { name, namespace = '' } = object.metadata;
        const workload = workloads.find(
          (one) =>
            one.namespace === namespace && Object.entries(selector).every(([key, text]) => one.labels[key] === text),
        );
        if (workload === undefined) return [];
        const targets = ports.map(
          ({ port, targetPort }) => [port, portOf(workload.pod.containers, targetPort)] as const,
        );
        return [{ names: namesOf(name, namespace), workload, ports: new Map(targets) }];
      });
  }

  /** Names under which a workload is reached by others. Short ones would be taken twice where two systems share a network. */
  public aliasesOf(workload: Workload): readonly string[] {
    return this.known.filter((one) => one.workload === workload).flatMap(({ names }) => names);
  }

  /** The workload behind a Service, and the port that it listens on. */
  public target(
    namespace: string,
    name: string,
    port: number,
  ): { readonly workload: Workload; readonly port: number } | undefined {
    const found = this.known.find(({ names }) => names.includes(`${name}.${namespace}.svc`));
    const target = found?.ports.get(port);
    return found === undefined || target === undefined ? undefined : { workload: found.workload, port: target };
  }

  /** Addresses in a text, with the ports of containers in place of those of Services. */
  public rewrite(text: string): string {
    let result = text;
    for (const { names, ports } of this.known) {
      for (const name of names.slice(0, 2)) {
        const host = name.replaceAll('.', '\\.');
        result = result.replace(
          new RegExp(`(?<![\\w.-])(http://)?${host}(?::(\\d+))?(?![\\w.-])`, 'g'),
          (all, scheme, port) => {
            const asked = port === undefined ? (scheme === undefined ? undefined : 80) : Number(port);
            const target = asked === undefined ? undefined : ports.get(asked);
            return target === undefined ? String(all) : `${String(scheme ?? '')}${name}:${target}`;
          },
        );
      }
    }
    return result;
  }
}
