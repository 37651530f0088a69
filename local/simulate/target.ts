import * as fs from 'node:fs';
import * as path from 'node:path';
import { Api } from '../cluster/api';
import { answersOk, type Target } from '../cluster/https';
import { programsOf, type ClusterStatus } from '../cluster/status';
import type { Rehearsal } from './place';

/** The programs of a simulated cluster that is up, clients before servers. */
export const PROGRAMS = ['kwok', 'registry', 'kube-scheduler', 'kube-controller-manager', 'kube-apiserver', 'etcd'];

/** Where the simulated API server is; undefined where it was never started. */
function targetOf({ layout }: Rehearsal): Target | undefined {
  const file = path.join(layout.dir, 'ports.json');
  if (!fs.existsSync(file)) return undefined;
  const { api } = JSON.parse(fs.readFileSync(file, 'utf8')) as { readonly api: number };
  return {
    server: `https://127.0.0.1:${api}`,
    caFile: path.join(layout.pki, 'ca.crt'),
    client: { certFile: path.join(layout.pki, 'admin.crt'), keyFile: path.join(layout.pki, 'admin.key') },
  };
}

/** Whether an environment's simulated cluster runs, asked of its processes and of its API server. */
export async function rehearsalStatus(rehearsal: Rehearsal): Promise<ClusterStatus> {
  const programs = programsOf(rehearsal.layout, PROGRAMS);
  const target = targetOf(rehearsal);
  if (programs.every(({ pid }) => pid === undefined))
    return { state: target === undefined ? 'absent' : 'stopped', programs };
  const whole = programs.every(({ pid }) => pid !== undefined);
  const answers = target !== undefined && (await answersOk(target, '/readyz'));
  return { state: whole && answers ? 'running' : 'broken', programs };
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly namespace: string; readonly deletionTimestamp?: string };
    readonly status: {
      readonly conditions?: readonly {
        readonly type: string;
        readonly status: string;
        readonly reason?: string;
        readonly message?: string;
        readonly lastTransitionTime?: string;
      }[];
    };
  }[];
}

/**
 * Pods that no node takes, in the scheduler's own words. A real cluster may get another node; a simulated one never does.
 *
 * @param patience seconds for which a pod may wait: others end, volumes are made
 */
export async function unschedulable(
  rehearsal: Rehearsal,
  patience: number,
  now = Date.now(),
): Promise<readonly string[]> {
  const target = targetOf(rehearsal);
  if (target === undefined) return [];
  const pods = await new Api(target).get<PodList>('/api/v1/pods?fieldSelector=spec.nodeName%3D');
  return (pods?.items ?? []).flatMap(({ metadata, status }) => {
    const verdict = (status.conditions ?? []).find(({ type }) => type === 'PodScheduled');
    if (metadata.deletionTimestamp !== undefined || verdict?.status !== 'False') return [];
    const since = Date.parse(verdict.lastTransitionTime ?? '');
    if (verdict.reason !== 'Unschedulable' || !(now - since >= patience * 1000)) return [];
    return [`pod ${metadata.namespace}/${metadata.name}: ${verdict.message ?? 'no reason was given'}`];
  });
}
