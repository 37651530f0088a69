import * as fs from 'node:fs';
import * as path from 'node:path';

import type { V1CronJob, V1Job, V1PersistentVolume, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import { App, Chart, Size } from 'cdk8s';

import type { Archive, JobTask } from '../../cli/backup/job';
import { archivesIn, jobFrom, outcomeOf } from '../../cli/backup/job';
import { BackupStatus } from '../../components/backup-status';
import { BackupTarget } from '../../components/backup-target';
import { CachePersistence } from '../../components/cache-options';
import { CacheStore } from '../../components/cache-store';
import { DatabaseEngine } from '../../components/database-engine';
import { compute } from '../../components/pod';
import { RemovalPolicy } from '../../components/release-options';
import { StatefulDatabase } from '../../components/stateful-database';
import { Cluster, ClusterTestError, isReady, until } from '../support/cluster';
import { inContainer } from '../cluster/support/exec';
import { spellings } from '../cluster/support/leaks';
import { imageOf, registryOf } from '../cluster/support/images';
import { ObjectStorage } from '../cluster/support/object-storage';
import { applyApp } from '../cluster/support/objects';

jest.setTimeout(300_000);

const NAME = 'trellis-test-backup';
const CORE = `/api/v1/namespaces/${NAME}`;
const STORE = 'trellis-test-backup-store';
/** Folder in the bucket. */
const PREFIX = 'dev/shop';
const USER = { id: 'canary-id-of-the-storage', secret: 'canary-key-of-the-storage' };
const SECRETS = [
  'canary-key-of-the-archives-0123456789',
  'canary-password-of-the-database',
  'canary-password-of-redis',
  USER.secret,
];
const [KEY = '', DATABASE_PASSWORD = '', CACHE_PASSWORD = ''] = SECRETS;
/** Rows that differ each time that a data folder is made. */
const ROWS = `create table proof (id int primary key, what text not null);
  insert into proof select n, gen_random_uuid()::text from generate_series(1, 500) n;`;

describe('a database and a cache whose volumes are lost', () => {
  let cluster: Cluster;
  let made: Archive;
  let store: ObjectStorage;

  /** Two stores with all that belongs to them, from the images of the dev stack: one backed up to a bucket, the other to a volume. */
  async function apply(bucket: BackupTarget): Promise<void> {
    const app = new App();
    const chart = new Chart(app, 'backup', { namespace: NAME });
    const removalPolicy = RemovalPolicy.DESTROY;
    const image = await imageOf(cluster, 'batch/v1/cronjobs/postgres-backup');
    const status = new BackupStatus(chart, 'backup-status', {
      image: await imageOf(cluster, 'apps/v1/statefulsets/backup-status'),
      removalPolicy,
    });
    const never = { schedule: '0 0 1 1 *' };
    const backup = { ...never, image, encryptionKey: KEY, keep: 3, status, drill: never };
    new StatefulDatabase(chart, 'db', {
      engine: DatabaseEngine.postgres('15', { image: await imageOf(cluster, 'apps/v1/statefulsets/postgres') }),
      ...{ password: DATABASE_PASSWORD, removalPolicy, initScripts: { 'rows.sql': ROWS } },
      backup: { ...backup, target: bucket },
      resources: compute([50, 1000], [128, 256]),
      storage: Size.gibibytes(1),
    });
    new CacheStore(chart, 'cache', {
      image: await imageOf(cluster, 'apps/v1/statefulsets/redis'),
      backup: { ...backup, target: BackupTarget.volume(Size.gibibytes(1)) },
      ...{ password: CACHE_PASSWORD, removalPolicy, resources: compute([25, 500], [64, 128]) },
      persistence: CachePersistence.appendOnly(Size.gibibytes(1)),
    });
    await applyApp(cluster, app, NAME);
  }

  const inPod = (pod: string, container: string, ...command: readonly string[]): Promise<string> =>
    inContainer({ namespace: NAME, pod, container }, ...command);
  const rows = (): Promise<string> =>
    until('the rows', () =>
      inPod(
        'db-0',
        'postgres',
        'psql',
        '-U',
        'postgres',
        '-d',
        'app',
        '-Atc',
        "select count(*) || ' ' || md5(string_agg(what, ',' order by id)) from proof",
      ),
    );
  const redis = (...command: readonly string[]): Promise<string> => {
    const authenticated = 'REDISCLI_AUTH=$(cat /run/secrets/redis/password) exec redis-cli "$@"';
    return inPod('cache-0', 'redis', '/bin/sh', '-c', authenticated, 'sh', ...command);
  };
  const ready = (pod: string): Promise<V1Pod> =>
    until(`${pod} Ready`, async () => {
      const found = await cluster.find<V1Pod>(`${CORE}/pods/${pod}`);
      return found !== undefined && found.metadata?.deletionTimestamp === undefined && isReady(found) && found;
    });

  let started = 0;
  /** A task of a CronJob's own template, as the verbs start it. @throws ClusterTestError with the pod's log where it fails */
  async function run(name: string, task: JobTask): Promise<readonly Archive[]> {
    const jobs = `/apis/batch/v1/namespaces/${NAME}/jobs`;
    const cron = await cluster.get<V1CronJob>(`/apis/batch/v1/namespaces/${NAME}/cronjobs/${name}`);
    // Two in one second would have one name.
    const body = jobFrom(cron, task, Date.now() + 1000 * started++);
    const job = body.metadata?.name ?? '';
    await cluster.create(jobs, body);
    const outcome = await until(`the end of ${job}`, async () => outcomeOf(await cluster.get<V1Job>(`${jobs}/${job}`)));
    const [pod] = await cluster.list<V1Pod>(`${CORE}/pods?labelSelector=batch.kubernetes.io/job-name%3D${job}`);
    const log = await cluster.text(`${CORE}/pods/${pod?.metadata?.name ?? 'none'}/log`);
    if (outcome === 'failed') throw new ClusterTestError(log);
    return archivesIn(log);
  }

  /** Takes pod and volume away; the StatefulSet makes both anew, and the volume is empty. */
  async function destroy(name: string): Promise<void> {
    const claim = `${CORE}/persistentvolumeclaims/data-${name}-0`;
    const before = (await cluster.get<V1PersistentVolumeClaim>(claim)).metadata?.uid;
    await cluster.remove(claim);
    await cluster.remove(`${CORE}/pods/${name}-0`);
    await until('another volume', async () => {
      const found = await cluster.find<V1PersistentVolumeClaim>(claim);
      return found?.status?.phase === 'Bound' && found.metadata?.uid !== before;
    });
    await ready(`${name}-0`);
  }

  async function folderOf(namespace: string, claim: string): Promise<string> {
    const claims = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
    const { spec } = await cluster.get<V1PersistentVolumeClaim>(`${claims}/${claim}`);
    const volume = await cluster.get<V1PersistentVolume>(`/api/v1/persistentvolumes/${spec?.volumeName ?? 'none'}`);
    return volume.spec?.local?.path ?? volume.spec?.hostPath?.path ?? '';
  }

  const metrics = async (): Promise<string> => cluster.text(`${CORE}/pods/backup-status-0:9091/proxy/metrics`);
  const reported = async (metric: string, backup: string): Promise<number> => {
    const line = new RegExp(`^${metric}\\{[^}]*backup="${backup}"[^}]*\\} (.*)$`, 'm').exec(await metrics());
    return Number(line?.[1]);
  };

  beforeAll(async () => {
    cluster = new Cluster();
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await cluster.create('/api/v1/namespaces', { metadata: { name: NAME, labels } });
    const registry = registryOf(await imageOf(cluster, 'apps/v1/statefulsets/postgres'));
    store = await ObjectStorage.start(cluster, STORE, registry, USER);
    const keys = { ACCESS_KEY_ID: USER.id, SECRET_ACCESS_KEY: USER.secret };
    for (const [name, stringData] of Object.entries({ keys, authority: { 'ca.crt': store.authority } }))
      await cluster.create(`${CORE}/secrets`, { metadata: { name }, stringData });
    await apply(
      BackupTarget.objectStorage({
        endpoint: `https://${store.host}:${store.port}`,
        ...{ bucket: store.bucket, prefix: PREFIX, region: store.region, credentialsSecretName: 'keys' },
        authority: { secretName: 'authority', key: 'ca.crt' },
      }),
    );
    await Promise.all(['db-0', 'cache-0', 'backup-status-0'].map(ready));
    await store.ready();
  });
  afterAll(async () => {
    for (const name of [NAME, STORE]) await cluster.remove(`/api/v1/namespaces/${name}`);
  });

  test('the rows of the database are read back from its archive in object storage', async () => {
    const written = await rows();
    expect(written).toMatch(/^500 [0-9a-f]{32}$/);
    [made] = (await run('db-backup', { task: 'backup' })) as [Archive];
    expect(made.archive).toMatch(/^db-[0-9]{8}T[0-9]{6}Z$/);
    expect(await reported('backup_last_success_timestamp_seconds', 'db')).toBeGreaterThan(Date.now() / 1000 - 120);
    expect(await reported('backup_size_bytes', 'db')).toBe(made.bytes);
    const kept = fs.readdirSync(path.join(await folderOf(STORE, store.bucket), PREFIX)).sort();
    expect(kept).toEqual(['.age', '.facts.age', '.sha256'].map((end) => `${made.archive}${end}`));

    await destroy('db');
    expect(await rows()).not.toBe(written);
    const env = { RESTORE_ARCHIVE: 'latest', RESTORE_REPLACE: 'false' };
    // The new data folder has the first rows of its own already.
    await expect(run('db-backup', { task: 'restore', env })).rejects.toThrow(/there is data in db already/);
    expect(await rows()).not.toBe(written);
    await run('db-backup', { task: 'restore', env: { ...env, RESTORE_REPLACE: 'true' } });
    expect(await rows()).toBe(written);
  });

  test('the keys of the cache are read back from its archive, with their time to live', async () => {
    await redis('set', 'stays', 'as it was');
    await redis('set', 'passes', 'soon', 'EX', '5000');
    const [archive] = await run('cache-backup', { task: 'backup' });
    expect(archive?.archive).toMatch(/^cache-/);
    await destroy('cache');
    expect(await redis('get', 'stays')).toBe('');
    await run('cache-backup', { task: 'restore', env: { RESTORE_ARCHIVE: archive?.archive ?? '' } });
    expect(await redis('get', 'stays')).toBe('as it was');
    expect(Number(await redis('ttl', 'passes'))).toBeGreaterThan(4000);
    await run('cache-drill', { task: 'drill' });
    expect(await reported('backup_last_verified_timestamp_seconds', 'cache')).toBeGreaterThan(0);
  });

  test('a drill passes on a good archive, and names what is wrong with one that was changed', async () => {
    expect(await reported('backup_last_verified_timestamp_seconds', 'db')).toBeNaN();
    await run('db-drill', { task: 'drill' });
    const verified = await reported('backup_last_verified_timestamp_seconds', 'db');
    expect(verified).toBeGreaterThan(Date.now() / 1000 - 120);

    const file = path.join(await folderOf(STORE, store.bucket), PREFIX, `${made.archive}.age`);
    const content = fs.readFileSync(file);
    expect(content.subarray(0, 21).toString()).toBe('age-encryption.org/v1');
    content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
    fs.writeFileSync(file, content);
    await expect(run('db-drill', { task: 'drill' })).rejects.toThrow(/is not what was written: its checksum is/);
    await expect(run('db-backup', { task: 'restore', env: { RESTORE_REPLACE: 'true' } })).rejects.toThrow(/checksum/);
    expect(await reported('backup_last_verified_timestamp_seconds', 'db')).toBe(verified);
  });

  test('no log of any pod and no object but the Secrets has a key or a password', async () => {
    const needles = spellings(SECRETS);
    const pods = await cluster.list<V1Pod>(`${CORE}/pods`);
    const texts = await Promise.all(
      pods.flatMap(({ metadata, spec }) =>
        (spec?.containers ?? []).map(({ name }) =>
          cluster.text(`${CORE}/pods/${metadata?.name ?? ''}/log?container=${name}`).catch(() => ''),
        ),
      ),
    );
    expect(texts.join('').length).toBeGreaterThan(500);
    const jobs = await cluster.text(`/apis/batch/v1/namespaces/${NAME}/jobs`);
    const all = [...texts, JSON.stringify(pods), jobs].join('\n');
    expect(needles.filter((needle) => all.includes(needle))).toEqual([]);
  });
});
