import type { Client } from './client';
import { ApiError, NoSuchKindError } from './errors';
import type { Gvk } from './objects';
import { apiVersionOf } from './objects';

/** Where the API server keeps objects of one kind. */
export interface Resource {
  /** Path of the group and version: `/apis/apps/v1`. */
  readonly base: string;
  /** Plural: `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** Kinds of Kubernetes itself that belong to no namespace: known without asking, for a cluster that is not there yet. */
const CLUSTER_KINDS = new Set([
  'APIService',
  'CSIDriver',
  'CSINode',
  'CertificateSigningRequest',
  'ClusterRole',
  'ClusterRoleBinding',
  'ComponentStatus',
  'CustomResourceDefinition',
  'DeviceClass',
  'FlowSchema',
  'IPAddress',
  'IngressClass',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PriorityClass',
  'PriorityLevelConfiguration',
  'ResourceSlice',
  'RuntimeClass',
  'ServiceCIDR',
  'StorageClass',
  'StorageVersionMigration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
  'VolumeAttachment',
  'VolumeAttributesClass',
]);

/** Kubernetes' own groups have no dot, or end in `k8s.io` without being a project of its contributors' (`x-k8s.io`). */
export const builtIn = ({ group }: Gvk): boolean =>
  !group.includes('.') ||
  (/(^|\.)k8s\.io$/.test(group) && !/(^|\.)(gateway\.networking|metrics|snapshot\.storage)\.k8s\.io$/.test(group));

/** What the API server serves, asked once for each group and version. */
export class Discovery {
  private readonly groups = new Map<string, Promise<ResourceList>>();
  private readonly announced = new Map<string, boolean>();

  public constructor(private readonly client: Client) {}

  /** Learns the scope of a CustomResourceDefinition that this program brings, before it is installed. */
  public announce(group: string, kind: string, namespaced: boolean): void {
    this.announced.set(`${group}/${kind}`, namespaced);
  }

  /** Forgets everything: a CustomResourceDefinition came or went. */
  public reset(): void {
    this.groups.clear();
  }

  /**
   * @throws NoSuchKindError where the kind is not served; that answer isn't remembered.
   */
  public async find(
    gvk: Gvk,
    options: { readonly patience?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Resource> {
    const base = gvk.group === '' ? `/api/${gvk.version}` : `/apis/${gvk.group}/${gvk.version}`;
    let pending = this.groups.get(base);
    if (pending === undefined) {
      pending = this.client.json<ResourceList>({ method: 'GET', path: base, ...options });
      this.groups.set(base, pending);
      pending.catch(() => this.groups.delete(base));
    }
    let found: ResourceList;
    try {
      found = await pending;
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) throw new NoSuchKindError(apiVersionOf(gvk), gvk.kind);
      throw error;
    }
    const resource = found.resources?.find(({ name, kind }) => kind === gvk.kind && !name.includes('/'));
    if (resource === undefined) {
      this.groups.delete(base);
      throw new NoSuchKindError(apiVersionOf(gvk), gvk.kind);
    }
    return { base, plural: resource.name, namespaced: resource.namespaced };
  }

  /** Whether objects of the kind live in a namespace. Assumes so where nobody can tell. */
  public async namespaced(gvk: Gvk): Promise<boolean> {
    if (builtIn(gvk)) return !CLUSTER_KINDS.has(gvk.kind);
    const announced = this.announced.get(`${gvk.group}/${gvk.kind}`);
    if (announced !== undefined) return announced;
    if (this.client.unreachable !== undefined) return true;
    try {
      return (await this.find(gvk, { patience: 2 })).namespaced;
    } catch {
      return true;
    }
  }
}

/** The path of one object, or of all objects of the kind where `name` is empty. */
export function pathOf(resource: Resource, namespace: string, name = ''): string {
  const scope = resource.namespaced ? `/namespaces/${encodeURIComponent(namespace || 'default')}` : '';
  return `${resource.base}${scope}/${resource.plural}${name === '' ? '' : `/${encodeURIComponent(name)}`}`;
}
