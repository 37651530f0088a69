import { Size } from 'cdk8s';
import { RemovalPolicy } from '../../../components/release-options';
import type { DatabaseBackupOptions } from '../../../components/database-backup';
import { StatefulDatabase } from '../../../components/stateful-database';
import { fullDatabase, minimalDatabase } from '../../support/props';
import { find, newChart, releaseOptions } from '../../support/synth';

const build = (backup: DatabaseBackupOptions, removalPolicy = RemovalPolicy.RETAIN) => {
  const chart = newChart('noodle-core');
  new StatefulDatabase(chart, 'postgres', { ...minimalDatabase, backup, removalPolicy });
  const spec = find(chart, 'batch/v1/CronJob', 'postgres-backup').spec;
  return { chart, spec, job: spec.jobTemplate.spec, pod: spec.jobTemplate.spec.template.spec };
};
const env = (pod: ReturnType<typeof build>['pod'], name: string) =>
  pod.containers[0]?.env?.find((one) => one.name === name)?.value;

test('the schedule is in UTC, one dump at a time, bounded in every direction', () => {
  const { spec, job } = build({ schedule: '@daily' });
  expect(spec).toMatchObject({
    schedule: '@daily',
    timeZone: 'Etc/UTC',
    concurrencyPolicy: 'Forbid',
    startingDeadlineSeconds: 3600,
  });
  expect(job).toMatchObject({ backoffLimit: 2, activeDeadlineSeconds: 21_600, ttlSecondsAfterFinished: 259_200 });
});

test('defaults: seven dumps, as much room as the database has', () => {
  const { chart, pod } = build({ schedule: '@daily' });
  expect(env(pod, 'KEEP')).toBe('7');
  expect(find(chart, 'v1/PersistentVolumeClaim', 'postgres-backup').spec.resources).toEqual({
    requests: { storage: '10Gi' },
  });
});

test('every option reaches its object', () => {
  const chart = newChart();
  new StatefulDatabase(chart, 'postgres', fullDatabase);
  const { spec } = find(chart, 'batch/v1/CronJob', 'main-db-backup');
  expect(spec).toMatchObject({ schedule: '30 2 * * *', jobTemplate: { spec: { activeDeadlineSeconds: 7200 } } });
  expect(env(spec.jobTemplate.spec.template.spec, 'KEEP')).toBe('14');
  expect(find(chart, 'v1/PersistentVolumeClaim', 'main-db-backup').spec).toMatchObject({
    storageClassName: 'slow',
    resources: { requests: { storage: '40Gi' } },
  });
});

test('the pod is the database image with the password as a file', () => {
  const { pod } = build({ schedule: '@daily' });
  const [container] = pod.containers;
  expect(pod).toMatchObject({ restartPolicy: 'Never', securityContext: { runAsUser: 10070, fsGroup: 10070 } });
  expect(container?.image).toBe(minimalDatabase.engine.image);
  expect(env(pod, 'PASSWORD_FILE')).toBe('/run/secrets/postgres/password');
  expect(env(pod, 'PGHOST')).toBe('postgres-service.noodle-core.svc');
  expect(container?.env?.filter((one) => one.valueFrom !== undefined)).toEqual([]);
});

test('only the job and the database know each other', () => {
  const { chart } = build({ schedule: '@daily' });
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': 'noodle-core' } };
  const peer = (name: string) => ({
    namespaceSelector,
    podSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
  });
  const ports = [{ protocol: 'TCP', port: 5432 }];
  expect(find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'postgres').spec.ingress).toEqual([
    { from: [peer('postgres-backup')], ports },
  ]);
  const own = find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'postgres-backup').spec;
  expect(own.ingress).toBeUndefined();
  expect(own.egress).toContainEqual({ to: [peer('postgres')], ports });
});

test.each([RemovalPolicy.RETAIN, RemovalPolicy.DESTROY])('dumps follow the removal policy %s', (policy) => {
  const { chart } = build({ schedule: '@daily' }, policy);
  expect(releaseOptions(chart, 'PersistentVolumeClaim', 'postgres-backup').removalPolicy).toBe(policy);
});

test('nothing waits for a claim that binds with its first pod', () => {
  const { chart } = build({ schedule: '@daily', storage: Size.gibibytes(5) });
  expect(find(chart, 'v1/PersistentVolumeClaim', 'postgres-backup').metadata.annotations).toEqual({
    'pulumi.com/skipAwait': 'true',
  });
});
