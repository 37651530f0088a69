import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { startControlPlane } from '../../local/cluster';
import type { RunningControlPlane } from '../../local/cluster';
import { Client } from '../../local/plugins/kubernetes/client';
import { ApiError } from '../../local/plugins/kubernetes/errors';
import { connection } from '../../local/plugins/kubernetes/kubeconfig';
import type { KubeObject } from '../../local/plugins/kubernetes/objects';
import { silent } from '../../local/report';
import { withLock } from '../../local/system/lock';
import { executables, pathDirectories } from '../../local/system/which';
import { ensureTool } from '../../local/toolchain';
import type { ToolName } from '../../local/toolchain';

/** Names the folder of the API server that the files of one run share; jest's global setup makes it. */
export const SHARED = 'TRELLIS_TEST_API_SERVER';

/** etcd comes from the system's packages; everything else from the toolchain. */
export async function resolveTool(name: string): Promise<string> {
  const [found] = name === 'etcd' ? executables(name, pathDirectories([])) : [];
  return found ?? ensureTool(name as ToolName, silent);
}

export interface ApiServerOptions {
  /** Also run controller manager and scheduler; deletions of namespaces and owners need them. @default false */
  readonly controllers?: boolean;
  /** Also know the custom resources of the cluster on a new machine. @default false */
  readonly customResources?: boolean;
}

/** A throw-away API server with etcd on free loopback ports, without nodes. */
export class ApiServer {
  private constructor(
    private readonly dir: string,
    private readonly options: ApiServerOptions,
    private plane: RunningControlPlane,
    private readonly isShared = false,
  ) {}

  public static async start(options: ApiServerOptions = {}): Promise<ApiServer> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-api-'));
    return new ApiServer(dir, options, await startControlPlane({ dir, resolve: resolveTool, ...options }));
  }

  /**
   * One that all files of a run use which keep nothing in it, or each in a namespace of its own: without controllers, with custom resources.
   * The first that asks starts it; {@link destroy} leaves it to the others.
   */
  public static async shared(): Promise<ApiServer> {
    const dir = process.env[SHARED];
    if (dir === undefined)
      throw new TypeError('no folder for a shared API server: the tests run in jest’s project `engine`');
    const options = { customResources: true };
    const lock = { what: 'starts the shared API server', report: silent };
    return withLock(path.join(dir, 'start.lock'), lock, async () => {
      return new ApiServer(dir, options, await startControlPlane({ dir, resolve: resolveTool, ...options }), true);
    });
  }

  public get kubeconfig(): string {
    return this.plane.kubeconfig;
  }

  public get address(): string {
    return this.plane.server;
  }

  /** Ends the processes and keeps the data. */
  public async halt(): Promise<void> {
    await this.plane.stop();
  }

  /** Goes on where {@link halt} ended, on the same port. */
  public async resume(): Promise<void> {
    const { dir, options } = this;
    this.plane = await startControlPlane({ dir, resolve: resolveTool, ...options });
  }

  public async destroy(): Promise<void> {
    if (this.isShared) return;
    await this.plane.stop();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  /** One request with administrator's rights; a merge patch where there is a body and no other method is named. */
  public async call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT',
    url: string,
    body?: unknown,
  ): Promise<KubeObject> {
    const client = new Client(connection({ kubeconfig: this.kubeconfig }));
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    return client.json({ method, path: url, contentType, ...(body === undefined ? {} : { body }) });
  }

  /** Creates an object that another file may have made. */
  public async ensure(url: string, body: unknown): Promise<void> {
    await this.call('POST', url, body).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.code === 409)) throw error;
    });
  }

  /** What `kubectl edit` does; any other manager is one that does not yield. */
  public edit(url: string, change: unknown, manager = 'kubectl-edit'): Promise<KubeObject> {
    return this.call('PATCH', `${url}?fieldManager=${manager}`, change);
  }

  /** Whether an object exists. */
  public async has(url: string): Promise<boolean> {
    return this.call('GET', url).then(
      () => true,
      () => false,
    );
  }

  public async namespace(name: string): Promise<void> {
    await this.call('POST', '/api/v1/namespaces', { metadata: { name } });
  }
}
