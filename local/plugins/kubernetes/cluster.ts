import type { Client } from './client';
import { Discovery, pathOf } from './discovery';
import type { Resource } from './discovery';
import { ApiError } from './errors';
import type { Gvk, KubeObject } from './objects';
import { nameOf, namespaceOf, scalar } from './objects';
import { toApi } from './state';

export interface Applied {
  readonly object: KubeObject;
  readonly warnings: readonly string[];
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** See the client's calls. */
  readonly patience?: number;
}

export interface ApplyOptions extends CallOptions {
  readonly fieldManager: string;
  /** Take fields from other managers. */
  readonly force: boolean;
  readonly dryRun: boolean;
}

export type Propagation = 'Foreground' | 'Background' | 'Orphan';

/** Objects of one cluster: read, applied on the server, deleted. */
export class Cluster {
  public readonly discovery: Discovery;

  public constructor(public readonly client: Client) {
    this.discovery = new Discovery(client);
  }

  /** The object, or undefined where it, its namespace or its kind does not exist. */
  public async get(
    gvk: Gvk,
    namespace: string,
    name: string,
    options: CallOptions = {},
  ): Promise<KubeObject | undefined> {
    const resource = await this.discovery.find(gvk, options);
    return this.orUndefined(this.client.json({ method: 'GET', path: pathOf(resource, namespace, name), ...options }));
  }

  /** Server-side apply. */
  public async apply(gvk: Gvk, object: KubeObject, options: ApplyOptions): Promise<Applied> {
    const resource = await this.discovery.find(gvk, options);
    const query = new URLSearchParams({
      fieldManager: options.fieldManager,
      force: String(options.force),
      fieldValidation: 'Warn',
      ...(options.dryRun ? { dryRun: 'All' } : {}),
    });
    const { text, warnings } = await this.client.send({
      method: 'PATCH',
      path: `${pathOf(resource, namespaceOf(object), nameOf(object))}?${query.toString()}`,
      contentType: 'application/apply-patch+yaml',
      body: forServer(object, gvk, resource),
      ...options,
    });
    return { object: JSON.parse(text) as KubeObject, warnings };
  }

  /** Asks what the API server would say to a new object, in a namespace that may stand in for one to come. */
  public async validate(
    gvk: Gvk,
    object: KubeObject,
    namespace: string,
    options: CallOptions & { readonly strict: boolean },
  ): Promise<void> {
    const resource = await this.discovery.find(gvk, options);
    const query = new URLSearchParams({ dryRun: 'All', fieldValidation: options.strict ? 'Strict' : 'Ignore' });
    const body = forServer(object, gvk, resource);
    const metadata = body['metadata'] as KubeObject;
    await this.client.send({
      method: 'POST',
      path: `${pathOf(resource, namespace)}?${query.toString()}`,
      body: resource.namespaced ? { ...body, metadata: { ...metadata, namespace } } : body,
      ...options,
    });
  }

  /** Hands the fields of other managers to ours, so that the next apply may change and remove them. */
  public async patchManagers(
    gvk: Gvk,
    live: KubeObject,
    managedFields: readonly unknown[],
    options: CallOptions,
  ): Promise<void> {
    const resource = await this.discovery.find(gvk, options);
    const resourceVersion = (live['metadata'] as KubeObject)['resourceVersion'];
    await this.client.send({
      method: 'PATCH',
      path: pathOf(resource, namespaceOf(live), nameOf(live)),
      contentType: 'application/json-patch+json',
      body: [
        { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'replace', path: '/metadata/managedFields', value: managedFields },
      ],
      ...options,
    });
  }

  /** Starts a deletion; nothing happens where the object is gone already. `uid` guards against a successor of that name. */
  public async delete(
    gvk: Gvk,
    namespace: string,
    name: string,
    propagationPolicy: Propagation,
    options: CallOptions & { readonly uid?: string },
  ): Promise<void> {
    const resource = await this.discovery.find(gvk, options);
    const { uid, ...call } = options;
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy };
    await this.orUndefined(
      this.client.json({
        method: 'DELETE',
        path: pathOf(resource, namespace, name),
        body: uid === undefined ? body : { ...body, preconditions: { uid } },
        ...call,
      }),
    );
  }

  /** Objects of a core or apps kind, by label or field selector. Used for diagnosis: no answer is an empty list. */
  public async list(
    path: string,
    query: Readonly<Record<string, string>>,
    options: CallOptions,
  ): Promise<readonly KubeObject[]> {
    try {
      const answer = await this.client.json<{ items?: readonly KubeObject[] }>({
        method: 'GET',
        path: `${path}?${new URLSearchParams(query).toString()}`,
        patience: 5,
        ...options,
      });
      return answer.items ?? [];
    } catch (error) {
      if (error instanceof ApiError) return [];
      throw error;
    }
  }

  /** Last lines of a container's output; empty where there is none. */
  public async logs(
    namespace: string,
    pod: string,
    container: string,
    previous: boolean,
    options: CallOptions,
  ): Promise<string> {
    const query = new URLSearchParams({ container, tailLines: '10', limitBytes: '4000', previous: String(previous) });
    try {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log?${query.toString()}`;
      return (await this.client.send({ method: 'GET', path, patience: 5, ...options })).text.trimEnd();
    } catch (error) {
      if (error instanceof ApiError) return '';
      throw error;
    }
  }

  private async orUndefined(pending: Promise<KubeObject>): Promise<KubeObject | undefined> {
    try {
      return await pending;
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }
  }
}

/** The object as it is sent: with its version, without a namespace where the kind has none, `stringData` as `data`. */
function forServer(object: KubeObject, gvk: Gvk, resource: Resource): KubeObject {
  const { stringData, ...rest } = toApi(object);
  const metadata = { ...(rest['metadata'] as KubeObject) };
  if (!resource.namespaced) delete (metadata as Record<string, unknown>)['namespace'];
  const apiVersion = gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`;
  const sent: KubeObject = { ...rest, apiVersion, kind: gvk.kind, metadata };
  if (gvk.kind !== 'Secret' || gvk.group !== '' || typeof stringData !== 'object' || stringData === null) {
    return stringData === undefined ? sent : { ...sent, stringData };
  }
  // Applied `stringData` stays in `data` when it is removed later: the API server does not connect the two.
  const encoded = Object.entries(stringData as KubeObject).map(([key, value]) => {
    return [key, Buffer.from(scalar(value)).toString('base64')] as const;
  });
  return { ...sent, data: { ...((sent['data'] ?? {}) as KubeObject), ...Object.fromEntries(encoded) } };
}
