import { persistentVolumeClaim } from '../../../../local/plugins/kubernetes/await/others';
import type { Cluster } from '../../../../local/plugins/kubernetes/cluster';
import { ApiError } from '../../../../local/plugins/kubernetes/errors';
import type { Gvk, KubeObject } from '../../../../local/plugins/kubernetes/objects';
import type { Session } from '../../../../local/plugins/kubernetes/session';
import { admitSize, adopts, mustBeAnew } from '../../../../local/plugins/kubernetes/volumes';
import type { Context } from '../../../../local/plugins/shared/provider';

const signal = new AbortController().signal;
const CLAIM: Gvk = { group: '', version: 'v1', kind: 'PersistentVolumeClaim' };
const context = { name: 'shop/postgres/Data-0', signal } as unknown as Context;

const claim = (size: string, status: KubeObject = {}, spec: KubeObject = {}): KubeObject => ({
  kind: 'PersistentVolumeClaim',
  metadata: { namespace: 'shop', name: 'data-postgres-0' },
  spec: { storageClassName: 'disk', volumeName: 'pv', resources: { requests: { storage: size } }, ...spec },
  status: { phase: 'Bound', capacity: { storage: size }, ...status },
});

/** What is said against a new size; nothing where it may be had. */
async function verdict(live: KubeObject, wanted: string, storageClass: () => KubeObject | undefined): Promise<string> {
  const get = (): Promise<KubeObject | undefined> => new Promise((resolve) => resolve(storageClass()));
  const session = { cluster: { get } as unknown as Cluster } as Session;
  return admitSize(session, context, live, claim(wanted)).then(
    () => 'admitted',
    (error: unknown) => (error as Error).message,
  );
}

describe('the size of a claim that has a volume', () => {
  const field = 'shop/postgres/Data-0: spec.resources.requests.storage';
  const named = 'PersistentVolumeClaim shop/data-postgres-0';
  const expands = (): KubeObject => ({ allowVolumeExpansion: true });
  const forbidden = (): never => {
    throw new ApiError(403, { message: 'may not read classes' });
  };

  test.each<[string, KubeObject, string, () => KubeObject | undefined, string]>([
    ['grows where its class expands', claim('2Gi'), '3Gi', expands, 'admitted'],
    ['stays, in another spelling', claim('2Gi'), '2048Mi', () => undefined, 'admitted'],
    [
      'never shrinks',
      claim('2Gi'),
      '1Gi',
      expands,
      `${field} must be at least 2Gi, got 1Gi: the volume of ${named} has that size, and a volume can't shrink`,
    ],
    [
      'gives up what it asked for and did not get',
      claim('9Gi', { capacity: { storage: '2Gi' } }),
      '3Gi',
      expands,
      'admitted',
    ],
    [
      'stays where its class does not expand',
      claim('2Gi'),
      '3Gi',
      () => ({}),
      `${field} must stay 2Gi, got 3Gi: StorageClass disk of ${named} can't expand volumes (allowVolumeExpansion)`,
    ],
    [
      'stays where its class is gone',
      claim('2Gi'),
      '3Gi',
      () => undefined,
      `${field} must stay 2Gi, got 3Gi: StorageClass disk of ${named} does not exist any more`,
    ],
    [
      'stays where it has no class',
      claim('2Gi', {}, { storageClassName: '' }),
      '3Gi',
      expands,
      `${field} must stay 2Gi, got 3Gi: ${named} has no StorageClass that could expand it`,
    ],
    ['is the API server’s matter where classes may not be read', claim('2Gi'), '3Gi', forbidden, 'admitted'],
  ])('%s', async (_, live, wanted, storageClass, expected) => {
    expect(await verdict(live, wanted, storageClass)).toBe(expected);
  });
});

describe('a claim without a volume', () => {
  const pending = claim('2Gi', { phase: 'Pending' }, { volumeName: undefined } as unknown as KubeObject);

  test('is made anew for another size, and for nothing else', () => {
    expect(mustBeAnew(CLAIM, pending, claim('1Gi'))).toBe(true);
    expect(mustBeAnew(CLAIM, pending, claim('2048Mi'))).toBe(false);
    expect(mustBeAnew(CLAIM, claim('2Gi'), claim('1Gi'))).toBe(false);
  });
});

describe('a claim that exists before its resource', () => {
  const adopting = { ...claim('2Gi'), metadata: { name: 'a', annotations: { 'trellis.dev/adopt': 'true' } } };
  const madeBy = (manager: string): KubeObject => ({
    ...claim('2Gi'),
    metadata: { name: 'a', managedFields: [{ manager, operation: 'Apply' }] },
  });

  test('is taken where the program says so and no other stack applied it', () => {
    expect(adopts(CLAIM, adopting, madeBy('kube-controller-manager'), 'pulumi-kubernetes-ours')).toBe(true);
    expect(adopts(CLAIM, adopting, madeBy('pulumi-kubernetes-ours'), 'pulumi-kubernetes-ours')).toBe(true);
    expect(adopts(CLAIM, adopting, madeBy('pulumi-kubernetes-theirs'), 'pulumi-kubernetes-ours')).toBe(false);
    expect(adopts(CLAIM, claim('2Gi'), madeBy('kube-controller-manager'), 'pulumi-kubernetes-ours')).toBe(false);
  });

  test('other kinds are never taken', () => {
    const secret = { group: '', version: 'v1', kind: 'Secret' };
    expect(adopts(secret, adopting, madeBy('kubectl'), 'pulumi-kubernetes-ours')).toBe(false);
  });
});

test.each<[string, KubeObject, string]>([
  ['still small', {}, 'waiting for the volume to grow from 1Gi to 2Gi'],
  ['as large as it asks for, in another spelling', { capacity: { storage: '2048Mi' } }, 'ready'],
  ['whose file system follows', { conditions: [{ type: 'FileSystemResizePending', status: 'True' }] }, 'ready'],
  [
    'that its driver can never grow',
    {
      allocatedResourceStatuses: { storage: 'ControllerResizeInfeasible' },
      conditions: [{ type: 'ControllerResizeError', status: 'True', message: 'no room in the pool' }],
    },
    "the volume can't grow: no room in the pool",
  ],
])('an update waits for a claim %s', async (_, status, expected) => {
  const live = claim('2Gi', { capacity: { storage: '1Gi' }, ...status });
  const found = await persistentVolumeClaim(live, { cluster: {} as Cluster, gvk: CLAIM, elapsed: 1, signal });
  expect(found.ready ? 'ready' : found.status).toBe(expected);
});
