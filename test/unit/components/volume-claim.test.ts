import { App, Duration, Size } from 'cdk8s';
import * as pulumi from '@pulumi/pulumi';
import { render } from '../../../bridge/render';
import { LateTokens } from '../../../components/late';
import { totalsOf } from '../../../components/namespace-quota';
import { RemovalPolicy } from '../../../components/release-options';
import { StatefulDatabase } from '../../../components/stateful-database';
import type { StatefulWorkloadOptions } from '../../../components/stateful-workload';
import { statefulWorkload } from '../../../components/stateful-workload';
import type { VolumeClaim } from '../../../components/volume-claim';
import { volumeClaim } from '../../../components/volume-claim';
import { fullDatabase, minimalDatabase } from '../../support/props';
import { find, inventory, newChart, objectsOf, releaseOptions } from '../../support/synth';

const selector = { 'app.kubernetes.io/name': 'queue' };
const five: VolumeClaim = { size: Size.gibibytes(5) };
const workload = (options: Partial<StatefulWorkloadOptions> = {}, claim: VolumeClaim | null = five) => {
  const chart = newChart('shop');
  statefulWorkload(chart, {
    name: 'queue',
    selector,
    labels: { 'example.com/team': 'data' },
    port: { name: 'amqp', port: 5672 },
    pod: {
      containers: [{ name: 'queue', image: 'registry.test/queue', ports: [{ name: 'amqp', containerPort: 5672 }] }],
    },
    removalPolicy: RemovalPolicy.RETAIN,
    startupDeadline: Duration.minutes(1),
    ...(claim === null ? {} : { claim }),
    ...options,
  });
  return chart;
};
const claims = (chart: ReturnType<typeof workload>) =>
  inventory(chart).filter((name) => name.startsWith('PersistentVolumeClaim/'));

describe('claims of a stateful workload', () => {
  test('one a replica, by the names that its StatefulSet looks for', () => {
    expect(claims(workload({ replicas: 3 }))).toEqual([
      'PersistentVolumeClaim/data-queue-0',
      'PersistentVolumeClaim/data-queue-1',
      'PersistentVolumeClaim/data-queue-2',
    ]);
  });

  test('none where nothing is kept', () => {
    const chart = workload({}, null);
    expect(claims(chart)).toEqual([]);
    expect(find(chart, 'apps/v1/StatefulSet', 'queue').spec.volumeClaimTemplates).toBeUndefined();
  });

  test('each is what the template asks for, and takes over what is there', () => {
    const chart = workload({ claim: { size: Size.gibibytes(5), storageClass: 'fast' } });
    const claim = find(chart, 'v1/PersistentVolumeClaim', 'data-queue-0');
    expect(claim.spec).toEqual(find(chart, 'apps/v1/StatefulSet', 'queue').spec.volumeClaimTemplates?.[0]?.spec);
    expect(claim.spec).toEqual({
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '5Gi' } },
    });
    expect(claim.metadata).toMatchObject({
      labels: selector,
      annotations: { 'trellis.dev/adopt': 'true', 'pulumi.com/patchForce': 'true' },
    });
  });

  test('they are there before the StatefulSet', () => {
    const objects = render(App.of(workload({ replicas: 2 })));
    const server = objects.find(({ kind }) => kind === 'StatefulSet');
    expect(server?.dependsOn).toEqual(expect.arrayContaining(['test/Data-0', 'test/Data-1']));
  });

  test('they stay where data is retained, and the StatefulSet never does: an engine could not replace it', () => {
    const chart = workload();
    expect(releaseOptions(chart, 'PersistentVolumeClaim', 'data-queue-0').removalPolicy).toBe(RemovalPolicy.RETAIN);
    expect(releaseOptions(chart, 'StatefulSet', 'queue').removalPolicy).toBe(RemovalPolicy.DESTROY);
  });

  test('no StatefulSet takes its claims along, since it is made anew for another size', () => {
    for (const removalPolicy of [RemovalPolicy.RETAIN, RemovalPolicy.DESTROY]) {
      expect(
        find(workload({ removalPolicy }), 'apps/v1/StatefulSet', 'queue').spec.persistentVolumeClaimRetentionPolicy,
      ).toEqual({ whenDeleted: 'Retain', whenScaled: 'Retain' });
    }
  });

  test('a quota counts each once, by its own object or by the template', () => {
    const objects = objectsOf(workload({ replicas: 2 })) as Parameters<typeof totalsOf>[0];
    const both = { persistentvolumeclaims: 2, 'requests.storage': 10 * 2 ** 30 };
    expect(totalsOf(objects)).toMatchObject(both);
    expect(totalsOf(objects.filter(({ kind }) => kind === 'StatefulSet'))).toMatchObject(both);
  });
});

test('a class may be late, and a later change of it never replaces the volume', () => {
  const chart = newChart('shop');
  const storageClass = pulumi.output('fast');
  volumeClaim(chart, 'Volume', {
    name: 'files',
    labels: selector,
    claim: { size: Size.mebibytes(1536), storageClass },
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const { spec, metadata } = find(chart, 'v1/PersistentVolumeClaim', 'files');
  expect(LateTokens.of(chart).lookup(spec.storageClassName ?? '')?.value).toBe(storageClass);
  expect(spec.resources?.requests).toEqual({ storage: '1536Mi' });
  expect(metadata.annotations).toBeUndefined();
  expect(releaseOptions(chart, 'PersistentVolumeClaim', 'files')).toMatchObject({
    removalPolicy: RemovalPolicy.DESTROY,
    ignoreChanges: ['spec.storageClassName'],
  });
});

test('a database of another size has the same pod and the same settings, so that it grows without a restart', () => {
  const build = (gibibytes: number) => {
    const chart = newChart('shop');
    new StatefulDatabase(chart, 'postgres', { ...minimalDatabase, storage: Size.gibibytes(gibibytes) });
    return {
      pod: find(chart, 'apps/v1/StatefulSet', 'postgres').spec.template,
      settings: find(chart, 'v1/ConfigMap', 'postgres-config').data,
      claim: find(chart, 'v1/PersistentVolumeClaim', 'data-postgres-0').spec.resources?.requests,
    };
  };
  const [small, large] = [build(2), build(400)];
  expect({ ...large, claim: undefined }).toEqual({ ...small, claim: undefined });
  expect([small.claim, large.claim]).toEqual([{ storage: '2Gi' }, { storage: '400Gi' }]);
});

test('a backup’s claim may grow too, and nothing waits for it', () => {
  const chart = newChart('shop');
  new StatefulDatabase(chart, 'postgres', fullDatabase);
  const claim = find(chart, 'v1/PersistentVolumeClaim', 'main-db-backup');
  expect(claim.metadata.annotations).toEqual({ 'pulumi.com/skipAwait': 'true' });
  expect(claim.spec).toMatchObject({ storageClassName: 'slow', resources: { requests: { storage: '40Gi' } } });
  expect(releaseOptions(chart, 'PersistentVolumeClaim', 'main-db-backup').ignoreChanges).toEqual([
    'spec.storageClassName',
  ]);
});
