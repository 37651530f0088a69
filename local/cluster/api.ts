import { LocalError } from '../errors';
import { ask, type Target } from './https';

/** A Kubernetes object, as far as it is handled here. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly status?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** Who owns the fields that are applied here. */
const FIELD_MANAGER = 'trellis-local';

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** The few calls of the Kubernetes API that the addons need. One for each API server: it remembers what kinds there are. */
export class Api {
  private readonly kinds = new Map<string, Promise<ResourceList>>();

  public constructor(private readonly target: Target) {}

  /** @throws LocalError when the answer is neither 200 nor 404; @returns undefined for 404 */
  public async get<T>(path: string): Promise<T | undefined> {
    const answer = await ask(this.target, path);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new LocalError(`GET ${path}: ${messageOf(answer.body, answer.status)}`);
    return JSON.parse(answer.body) as T;
  }

  /** What a GET answers, as text; empty where it answers nothing of use. */
  public async text(path: string): Promise<string> {
    const answer = await ask(this.target, path).catch(() => undefined);
    return answer?.status === 200 ? answer.body : '';
  }

  /** Whether a GET answers 200; no answer is no. */
  public async answers(path: string): Promise<boolean> {
    const answer = await ask(this.target, path, { timeoutMs: 5_000 }).catch(() => undefined);
    return answer?.status === 200;
  }

  /** Server-side apply. Fields that others own are taken over: these objects are nobody else's. */
  public async apply(manifest: Manifest, subresource?: 'status'): Promise<void> {
    const object = await this.pathOf(manifest);
    const path = `${object}${subresource === undefined ? '' : `/${subresource}`}?fieldManager=${FIELD_MANAGER}&force=true`;
    const answer = await ask(this.target, path, {
      method: 'PATCH',
      contentType: 'application/apply-patch+yaml',
      body: JSON.stringify(manifest),
      timeoutMs: 30_000,
    });
    if (answer.status === 200 || answer.status === 201) return;
    throw new LocalError(
      `${manifest.kind} ${manifest.metadata.name} was refused: ${messageOf(answer.body, answer.status)}`,
    );
  }

  private async pathOf(manifest: Manifest): Promise<string> {
    const base = manifest.apiVersion.includes('/') ? `/apis/${manifest.apiVersion}` : `/api/${manifest.apiVersion}`;
    const list = this.kinds.get(base) ?? this.get<ResourceList>(base).then((found) => found ?? { resources: [] });
    this.kinds.set(base, list);
    const kind = (await list).resources.find(({ kind, name }) => kind === manifest.kind && !name.includes('/'));
    if (kind === undefined) throw new LocalError(`The cluster knows no ${manifest.apiVersion} ${manifest.kind}.`);
    const namespace = kind.namespaced ? `/namespaces/${manifest.metadata.namespace ?? 'default'}` : '';
    return `${base}${namespace}/${kind.name}/${manifest.metadata.name}`;
  }
}

/** The `message` of a Kubernetes Status, which names the field but shows no value of a Secret. */
function messageOf(body: string, status: number): string {
  try {
    return (JSON.parse(body) as { readonly message?: string }).message ?? `status ${status}`;
  } catch {
    return `status ${status}`;
  }
}
