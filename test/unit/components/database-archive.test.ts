import * as pulumi from '@pulumi/pulumi';
import { Duration, Size } from 'cdk8s';
import { ArchiveKeys } from '../../../components/database-archive-keys';
import { DatabaseArchive } from '../../../components/database-archive';
import { DatabaseRecovery } from '../../../components/database-recovery';
import { externalObjects } from '../../../components/external';
import { LateTokens } from '../../../components/late';
import { RemovalPolicy } from '../../../components/release-options';
import type { StatefulDatabaseProps } from '../../../components/stateful-database';
import { StatefulDatabase } from '../../../components/stateful-database';
import { fullArchive, fullDatabase, minimalBackup, minimalDatabase } from '../../support/props';
import { find, inventory, newChart, objectsOf, releaseOptions } from '../../support/synth';

const keys = ArchiveKeys.fromSecret('archive-keys');
const bucket = (prefix = '/'): DatabaseArchive =>
  DatabaseArchive.objectStorage({ endpoint: 's3.example.com', region: 'eu-1', bucket: 'backups', prefix, keys });

const build = (props: Partial<StatefulDatabaseProps>) => {
  const chart = newChart('shop');
  const database = new StatefulDatabase(chart, 'postgres', { ...minimalDatabase, ...props });
  const { name } = database;
  const pod = find(chart, 'apps/v1/StatefulSet', name).spec.template.spec;
  const container = (wanted: string) =>
    [...(pod.initContainers ?? []), ...pod.containers].find((one) => one.name === wanted);
  const env = (wanted: string) =>
    Object.fromEntries((container(wanted)?.env ?? []).map((one) => [one.name, one.value]));
  const config = find(chart, 'v1/ConfigMap', `${name}-config`).data;
  const conf = (file: string): Readonly<Record<string, string>> =>
    Object.fromEntries(
      (config[file] ?? '')
        .split('\n')
        .filter((line) => line.includes('='))
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  const egress = () => find(chart, 'networking.k8s.io/v1/NetworkPolicy', name).spec?.egress ?? [];
  return { chart, database, pod, container, env, config, conf, egress };
};

describe('a database without an archive', () => {
  test('has nothing of one', () => {
    const { pod, config, env } = build({});
    expect(config['postgresql.conf']).not.toContain('archive');
    expect(Object.keys(config)).toEqual(['pg_hba.conf', 'postgresql.conf']);
    expect(pod.initContainers).toBeUndefined();
    expect(Object.keys(env('postgres')).filter((name) => /RECOVERY|PGPORT/.test(name))).toEqual([]);
  });
});

describe('an archive in a bucket, with what it cannot do without', () => {
  const made = () => build({ archive: bucket() });

  test('the server archives each segment, a part of one after a minute', () => {
    const lines = (made().config['postgresql.conf'] ?? '').split('\n');
    expect(lines).toContain('archive_mode = on');
    expect(lines).toContain(`archive_command = 'pgbackrest-repository archive archive-push "%p"'`);
    expect(lines).toContain("archive_timeout = '60000ms'");
  });

  test('pgBackRest reads where it is, and nothing that is secret', () => {
    const { conf } = made();
    expect(conf('archive.conf')).toMatchObject({
      'repo1-type': 's3',
      'repo1-path': '/',
      'repo1-s3-endpoint': 's3.example.com',
      'repo1-s3-region': 'eu-1',
      'repo1-s3-bucket': 'backups',
      'repo1-s3-uri-style': 'host',
      'repo1-storage-port': '443',
      'repo1-storage-ca-file': '/etc/ssl/certs/ca-certificates.crt',
      'repo1-cipher-type': 'aes-256-cbc',
      'repo1-retention-full': '2',
      // A quarter of ten gibibytes.
      'archive-push-queue-max': String(2.5 * 1024 ** 3),
      'process-max': '1',
      'pg1-port': '5432',
    });
    expect(Object.keys(conf('archive.conf')).filter((key) => /pass|key/.test(key))).toEqual([]);
  });

  test('base backups are made beside the server, which they read only', () => {
    const { container, env } = made();
    expect(container('base-backups')).toMatchObject({
      args: ['postgres-base-backups'],
      resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { cpu: '1000m', memory: '256Mi' } },
    });
    expect(env('base-backups')).toEqual({
      PGPORT: '5432',
      POSTGRES_DIFFERENTIAL_SECONDS: '86400',
      POSTGRES_FULL_SECONDS: '604800',
    });
    expect(container('base-backups')?.volumeMounts).toContainEqual({
      name: 'data',
      mountPath: '/var/lib/postgresql/data',
      readOnly: true,
    });
    // The server's own scratch, which its socket is in.
    expect(container('base-backups')?.volumeMounts).toContainEqual({ name: 'tmp', mountPath: '/tmp' });
  });

  test('keys go from their Secret to a file in memory, and no container that runs on has the Secret', () => {
    const { pod, container, chart } = made();
    expect(container('repository-keys')?.args).toEqual(['pgbackrest-keys', 'archive']);
    expect(pod.volumes).toContainEqual({
      name: 'archive-keys',
      secret: {
        secretName: 'archive-keys',
        defaultMode: 0o440,
        items: ['PASSPHRASE', 'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY'].map((key) => ({ key, path: key })),
      },
    });
    expect(pod.volumes).toContainEqual({ name: 'repository-keys', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } });
    for (const { volumeMounts = [] } of pod.containers) {
      expect(volumeMounts.map(({ name }) => name)).not.toContain('archive-keys');
      expect(volumeMounts.find(({ name }) => name === 'repository-keys')?.readOnly).toBe(true);
    }
    expect(externalObjects(chart)).toContainEqual({ kind: 'Secret', name: 'archive-keys' });
  });

  test('the server may go out to port 443, and the replicas not', () => {
    const { egress, chart } = build({ archive: bucket(), readReplicas: 1, replicationPassword: 'follow-the-leader' });
    expect(egress()).toContainEqual({
      to: [{ ipBlock: { cidr: '0.0.0.0/0' } }, { ipBlock: { cidr: '::/0' } }],
      ports: [{ protocol: 'TCP', port: 443 }],
    });
    const replica = find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'postgres-replica');
    expect(JSON.stringify(replica)).not.toContain('443');
    const { containers } = find(chart, 'apps/v1/StatefulSet', 'postgres-replica').spec.template.spec;
    expect(containers.map(({ name }) => name)).toEqual(['postgres']);
  });
});

