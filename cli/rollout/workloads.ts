import type { V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import { workloadKeys, type WorkloadKeys } from '../../stacks/workload-keys';
import type { Site } from '../cluster/site';
import { CliError } from '../exit';

/** What is written by these verbs counts as a person's edit: the engine shows it as a difference and takes it back. */
export const BY_HAND = 'kubectl-trellis';
/** What is written under this name is no difference: the definition says nothing about it. */
export const BESIDE = 'trellis';

export type WorkloadKind = 'Deployment' | 'StatefulSet';

/** A Deployment or StatefulSet of a stack. */
export interface Workload {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  /** Value of `app.kubernetes.io/part-of`, such as `noodle-core`; empty where there is none. */
  readonly system: string;
  /** Its path from the API server's root. */
  readonly path: string;
  /** As it was found. */
  readonly live: V1Deployment & V1StatefulSet;
  /** Nothing for what no configuration makes. */
  readonly keys: WorkloadKeys | undefined;
}

const PLURALS: Readonly<Record<WorkloadKind, string>> = { Deployment: 'deployments', StatefulSet: 'statefulsets' };

export const appsPath = (namespace: string, plural: string): string =>
  `/apis/apps/v1/namespaces/${namespace}/${plural}`;

/** `noodle-core-dev/postgres`. */
export const fullName = ({ namespace, name }: Pick<Workload, 'namespace' | 'name'>): string => `${namespace}/${name}`;

/** The stack's Deployments and StatefulSets, by name. */
export async function workloadsOf({ access, deployment }: Site): Promise<readonly Workload[]> {
  const kinds = Object.entries(PLURALS) as readonly (readonly [WorkloadKind, string])[];
  const lists = deployment.namespaces.flatMap((namespace) =>
    kinds.map(async ([kind, plural]) => {
      const items = await access.list<V1Deployment & V1StatefulSet>(appsPath(namespace, plural));
      return items.map((live): Workload => {
        const name = live.metadata?.name ?? '';
        const system = live.metadata?.labels?.['app.kubernetes.io/part-of'] ?? '';
        const path = `${appsPath(namespace, plural)}/${name}`;
        // A list leaves out what its items are.
        const whole = { apiVersion: 'apps/v1', ...live, kind };
        return { kind, namespace, name, system, path, live: whole, keys: workloadKeys(system, name) };
      });
    }),
  );
  const found = (await Promise.all(lists)).flat();
  return found.sort((a, b) => fullName(a).localeCompare(fullName(b)));
}

/**
 * The workload that a user means.
 *
 * @param wanted a name, or `SYSTEM/NAME` with the system's label or namespace where several have it
 * @throws CliError with what there is, where none has it or more than one
 */
export function pick(all: readonly Workload[], wanted: string): Workload {
  const [name = '', place] = wanted.split('/').reverse();
  const named = all.filter((each) => each.name === name);
  const found = named.filter(({ namespace, system }) => place === undefined || [namespace, system].includes(place));
  const [only, second] = found;
  if (only !== undefined && second === undefined) return only;
  if (only !== undefined)
    throw new CliError(`Several have the name '${wanted}': say which, as ${found.map(fullName).join(' or ')}.`);
  const there = named.length > 0 ? named : all;
  throw new CliError(
    `There is no Deployment or StatefulSet '${wanted}'. There are: ${there.map(fullName).join(', ')}.`,
  );
}

/** The workload that a user means, as its cluster has it now. */
export const workloadOf = async (site: Site, wanted: string): Promise<Workload> =>
  pick(await workloadsOf(site), wanted);
