import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Job, V2HorizontalPodAutoscaler } from '@kubernetes/client-node';
import { clusterInfo, isLocalStack } from '../../local/index';
import type { Site } from '../cluster/site';
import { stackStatus } from '../cluster/stack-status';
import { edgeFindings, type Edge } from './edge';
import { frontsOf } from './fronts';
import { jobsFinding, podsFinding, scalerFinding } from './objects';
import { failures, type Finding } from './result';

const LOOK_MS = 2_000;

/** The way to public addresses: this machine's ingress for the local cluster, else the Internet's. */
function edgeOf(stack: string): Edge {
  const info = isLocalStack(stack, process.env) ? clusterInfo() : undefined;
  if (info === undefined) return { httpsPort: 443, httpPort: 80 };
  const { httpsPort, httpPort, caFile } = info;
  return { httpsPort, httpPort, caFile, address: '127.0.0.1' };
}

const SIMULATED: Finding = {
  title: 'addresses, back ends, autoscalers',
  ok: true,
  skipped: true,
  detail: 'not looked at: the pods are simulated, so nothing answers and nothing is measured',
};

/** One look at everything. */
async function look(site: Site): Promise<readonly Finding[]> {
  const { access, deployment, stack, rehearsal } = site;
  const all = async <T>(list: (namespace: string) => Promise<readonly T[]>): Promise<readonly T[]> =>
    (await Promise.all(deployment.namespaces.map(list))).flat();
  const status = await stackStatus({ stack, ...(rehearsal === undefined ? {} : { rehearsal }) });
  const jobs = await all((namespace) => access.list<V1Job>(`/apis/batch/v1/namespaces/${namespace}/jobs`));
  const common = [podsFinding(status), jobsFinding(jobs)];
  if (rehearsal !== undefined) return [...common, SIMULATED];
  const scalers = await all((namespace) =>
    access.list<V2HorizontalPodAutoscaler>(`/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`),
  );
  const fronts = await all((namespace) => frontsOf(access, namespace));
  return [...common, ...(await edgeFindings(fronts, edgeOf(stack))), ...scalers.map(scalerFinding)];
}

export interface VerifyQuery {
  /** Looks again until nothing fails, for so long. @default 0 */
  readonly waitMs?: number;
  readonly progress?: (line: string) => void;
}

/** The smoke test: whether what was deployed does what it is for, as seen from outside. */
export async function findings(site: Site, { waitMs = 0, progress }: VerifyQuery = {}): Promise<readonly Finding[]> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const found = await look(site);
    const failed = failures(found);
    if (failed.length === 0 || Date.now() >= deadline) return found;
    progress?.(failed.map(({ title, detail }) => `${title}: ${detail}`).join('; '));
    await sleep(LOOK_MS);
  }
}