describe('an archive with all options', () => {
  test('has them', () => {
    const { conf, config, env, egress, container, chart } = build({ ...fullDatabase, recovery: undefined as never });
    expect(conf('archive.conf')).toMatchObject({
      'repo1-path': '/shop/eu',
      'repo1-s3-uri-style': 'path',
      'repo1-storage-port': '9000',
      'repo1-storage-ca-file': '/run/secrets/archive-ca/ca.crt',
      'repo1-retention-full': '3',
      'archive-push-queue-max': String(2 * 1024 ** 3),
      'process-max': '2',
      'pg1-port': '6543',
    });
    expect(config['postgresql.conf']).toContain("archive_timeout = '30000ms'");
    expect(env('base-backups')).toEqual({
      PGPORT: '6543',
      POSTGRES_DIFFERENTIAL_SECONDS: '43200',
      POSTGRES_FULL_SECONDS: '1209600',
    });
    expect(container('base-backups')?.resources).toMatchObject({ limits: { cpu: '2000m', memory: '512Mi' } });
    expect(egress()).toContainEqual({
      to: [{ ipBlock: { cidr: '192.0.2.0/24' } }],
      ports: [{ protocol: 'TCP', port: 9000 }],
    });
    expect(externalObjects(chart)).toContainEqual({ kind: 'Secret', name: 'store-tls' });
  });

  test('its literal keys are a Secret of its own, as tokens that stay secret', () => {
    const { chart } = build({ archive: fullArchive('/a') });
    const { stringData } = find(chart, 'v1/Secret', 'postgres-archive-secret');
    const values = Object.values(stringData).map((token) => LateTokens.of(chart).lookup(token));
    expect(Object.keys(stringData)).toEqual(['ACCESS_KEY_ID', 'PASSPHRASE', 'SECRET_ACCESS_KEY']);
    expect(values).toMatchObject([
      { value: 'canary-of-the-id', secret: true },
      { value: 'canary-of-the-passphrase', secret: true },
      { value: 'canary-of-the-access', secret: true },
    ]);
    expect(JSON.stringify(objectsOf(chart))).not.toContain('canary');
    expect(releaseOptions(chart, 'Secret', 'postgres-archive-secret').removalPolicy).toBe(RemovalPolicy.RETAIN);
  });

  test('late values reach the configuration and the Secret as they are', () => {
    const endpoint = pulumi.output('late.example.com');
    const passphrase = pulumi.secret('late-passphrase-of-16');
    const access = { id: pulumi.secret('late-id'), secret: pulumi.secret('late-secret') };
    const { chart, conf } = build({
      archive: DatabaseArchive.objectStorage({
        ...{ endpoint, region: 'eu-1', bucket: 'backups' },
        keys: ArchiveKeys.of({ passphrase, access }),
      }),
    });
    const tokens = LateTokens.of(chart);
    expect(tokens.lookup(conf('archive.conf')['repo1-s3-endpoint'] ?? '')).toMatchObject({ value: endpoint });
    const { stringData } = find(chart, 'v1/Secret', 'postgres-archive-secret');
    expect(tokens.lookup(stringData['PASSPHRASE'] ?? '')).toMatchObject({ value: passphrase, secret: true });
  });
});

