import type { V2HorizontalPodAutoscaler } from '@kubernetes/client-node';
import { afterScale } from '../../../../cli/rollout/drift';
import { carryOut, scalePlan, sceneOf, type ScaleScene } from '../../../../cli/rollout/scale';
import { BY_HAND } from '../../../../cli/rollout/workloads';
import { podCount } from '../../../../cli/verbs/scale';
import { FakeAccess, workload } from './support';

const scaler = {
  metadata: { name: 'noodle-runtime' },
  spec: { minReplicas: 1, maxReplicas: 4, scaleTargetRef: { kind: 'Deployment', name: 'noodle-runtime' } },
} as V2HorizontalPodAutoscaler;
const scene = (changes: Partial<ScaleScene> = {}): ScaleScene => ({
  ...{ stack: 'dev', workload: workload(), scaler: undefined, claims: [] },
  ...changes,
});
const HPA = '/apis/autoscaling/v2/namespaces/noodle-core-dev/horizontalpodautoscalers/noodle-runtime';
const DEPLOYMENT = '/apis/apps/v1/namespaces/noodle-core-dev/deployments/noodle-runtime';

describe('where an autoscaler owns the number', () => {
  test('its minimum is set, and the pods come at once', () => {
    const { writes, what } = scalePlan(scene({ scaler }), 3);
    expect(writes).toEqual([
      { path: HPA, body: { spec: { minReplicas: 3 } } },
      { path: `${DEPLOYMENT}/scale`, body: { spec: { replicas: 3 } } },
    ]);
    expect(what).toContain('belongs to its autoscaler: it keeps 3 to 4 now, before 1 to 4');
  });

  test('fewer than there are is left to it', () => {
    expect(scalePlan(scene({ scaler }), 1).writes).toEqual([{ path: HPA, body: { spec: { minReplicas: 1 } } }]);
  });

  test('none at all is its rest, and a number ends that', () => {
    expect(scalePlan(scene({ scaler }), 0)).toMatchObject({
      writes: [{ path: `${DEPLOYMENT}/scale`, body: { spec: { replicas: 0 } } }],
      what: expect.stringContaining('rests while there is none') as string,
    });
    const resting = scene({ scaler, workload: workload({ spec: { replicas: 0 } }) });
    expect(scalePlan(resting, 1).writes).toHaveLength(2);
  });

  test('more than its maximum is refused with the key', () => {
    expect(() => scalePlan(scene({ scaler }), 5)).toThrow(
      /goes up to 4; .*\n {2}To mend it: trellis:noodleCore.runtime.maxReplicas in Pulumi.dev.yaml, then .\/trellis up -s dev/,
    );
  });
});

test('a fixed number is set in the object itself, so that an update takes it back', () => {
  const fixed = workload({ name: 'agentic-os', namespace: 'noa-server-dev', system: 'noa-server' });
  const { writes, what } = scalePlan(scene({ workload: fixed }), 3);
  expect(writes).toEqual([{ path: fixed.path, body: { spec: { replicas: 3 } } }]);
  expect(what).toContain('has 3 pods now, before 2; the definition sets the number');
});

describe('a StatefulSet with volumes', () => {
  const postgres = workload({
    ...{ kind: 'StatefulSet', name: 'postgres' },
    spec: { replicas: 1, volumeClaimTemplates: [{ metadata: { name: 'data' } }] },
  });
  const claims = ['data-postgres-0', 'data-postgres-2', 'data-redis-1'];

  test('gets no more pods than it has volumes without a gap', () => {
    expect(() => scalePlan(scene({ workload: postgres, claims }), 2)).toThrow(
      'keeps data and has volumes for 1: more servers come from trellis:noodleCore.postgres.readReplicas in Pulumi.dev.yaml',
    );
  });

  test('may be ended, and started again', () => {
    for (const count of [0, 1]) expect(scalePlan(scene({ workload: postgres, claims }), count).writes).toHaveLength(1);
  });
});

test('the scene is asked of the cluster: the autoscaler of exactly this workload, and the claims', async () => {
  const other = {
    ...scaler,
    spec: { ...scaler.spec, scaleTargetRef: { kind: 'StatefulSet', name: 'noodle-runtime' } },
  };
  const access = new FakeAccess({
    [HPA.replace(/\/[^/]+$/, '')]: [other, scaler],
    '/api/v1/namespaces/noodle-core-dev/persistentvolumeclaims': [{ metadata: { name: 'data-postgres-0' } }],
  });
  const found = await sceneOf(access.site(), workload());
  expect(found.scaler).toBe(scaler);
  expect(found.claims).toEqual(['data-postgres-0']);
});

test('is written as a person’s edit, the bounds before the number', async () => {
  const access = new FakeAccess();
  await carryOut(access.site(), scalePlan(scene({ scaler }), 3));
  expect(access.patches.map(({ path, manager }) => [path, manager])).toEqual([
    [HPA, BY_HAND],
    [`${DEPLOYMENT}/scale`, BY_HAND],
  ]);
  expect(BY_HAND).toMatch(/^kubectl/);
});

test('what follows names the key that makes it last, and what undoes it', () => {
  const text = afterScale(new FakeAccess().site('prod'), workload(), 'Two now.', 2);
  expect(text).toContain('./trellis up --refresh -s prod');
  expect(text).toContain('trellis:noodleCore.runtime.minReplicas in Pulumi.prod.yaml');
  expect(text).toContain('  pulumi config set --path trellis:noodleCore.runtime.minReplicas 2 -s prod\n');
  expect(afterScale(new FakeAccess().site(), workload(), 'None now.', 0)).not.toContain('config set');
});

test.each(['-1', '1.5', 'two', '10000', ''])('%j is no number of pods', (text) =>
  expect(() => podCount(text)).toThrow(`The number of pods is a whole number from 0 to 9999, got '${text}'.`),
);
