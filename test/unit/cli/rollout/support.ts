import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import type { Site } from '../../../../cli/cluster/site';
import type { Workload } from '../../../../cli/rollout/workloads';
import type { PatchRequest } from '../../../../local';
import { workloadKeys } from '../../../../stacks/workload-keys';

export const NOW = Date.parse('2026-01-02T00:00:00Z');

/** A workload as its cluster has it. */
export function workload(changes: Partial<Workload> & { readonly spec?: object } = {}): Workload {
  const {
    kind = 'Deployment',
    namespace = 'noodle-core-dev',
    name = 'noodle-runtime',
    system = 'noodle-core',
  } = changes;
  const plural = kind === 'Deployment' ? 'deployments' : 'statefulsets';
  const live = {
    ...{ apiVersion: 'apps/v1', kind },
    metadata: { name, namespace, uid: `uid-${name}`, generation: 3, annotations: { a: 'b' } },
    spec: { replicas: 2, selector: { matchLabels: { app: name } }, ...changes.spec },
    status: { observedGeneration: 4, updateRevision: `${name}-2`, readyReplicas: 2 },
  } as unknown as Workload['live'];
  return {
    ...{ kind, namespace, name, system, live },
    path: `/apis/apps/v1/namespaces/${namespace}/${plural}/${name}`,
    keys: workloadKeys(system, name),
    ...changes,
  };
}

/** A template of one container. */
export const template = (
  container: object = {},
  annotations: Readonly<Record<string, string>> = {},
): V1PodTemplateSpec => ({
  metadata: { labels: { app: 'x' }, annotations },
  spec: { containers: [{ name: 'app', image: 'r/app:1', ...container }] },
});

/** A cluster that answers lists and objects by path, and keeps what is asked of it. Nothing is simulated beyond that. */
export class FakeAccess {
  public readonly patches: PatchRequest[] = [];
  public readonly removed: string[] = [];
  public readonly waited: object[] = [];

  public constructor(private readonly answers: Readonly<Record<string, unknown>> = {}) {}

  public get = (path: string): Promise<unknown> => Promise.resolve(this.answers[path.split('?')[0] ?? '']);
  public list = (path: string): Promise<unknown> => Promise.resolve(this.answers[path.split('?')[0] ?? ''] ?? []);
  public patch = (request: PatchRequest): Promise<unknown> => {
    this.patches.push(request);
    return Promise.resolve({ metadata: { generation: 4 } });
  };
  public remove = (path: string): Promise<void> => {
    this.removed.push(path);
    return Promise.resolve();
  };
  public rolledOut = (live: object): Promise<void> => {
    this.waited.push(live);
    return Promise.resolve();
  };

  public site(stack = 'dev'): Site {
    const deployment = {
      namespaces: ['noodle-core-dev', 'noa-server-dev'],
      outputs: {},
      updated: undefined,
      resources: 1,
    };
    return { stack, rehearsal: undefined, access: this as unknown as Site['access'], deployment };
  }
}
