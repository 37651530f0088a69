import { Size } from 'cdk8s';
import { BackupStatus } from '../../../components/backup-status';
import { BackupTarget } from '../../../components/backup-target';
import type { DatabaseBackupOptions } from '../../../components/database-backup';
import { totalsOf } from '../../../components/namespace-quota';
import { LateTokens } from '../../../components/late';
import { RemovalPolicy } from '../../../components/release-options';
import { StatefulDatabase } from '../../../components/stateful-database';
import { fullDatabase, minimalBackup, minimalDatabase } from '../../support/props';
import { find, inventory, newChart, objectsOf, problemsOf, releaseOptions } from '../../support/synth';

const drilled = { ...minimalBackup, drill: { schedule: '@weekly' } };
const build = (backup: DatabaseBackupOptions, removalPolicy = RemovalPolicy.RETAIN) => {
  const chart = newChart('noodle-core');
  new StatefulDatabase(chart, 'postgres', { ...minimalDatabase, backup, removalPolicy });
  const spec = find(chart, 'batch/v1/CronJob', 'postgres-backup').spec;
  return { chart, spec, job: spec.jobTemplate.spec, pod: spec.jobTemplate.spec.template.spec };
};
type Pod = ReturnType<typeof build>['pod'];
const variable = (pod: Pod, name: string) => pod.containers[0]?.env?.find((one) => one.name === name);
const env = (pod: Pod, name: string) => variable(pod, name)?.value;
const drillOf = (chart: ReturnType<typeof newChart>, name = 'postgres-drill') =>
  find(chart, 'batch/v1/CronJob', name).spec;
const policy = (chart: ReturnType<typeof newChart>, name: string) =>
  find(chart, 'networking.k8s.io/v1/NetworkPolicy', name).spec;
const peer = (name: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'noodle-core' } },
  podSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
});

test('the schedule is in UTC, one dump at a time, bounded in every direction', () => {
  const { spec, job } = build(minimalBackup);
  expect(spec).toMatchObject({
    schedule: '@daily',
    timeZone: 'Etc/UTC',
    concurrencyPolicy: 'Forbid',
    startingDeadlineSeconds: 3600,
  });
  expect(job).toMatchObject({ backoffLimit: 2, activeDeadlineSeconds: 21_600, ttlSecondsAfterFinished: 259_200 });
});

test('what no second try mends is not tried again', () => {
  expect(build(minimalBackup).job.podFailurePolicy?.rules).toEqual([
    { action: 'FailJob', onExitCodes: { operator: 'In', values: [78] } },
  ]);
});

test('defaults: seven archives of at most thirty days, and no drill', () => {
  const { chart, pod } = build(minimalBackup);
  expect(env(pod, 'BACKUP_KEEP')).toBe('7');
  expect(env(pod, 'BACKUP_MAX_AGE_DAYS')).toBe('30');
  expect(env(pod, 'BACKUP_STATUS_ADDRESS')).toBeUndefined();
  expect(find(chart, 'v1/PersistentVolumeClaim', 'postgres-backup').spec.resources).toEqual({
    requests: { storage: '10Gi' },
  });
  expect(inventory(chart)).not.toContain('CronJob/postgres-drill');
});