describe('an archive on a volume', () => {
  const volume = (options = {}) =>
    DatabaseArchive.volume({ keys: ArchiveKeys.of({ passphrase: 'canary-of-the-passphrase' }), ...options });

  test('has a claim of its own, twice as large as the database, in the pod of the server', () => {
    const { chart, pod, conf, container } = build({ archive: volume(), storageClass: 'fast' });
    expect(inventory(chart)).toContain('PersistentVolumeClaim/postgres-archive');
    expect(find(chart, 'v1/PersistentVolumeClaim', 'postgres-archive').spec).toMatchObject({
      storageClassName: 'fast',
      resources: { requests: { storage: '20Gi' } },
    });
    expect(releaseOptions(chart, 'PersistentVolumeClaim', 'postgres-archive').removalPolicy).toBe(RemovalPolicy.RETAIN);
    expect(conf('archive.conf')).toMatchObject({ 'repo1-type': 'posix', 'repo1-path': '/var/lib/pgbackrest' });
    expect(pod.volumes).toContainEqual({
      name: 'repository',
      persistentVolumeClaim: { claimName: 'postgres-archive' },
    });
    for (const name of ['postgres', 'base-backups'])
      expect(container(name)?.volumeMounts).toContainEqual({ name: 'repository', mountPath: '/var/lib/pgbackrest' });
    expect(Object.keys(find(chart, 'v1/Secret', 'postgres-archive-secret').stringData)).toEqual(['PASSPHRASE']);
  });

  test('takes size and class of its own, and opens nothing', () => {
    const archive = volume({ storage: Size.gibibytes(33), storageClass: 'slow' });
    const { chart, egress } = build({ archive, storageClass: 'fast' });
    expect(find(chart, 'v1/PersistentVolumeClaim', 'postgres-archive').spec).toMatchObject({
      storageClassName: 'slow',
      resources: { requests: { storage: '33Gi' } },
    });
    expect(egress()).toHaveLength(1);
  });
});

