import type { TreeObject } from '../../../../cli/gitops/waves';
import { isAwaited, systemsOf, wavesOf } from '../../../../cli/gitops/waves';

const object = (path: string, kind: string, dependsOn: readonly string[] = [], apiVersion = 'v1'): TreeObject => ({
  path,
  manifest: { apiVersion, kind, metadata: { name: path.replace('/', '-') } },
  dependsOn,
  ignoreChanges: [],
  kept: false,
});

const OBJECTS = [
  object('a/ns', 'Namespace'),
  object('a/secret', 'ExternalSecret', ['a/ns'], 'external-secrets.io/v1'),
  object('a/config', 'ConfigMap', ['a/ns']),
  object('a/claim', 'PersistentVolumeClaim', ['a/ns']),
  object('a/dumps', 'PersistentVolumeClaim', ['a/ns']),
  object('a/db', 'StatefulSet', ['a/claim', 'a/secret', 'a/config'], 'apps/v1'),
  object('a/backup', 'CronJob', ['a/dumps', 'a/secret'], 'batch/v1'),
  object('a/web', 'Deployment', ['a/db'], 'apps/v1'),
  object('a/scaler', 'HorizontalPodAutoscaler', ['a/ns'], 'autoscaling/v2'),
  object('b/web', 'Deployment', ['a/web'], 'apps/v1'),
];

test('an object comes after all that it needs is ready, and no later', () => {
  expect(Object.fromEntries(wavesOf(OBJECTS))).toEqual({
    'a/ns': 0,
    'a/secret': 0,
    'a/config': 0,
    // With the pods that use it, since it may be bound only then.
    'a/claim': 1,
    'a/db': 1,
    'a/backup': 1,
    'a/web': 2,
    // Nobody waits for these, and they may take long.
    'a/dumps': 2,
    'a/scaler': 2,
    // Each system counts for itself.
    'b/web': 0,
  });
});

test('systems come after those that they need', () => {
  expect([...systemsOf(OBJECTS)]).toEqual([
    ['a', []],
    ['b', ['a']],
  ]);
});

test.each([
  ['apps/v1', 'Deployment', true],
  ['batch/v1', 'Job', true],
  ['batch/v1', 'CronJob', false],
  ['bitnami.com/v1alpha1', 'SealedSecret', true],
  ['cert-manager.io/v1', 'Certificate', true],
  ['networking.k8s.io/v1', 'NetworkPolicy', false],
  ['gateway.networking.k8s.io/v1', 'HTTPRoute', false],
  ['v1', 'ConfigMap', false],
])('%s %s has a readiness of its own: %s', (apiVersion, kind, awaited) =>
  expect(isAwaited(object('a/x', kind, [], apiVersion))).toBe(awaited),
);