test('every option reaches its object', () => {
  const chart = newChart();
  new StatefulDatabase(chart, 'postgres', fullDatabase);
  const { spec } = find(chart, 'batch/v1/CronJob', 'main-db-backup');
  expect(spec).toMatchObject({ schedule: '30 2 * * *', jobTemplate: { spec: { activeDeadlineSeconds: 7200 } } });
  const pod = spec.jobTemplate.spec.template.spec;
  expect(env(pod, 'BACKUP_KEEP')).toBe('14');
  expect(env(pod, 'BACKUP_MAX_AGE_DAYS')).toBe('60');
  expect(pod.containers[0]?.resources?.limits).toMatchObject({ cpu: '500m', memory: '1Gi' });
  expect(find(chart, 'v1/PersistentVolumeClaim', 'main-db-backup').spec).toMatchObject({
    storageClassName: 'slow',
    resources: { requests: { storage: '40Gi' } },
  });
  const drill = drillOf(chart, 'main-db-drill');
  expect(drill).toMatchObject({ schedule: '@weekly', jobTemplate: { spec: { activeDeadlineSeconds: 10_800 } } });
  const scratch = drill.jobTemplate.spec.template.spec.volumes?.find(({ name }) => name === 'scratch');
  expect(scratch?.ephemeral?.volumeClaimTemplate?.spec).toMatchObject({
    storageClassName: 'scratch',
    resources: { requests: { storage: '60Gi' } },
  });
});

test.each(['image', 'encryptionKey', 'target'] as const)('without %s it is refused', (prop) => {
  const backup = { ...minimalBackup, [prop]: undefined } as unknown as DatabaseBackupOptions;
  const found = problemsOf(() => new StatefulDatabase(newChart(), 'postgres', { ...minimalDatabase, backup }));
  expect(found).toEqual([`backup.${prop} is required, save with an operator`]);
});

test('the pod has key and URL as files, and neither in its environment', () => {
  const { chart, pod } = build(minimalBackup);
  const [container] = pod.containers;
  expect(pod).toMatchObject({ restartPolicy: 'Never', securityContext: { runAsUser: 10_076, fsGroup: 10_076 } });
  expect(container?.image).toBe(minimalBackup.image);
  expect(container?.command).toBeUndefined();
  expect(container?.args).toBeUndefined();
  expect(env(pod, 'DATABASE_URL_FILE')).toBe('/run/secrets/database-url/url');
  expect(env(pod, 'BACKUP_KEY_FILE')).toBe('/run/secrets/backup-key/key');
  expect(container?.env?.filter((one) => one.valueFrom !== undefined)).toEqual([]);
  expect(pod.volumes).toContainEqual({
    name: 'url',
    secret: { secretName: 'postgres-secret', defaultMode: 0o440, items: [{ key: 'DATABASE_URL', path: 'url' }] },
  });
  const { stringData } = find(chart, 'v1/Secret', 'postgres-backup-key') as unknown as {
    stringData: Record<string, string>;
  };
  expect(LateTokens.of(chart).lookup(stringData['BACKUP_KEY'] ?? '')).toMatchObject({
    value: minimalBackup.encryptionKey,
    secret: true,
  });
  expect(JSON.stringify(objectsOf(chart))).not.toContain('canary-key');
});

test('only the job and the database know each other, and a drill knows neither', () => {
  const { chart } = build(drilled);
  const ports = [{ protocol: 'TCP', port: 5432 }];
  expect(policy(chart, 'postgres').ingress).toEqual([{ from: [peer('postgres-backup')], ports }]);
  const own = policy(chart, 'postgres-backup');
  expect(own.ingress).toBeUndefined();
  expect(own.egress).toContainEqual({ to: [peer('postgres')], ports });
  const drill = policy(chart, 'postgres-drill');
  expect(drill.ingress).toBeUndefined();
  expect(drill.egress?.flatMap(({ ports: all }) => all?.map(({ port }) => port))).toEqual([53, 53]);
});

test('a drill has no secret but the key, reads the archives alone, and writes to a volume that goes with it', () => {
  const { chart } = build(drilled);
  const { spec } = drillOf(chart).jobTemplate.spec.template;
  const secrets = spec.volumes?.flatMap(({ secret }) => (secret === undefined ? [] : [secret.secretName]));
  expect(secrets).toEqual(['postgres-backup-key']);
  expect(env(spec, 'DATABASE_URL_FILE')).toBeUndefined();
  expect(spec.containers[0]?.volumeMounts).toContainEqual({ name: 'archives', mountPath: '/backup', readOnly: true });
  const scratch = spec.volumes?.find(({ name }) => name === 'scratch');
  expect(scratch?.ephemeral?.volumeClaimTemplate?.spec.resources).toEqual({ requests: { storage: '10Gi' } });
});

