import { Size } from 'cdk8s';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { CacheStore } from '../../../components/cache-store';
import { CacheTopology } from '../../../components/cache-topology';
import { RemovalPolicy } from '../../../components/release-options';
import { ServiceVolume } from '../../../components/service-volume';
import { fullCache, minimalBackup, minimalCache } from '../../support/props';
import { find, inventory, newChart, problemsOf } from '../../support/synth';

const drilled = { ...minimalBackup, drill: { schedule: '@weekly' } };
const password = 'correct-horse';
type Chart = ReturnType<typeof newChart>;
const podOf = (chart: Chart, name: string) => find(chart, 'batch/v1/CronJob', name).spec.jobTemplate.spec.template.spec;
const envOf = (chart: Chart, name: string) =>
  Object.fromEntries((podOf(chart, name).containers[0]?.env ?? []).map((one) => [one.name, one.value]));
const egress = (chart: Chart, name: string) =>
  (find(chart, 'networking.k8s.io/v1/NetworkPolicy', name).spec.egress ?? []).flatMap(({ to = [], ports = [] }) =>
    to.map(({ podSelector }) => [podSelector?.matchLabels?.['app.kubernetes.io/name'], ports[0]?.port]),
  );

describe('a cache', () => {
  test('is copied by a user of its own, whom the server is told to make', () => {
    const chart = newChart('shop');
    new CacheStore(chart, 'redis', { ...minimalCache, password, backup: drilled });
    const { env } = find(chart, 'apps/v1/StatefulSet', 'redis').spec.template.spec.containers[0] ?? {};
    expect(env).toContainEqual({ name: 'REDIS_BACKUP_USER', value: 'true' });
    expect(envOf(chart, 'redis-backup')).toMatchObject({
      BACKUP_KIND: 'redis',
      REDIS_HOST: 'redis-service.shop.svc',
      REDIS_PRIMARY_HOST: 'redis-service.shop.svc',
      REDIS_PASSWORD_FILE: '/run/secrets/redis/password',
    });
    expect(egress(chart, 'redis-backup')).toContainEqual(['redis', 6379]);
    expect(egress(chart, 'redis-drill').map(([name]) => name)).toEqual([undefined]);
  });

  test('has room and memory for a copy in its jobs', () => {
    const chart = newChart();
    new CacheStore(chart, 'redis', { ...minimalCache, password, maxMemory: Size.mebibytes(100), backup: drilled });
    const pod = podOf(chart, 'redis-backup');
    expect(pod.containers[0]?.resources?.limits).toMatchObject({ memory: '456Mi', 'ephemeral-storage': '520Mi' });
    expect(pod.volumes).toContainEqual({ name: 'scratch', emptyDir: { sizeLimit: '264Mi' } });
  });

  test('with replicas is read from one of them and brought back to the primary', () => {
    const chart = newChart('shop');
    const topology = CacheTopology.sentinel({ replicas: 2, sentinels: 3 });
    new CacheStore(chart, 'redis', {
      ...{ ...minimalCache, password, systemPassword: 'members-of-it', topology, backup: minimalBackup },
    });
    expect(envOf(chart, 'redis-backup')).toMatchObject({
      REDIS_HOST: 'redis-readonly-service.shop.svc',
      REDIS_PRIMARY_HOST: 'redis-service.shop.svc',
    });
    expect(egress(chart, 'redis-backup').filter(([name]) => name === 'redis-router')).toHaveLength(2);
  });

  test.each([
    ['without a password', { ...minimalCache, backup: minimalBackup }, /^backup needs a password of the clients/],
    ['of shards', { ...fullCache, topology: CacheTopology.cluster() }, /^backup is not for a cluster/],
    [
      'with a bad schedule',
      { ...minimalCache, password, backup: { ...minimalBackup, schedule: 'soon' } },
      /^backup.sch/,
    ],
  ])('%s is refused', (_what, props, expected) => {
    const found = problemsOf(() => new CacheStore(newChart(), 'redis', props));
    expect(found).toEqual([expect.stringMatching(expected)]);
  });
});

describe('a volume of a service', () => {
  const volume = { directory: '/data', size: Size.gibibytes(3), storageClass: 'fast', backup: drilled };
  const build = (one: ServiceVolume, minReplicas = 1): Chart => {
    const chart = newChart('shop');
    new AutoscaledService(chart, 'files', {
      ...{ image: 'registry.test/files:1', volume: one, minReplicas, maxReplicas: minReplicas, user: 20_001 },
    });
    return chart;
  };
  const affinity = (chart: Chart, name: string) =>
    podOf(chart, name).affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.map(
      ({ labelSelector }) => labelSelector?.matchLabels,
    );

  test('is read as its owner, on the node where it is, and not written to', () => {
    const chart = build(ServiceVolume.exclusive(volume));
    const pod = podOf(chart, 'files-backup');
    expect(pod.securityContext).toMatchObject({ runAsUser: 20_001, fsGroup: 20_001 });
    expect(pod.volumes).toContainEqual({ name: 'data', persistentVolumeClaim: { claimName: 'files-data' } });
    expect(pod.containers[0]?.volumeMounts).toContainEqual({ name: 'data', mountPath: '/data', readOnly: true });
    expect(JSON.stringify(affinity(chart, 'files-backup'))).toContain('"app.kubernetes.io/name":"files"');
    expect(affinity(chart, 'files-drill')).toBeUndefined();
  });

  test('of each pod is backed up where that pod is, under its name', () => {
    const chart = build(ServiceVolume.perReplica(volume), 2);
    for (const pod of ['files-0', 'files-1']) {
      expect(affinity(chart, `${pod}-backup`)).toEqual([{ 'statefulset.kubernetes.io/pod-name': pod }]);
      expect(podOf(chart, `${pod}-backup`).volumes).toContainEqual({
        name: 'data',
        persistentVolumeClaim: { claimName: `data-${pod}` },
      });
      expect(envOf(chart, `${pod}-backup`)).toMatchObject({ BACKUP_KIND: 'volume', BACKUP_NAME: pod });
      const { labels } = find(chart, 'batch/v1/CronJob', `${pod}-backup`).metadata;
      expect(labels).toMatchObject({ 'trellis.dev/backup-of': 'files', 'trellis.dev/backup-role': 'backup' });
    }
  });

  test('that any node may mount is backed up anywhere', () => {
    const chart = build(ServiceVolume.shared(volume), 2);
    expect(affinity(chart, 'files-backup')).toBeUndefined();
    expect(inventory(chart)).not.toContain('CronJob/files-0-backup');
  });

  test('and its archives are in the class of the volume, unless told otherwise', () => {
    const chart = build(ServiceVolume.oneNode({ ...volume, removalPolicy: RemovalPolicy.DESTROY }));
    expect(find(chart, 'v1/PersistentVolumeClaim', 'files-backup').spec).toMatchObject({
      storageClassName: 'fast',
      resources: { requests: { storage: '10Gi' } },
    });
  });

  test('with a bad backup is refused', () => {
    const bad = ServiceVolume.exclusive({ ...volume, backup: { ...minimalBackup, keep: 0 } });
    expect(problemsOf(() => build(bad))).toEqual([expect.stringMatching(/^volume.backup.keep must be a whole number/)]);
  });
});
