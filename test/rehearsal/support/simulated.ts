import type { V1Deployment, V1Namespace, V1Node, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import { Client } from '../../../local/plugins/kubernetes/client';
import { connection } from '../../../local/plugins/kubernetes/kubeconfig';
import { rehearsalOf, type Rehearsal, type Rehearsed } from '../../../local/simulate';

/** The API of one environment's simulated cluster, with administrator's rights. */
export class Simulated {
  public readonly rehearsal: Rehearsal;
  private client: Client | undefined;

  /** @param folder for a cluster of a test's own. @default - the environment's rehearsal in this clone */
  public constructor(environment: Rehearsed, folder?: string) {
    this.rehearsal = rehearsalOf(environment, folder);
  }

  /** Made late: the kubeconfig is there once the cluster was brought up. */
  private get api(): Client {
    const { kubeconfig, context } = this.rehearsal;
    return (this.client ??= new Client(connection({ kubeconfig, context })));
  }

  public get<T>(path: string): Promise<T> {
    return this.api.json<T>({ method: 'GET', path });
  }

  public async list<T>(path: string): Promise<readonly T[]> {
    return (await this.get<{ readonly items: readonly T[] }>(path)).items;
  }

  public create(path: string, body: unknown): Promise<unknown> {
    return this.api.json({ method: 'POST', path, body });
  }

  public patch(path: string, body: unknown, type = 'merge-patch'): Promise<unknown> {
    return this.api.json({ method: 'PATCH', path, body, contentType: `application/${type}+json` });
  }

  public remove(path: string): Promise<unknown> {
    return this.api.json({ method: 'DELETE', path });
  }

  public nodes(): Promise<readonly V1Node[]> {
    return this.list<V1Node>('/api/v1/nodes');
  }

  /** Namespaces of the stack: those that are not the cluster's own. */
  public async namespaces(): Promise<readonly string[]> {
    const all = await this.list<V1Namespace>('/api/v1/namespaces');
    const names = all.map(({ metadata }) => metadata?.name ?? '');
    return names.filter((name) => !/^(default|kube-.*|probe)$/.test(name));
  }

  /** What lies in the stack's namespaces, by the last part of its path. */
  public async of<T>(kind: 'pods' | 'persistentvolumeclaims' | 'services' | 'deployments'): Promise<readonly T[]> {
    const group = kind === 'deployments' ? '/apis/apps/v1' : '/api/v1';
    const spaces = await this.namespaces();
    return (await Promise.all(spaces.map((space) => this.list<T>(`${group}/namespaces/${space}/${kind}`)))).flat();
  }

  public pods = (): Promise<readonly V1Pod[]> => this.of<V1Pod>('pods');
  public claims = (): Promise<readonly V1PersistentVolumeClaim[]> => this.of('persistentvolumeclaims');
  public deployments = (): Promise<readonly V1Deployment[]> => this.of('deployments');
}