test('the volume of a drill is part of the quota', () => {
  const { chart } = build(drilled);
  const cron = find(chart, 'batch/v1/CronJob', 'postgres-drill');
  expect(totalsOf([cron])).toMatchObject({ pods: 1, persistentvolumeclaims: 1, 'requests.storage': 10 * 1024 ** 3 });
});

test('with object storage there is no volume, and nothing but its port is open', () => {
  const target = BackupTarget.objectStorage({
    endpoint: 'https://s3.example.com:9000',
    bucket: 'backups',
    prefix: 'noodle/prod',
    region: 'eu-central-1',
    credentialsSecretName: 'bucket-credentials',
    cidr: '10.1.0.0/16',
    pathStyle: false,
    authority: { secretName: 'own-authority', key: 'root.pem' },
  });
  const { chart, pod } = build({ ...drilled, target });
  expect(inventory(chart)).not.toContain('PersistentVolumeClaim/postgres-backup');
  expect(env(pod, 'BACKUP_REMOTE')).toBe('target:backups/noodle/prod');
  expect(env(pod, 'RCLONE_CONFIG_TARGET_ENDPOINT')).toBe('https://s3.example.com:9000');
  expect(env(pod, 'RCLONE_CONFIG_TARGET_FORCE_PATH_STYLE')).toBe('false');
  expect(variable(pod, 'RCLONE_CONFIG_TARGET_SECRET_ACCESS_KEY')?.valueFrom).toEqual({
    secretKeyRef: { name: 'bucket-credentials', key: 'SECRET_ACCESS_KEY' },
  });
  for (const name of ['postgres-backup', 'postgres-drill']) {
    const job = find(chart, 'batch/v1/CronJob', name).spec.jobTemplate.spec.template.spec;
    const { secret } = job.volumes?.find((one) => one.name === 'authority') ?? {};
    expect(secret).toMatchObject({ secretName: 'own-authority', items: [{ key: 'root.pem', path: 'ca.crt' }] });
    const mount = job.containers[0]?.volumeMounts?.find((one) => one.name === 'authority');
    expect(env(job, 'RCLONE_CA_CERT')).toBe(`${mount?.mountPath}/ca.crt`);
  }
  const edge = { to: [{ ipBlock: { cidr: '10.1.0.0/16' } }], ports: [{ protocol: 'TCP', port: 9000 }] };
  expect(policy(chart, 'postgres-backup').egress).toContainEqual(edge);
  expect(policy(chart, 'postgres-drill').egress).toContainEqual(edge);
});

test.each([
  ['https://s3.example.com', 443],
  ['http://minio.storage', 80],
])('%s is reached on port %d, and on the host’s default settings', (endpoint, port) => {
  const target = BackupTarget.objectStorage({ endpoint, bucket: 'backups', credentialsSecretName: 'bucket' });
  const { chart, pod } = build({ ...minimalBackup, target });
  expect(policy(chart, 'postgres-backup').egress).toContainEqual({
    to: [{ ipBlock: { cidr: '0.0.0.0/0' } }],
    ports: [{ protocol: 'TCP', port }],
  });
  expect(env(pod, 'BACKUP_REMOTE')).toBe('target:backups');
  expect(env(pod, 'RCLONE_CONFIG_TARGET_REGION')).toBe('us-east-1');
  expect(variable(pod, 'RCLONE_CA_CERT')).toBeUndefined();
});

