import { untilReady } from './await';
import { Client } from './client';
import { Cluster } from './cluster';
import { ApiError, messageOf, NotReadyError } from './errors';
import { connection } from './kubeconfig';
import type { KubeObject } from './objects';
import { gvkOf } from './objects';
import { Redactor } from './secrets';

/** How a patch is meant: RFC 7396 or RFC 6902. */
export type PatchType = 'merge' | 'json';

const CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
};

export interface PatchRequest {
  /** From the server's root: `/apis/apps/v1/namespaces/shop/deployments/web`. */
  readonly path: string;
  readonly body: unknown;
  /** @default 'merge' */
  readonly type?: PatchType;
  /** Under which name the fields are written. Edits of a manager whose name begins with `kubectl` are a person's: the engine takes them back. */
  readonly manager: string;
}

export interface ReadOptions {
  /** Seconds to go on asking while there is no answer. @default - as long as an API server may take to restart */
  readonly patience?: number;
}

export interface RolloutRequest {
  /** Receives where it stands, whenever that changes. */
  readonly progress: (line: string) => void;
  /** @default - never aborted */
  readonly signal?: AbortSignal;
}

/** Reads and changes objects of one cluster, and waits for them, without the engine. Paths start at the server's root. */
export class ClusterAccess {
  private readonly client: Client;
  private readonly cluster: Cluster;

  /** @throws KubernetesError where the kubeconfig has no such context */
  public constructor(kubeconfig: string, context: string) {
    this.client = new Client(connection({ kubeconfig, context }));
    this.cluster = new Cluster(this.client);
  }

  public get<T>(path: string, options: ReadOptions = {}): Promise<T> {
    return this.client.json<T>({ method: 'GET', path, ...options });
  }

  /** The object; undefined where there is none, or where nobody serves its kind. */
  public find<T>(path: string): Promise<T | undefined> {
    return this.get<T>(path).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    });
  }

  /** Objects of a kind; none where nobody serves it. */
  public async list<T>(path: string): Promise<readonly T[]> {
    return (await this.find<{ readonly items?: readonly T[] }>(path))?.items ?? [];
  }

  /** @returns the object as it is then */
  public patch<T>({ path, body, type = 'merge', manager }: PatchRequest): Promise<T> {
    const query = new URLSearchParams({ fieldManager: manager }).toString();
    return this.client.json<T>({
      ...{ method: 'PATCH', path: `${path}?${query}`, body },
      contentType: CONTENT_TYPES[type],
    });
  }

  /** Begins a deletion, of the object with this uid and of no other. One that is gone already is what was wanted. */
  public async remove(path: string, uid: string): Promise<void> {
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid } };
    await this.client.send({ method: 'DELETE', path, body }).catch((error: unknown) => {
      if (!(error instanceof ApiError && [404, 409].includes(error.code))) throw error;
    });
  }

  /**
   * Waits until a workload has rolled out what it was given last.
   *
   * @param live as the API server answered the change
   * @throws NotReadyError in the words of the pod, the kubelet or the scheduler, as soon as its progress deadline has passed; the values of
   *   the namespace's Secrets are not in it
   */
  public async rolledOut(live: object, { progress, signal }: RolloutRequest): Promise<void> {
    const object = live as KubeObject;
    const gvk = gvkOf(object, { group: 'apps', version: 'v1', kind: 'Deployment' });
    try {
      await untilReady({
        ...{ cluster: this.cluster, gvk, inputs: object, live: object, timeout: 0 },
        signal: signal ?? new AbortController().signal,
        status: (line) => {
          if (line !== '') progress(line);
        },
      });
    } catch (error) {
      if (!(error instanceof NotReadyError)) throw error;
      const { namespace = 'default' } = (live as { metadata?: { namespace?: string } }).metadata ?? {};
      throw new NotReadyError(await this.masked(namespace, messageOf(error)), []);
    }
  }

  /** A text in which nothing of the namespace's Secrets is left. Where they can't be read, all that a container wrote is left out. */
  private async masked(namespace: string, message: string): Promise<string> {
    try {
      const redactor = new Redactor();
      const path = `/api/v1/namespaces/${namespace}/secrets`;
      for (const secret of (await this.get<{ readonly items: readonly KubeObject[] }>(path)).items)
        redactor.learn({ ...secret, kind: 'Secret' });
      return redactor.text(message);
    } catch {
      const told = message.split('\n').filter((line) => !/^\s+\| /.test(line));
      return told.map((line) => line.replace(/; its last lines:$/, '; see ./trellis logs')).join('\n');
    }
  }
}