describe('recovery', () => {
  test('a standby restores before it starts, from a source that has its own file and keys', () => {
    const { pod, container, env, config } = build({
      archive: fullArchive('/shop/us'),
      recovery: DatabaseRecovery.standby(bucket('/shop/eu')),
    });
    expect(pod.initContainers?.map(({ name }) => name)).toEqual(['repository-keys', 'restore']);
    expect(container('repository-keys')?.args).toEqual(['pgbackrest-keys', 'archive', 'source']);
    expect(container('restore')?.args).toEqual(['postgres-restore']);
    expect(env('postgres')).toMatchObject({ POSTGRES_RECOVERY: 'standby', POSTGRES_RECOVERY_SOURCE: 'source' });
    expect(env('restore')).toEqual(env('postgres'));
    expect(env('postgres')['POSTGRES_RECOVERY_TO']).toBeUndefined();
    expect(Object.keys(config)).toEqual(['archive.conf', 'pg_hba.conf', 'postgresql.conf', 'source.conf']);
  });

  test('a standby makes no dumps, a primary does', () => {
    const backup = { ...minimalBackup, schedule: '@daily' };
    const standby = build({ archive: bucket('/b'), recovery: DatabaseRecovery.standby(bucket('/a')), backup });
    expect(inventory(standby.chart).filter((one) => one.startsWith('CronJob'))).toEqual([]);
    const primary = build({ archive: bucket('/b'), recovery: DatabaseRecovery.primary(bucket('/a')), backup });
    expect(inventory(primary.chart)).toContain('CronJob/postgres-backup');
  });

  test('the own archive is not there twice, however it is written', () => {
    const to = new Date('2026-03-04T05:06:07.890Z');
    const { env, container, pod } = build({
      archive: bucket('/shop/eu'),
      recovery: DatabaseRecovery.primary(bucket('/shop/eu'), { to }),
    });
    expect(container('repository-keys')?.args).toEqual(['pgbackrest-keys', 'archive']);
    expect(env('postgres')).toMatchObject({
      POSTGRES_RECOVERY: 'primary',
      POSTGRES_RECOVERY_SOURCE: 'archive',
      POSTGRES_RECOVERY_TO: '2026-03-04 05:06:07.890+00',
    });
    expect(pod.volumes?.filter(({ name }) => name.endsWith('-keys')).map(({ name }) => name)).toEqual([
      'archive-keys',
      'repository-keys',
    ]);
  });

  test('a source alone restores, and makes no base backups', () => {
    const { pod, config } = build({ recovery: DatabaseRecovery.primary(bucket('/a')) });
    expect(pod.containers.map(({ name }) => name)).toEqual(['postgres']);
    expect(config['postgresql.conf']).not.toContain('archive_command');
  });

  test('to promote a standby changes nothing but one value of the pod', () => {
    const definition = (recovery: DatabaseRecovery): string =>
      JSON.stringify(build({ archive: bucket('/b'), recovery }).pod);
    const standby = definition(DatabaseRecovery.standby(bucket('/a')));
    const primary = definition(DatabaseRecovery.primary(bucket('/a')));
    expect(standby).not.toBe(primary);
    const value = (role: string): string => JSON.stringify({ name: 'POSTGRES_RECOVERY', value: role });
    expect(standby.replaceAll(value('standby'), value('primary'))).toBe(primary);
  });
});

test('defaults are re-exposed under the names of their props', () => {
  const [archive, recovery] = [bucket('/b'), DatabaseRecovery.standby(bucket('/a'))];
  expect(build({ archive, recovery }).database).toMatchObject({ archive, recovery });
  expect(build({}).database).toMatchObject({ archive: undefined, recovery: undefined });
});

test('an archive loses a minute at most where nobody says otherwise', () => {
  expect(bucket()._settings.maxLoss.toSeconds()).toBe(Duration.minutes(1).toSeconds());
});