const storage = { endpoint: 'https://s3.example.com', bucket: 'backups', credentialsSecretName: 'bucket' };
test.each([
  ['an endpoint without a protocol', { endpoint: 's3.example.com' }, /^backup.target.endpoint must be an address/],
  ['an endpoint with a path', { endpoint: 'https://s3.example.com/x' }, /^backup.target.endpoint must be an address/],
  ['a bucket in capitals', { bucket: 'Backups' }, /^backup.target.bucket must be the name of a bucket/],
  ['a prefix that begins with a slash', { prefix: '/a' }, /^backup.target.prefix must be folders/],
  ['a region with a blank', { region: 'eu central' }, /^backup.target.region must be a name/],
  ['a Secret in capitals', { credentialsSecretName: 'Bucket' }, /^backup.target.credentialsSecretName must be/],
  [
    'an authority without a name',
    { authority: { secretName: 'A_B', key: 'ca.crt' } },
    /^backup.target.authority.secretName must be/,
  ],
  [
    'an authority for plain http',
    { endpoint: 'http://minio', authority: { secretName: 'own', key: 'ca.crt' } },
    /^backup.target.authority is for an https address, and backup.target.endpoint is 'http:\/\/minio'/,
  ],
  ['a range that is none', { cidr: '10.0.0.0' }, /^backup.target.cidr must be a CIDR block/],
])('%s is refused', (_what, changes, expected) => {
  const target = BackupTarget.objectStorage({ ...storage, ...changes });
  const props = { ...minimalDatabase, backup: { ...minimalBackup, target } };
  const found = problemsOf(() => new StatefulDatabase(newChart(), 'postgres', props));
  expect(found).toEqual([expect.stringMatching(expected)]);
});

test('jobs report to the status where there is one, and it lets in both and nobody else', () => {
  const chart = newChart('noodle-core');
  const status = new BackupStatus(chart, 'backup-status', { image: 'registry.test/pushgateway:1' });
  new StatefulDatabase(chart, 'postgres', { ...minimalDatabase, backup: { ...drilled, status } });
  const pod = find(chart, 'batch/v1/CronJob', 'postgres-backup').spec.jobTemplate.spec.template.spec;
  expect(env(pod, 'BACKUP_STATUS_ADDRESS')).toBe('backup-status-service.noodle-core.svc:9091');
  const ports = [{ protocol: 'TCP', port: 9091 }];
  expect(policy(chart, 'backup-status').ingress).toEqual([
    { from: [peer('postgres-backup'), peer('postgres-drill')], ports },
  ]);
  expect(policy(chart, 'postgres-drill').egress).toContainEqual({ to: [peer('backup-status')], ports });
});

test.each([RemovalPolicy.RETAIN, RemovalPolicy.DESTROY])('archives and their key follow the policy %s', (kept) => {
  const { chart } = build(minimalBackup, kept);
  expect(releaseOptions(chart, 'PersistentVolumeClaim', 'postgres-backup').removalPolicy).toBe(kept);
  expect(releaseOptions(chart, 'Secret', 'postgres-backup-key').removalPolicy).toBe(kept);
});

test('an upgrade takes over what an earlier version made', () => {
  const { chart } = build(minimalBackup);
  const before = (kind: string): readonly string[] | undefined =>
    releaseOptions(chart, kind, 'postgres-backup').aliases;
  expect(before('PersistentVolumeClaim')).toEqual(['test/postgres/Backup/Volume']);
  expect(before('CronJob')).toEqual(['test/postgres/Backup/CronJob']);
  expect(before('ServiceAccount')).toEqual(['test/postgres/Backup/ServiceAccount']);
  expect(before('NetworkPolicy')).toEqual(['test/postgres/Backup/NetworkPolicy']);
});

test('nothing waits for a claim that binds with its first pod', () => {
  const { chart } = build({ ...minimalBackup, target: BackupTarget.volume(Size.gibibytes(5)) });
  expect(find(chart, 'v1/PersistentVolumeClaim', 'postgres-backup').metadata.annotations).toEqual({
    'pulumi.com/skipAwait': 'true',
  });
});
