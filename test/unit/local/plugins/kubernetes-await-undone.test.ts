import { untilReady } from '../../../../local/plugins/kubernetes/await';
import type { Cluster } from '../../../../local/plugins/kubernetes/cluster';
import type { KubeObject } from '../../../../local/plugins/kubernetes/objects';

const GVK = { group: 'apps', version: 'v1', kind: 'Deployment' };

/** A Deployment whose roll-out was judged to be too late at some time, and whose controller has seen its second generation. */
const late = (lastUpdateTime: string, generation = 2): KubeObject => ({
  ...{ kind: 'Deployment', metadata: { name: 'web', generation }, spec: { replicas: 3 } },
  status: {
    ...{ observedGeneration: 2, replicas: 4, updatedReplicas: 3, availableReplicas: 3 },
    conditions: [
      { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'late', lastUpdateTime },
    ],
  },
});

/** Waits a moment. @param answer of the API server to the change @param then as the object is from then on */
function wait(answer: KubeObject, then: KubeObject): Promise<unknown> {
  const cluster = { list: () => Promise.resolve([]), get: () => Promise.resolve(then) } as unknown as Cluster;
  const { signal } = new AbortController();
  return untilReady({ cluster, gvk: GVK, inputs: answer, live: answer, timeout: 0.3, signal, status: () => undefined });
}

describe('a Deployment whose failed roll-out is undone', () => {
  const undone = late('2026-01-01T10:00:00Z', 3);

  test('is waited for, whatever was judged of the template before', async () => {
    await expect(wait(undone, late('2026-01-01T10:00:00Z'))).rejects.toThrow('1 old replicas to end after');
  });

  test('has failed when it is judged anew', async () => {
    await expect(wait(undone, late('2026-01-01T10:05:00Z'))).rejects.toThrow('ProgressDeadlineExceeded: late');
  });

  test('has failed where nothing was changed that its controller had not seen', async () => {
    const same = late('2026-01-01T10:00:00Z');
    await expect(wait(same, same)).rejects.toThrow('ProgressDeadlineExceeded: late');
  });
});
