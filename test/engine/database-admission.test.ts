import { ApiObject, App, Chart, Duration, Size } from 'cdk8s';
import * as fc from 'fast-check';

import { BackupTarget } from '../../components/backup-target';
import { ArchiveKeys } from '../../components/database-archive-keys';
import { DatabaseArchive } from '../../components/database-archive';
import { DatabaseEngine } from '../../components/database-engine';
import { PoolMode } from '../../components/database-pooler';
import { DatabaseRecovery } from '../../components/database-recovery';
import { DatabaseTls } from '../../components/database-tls';
import { compute } from '../../components/pod';
import { RemovalPolicy } from '../../components/release-options';
import type { StatefulDatabaseProps } from '../../components/stateful-database';
import { StatefulDatabase } from '../../components/stateful-database';
import { Admission, ADMISSION_NAMESPACE } from '../support/admission';

jest.setTimeout(300_000);

const image = 'registry.test/image:1';
const seconds = (max: number) => fc.integer({ min: 1, max }).map((amount) => Duration.seconds(amount));
const gibibytes = fc.integer({ min: 1, max: 4000 }).map((amount) => Size.gibibytes(amount));
const resources = (leastMebibytes: number) =>
  fc
    .record({ cpu: fc.integer({ min: 10, max: 64_000 }), memory: fc.integer({ min: leastMebibytes, max: 1 << 18 }) })
    .map(({ cpu, memory }) => compute([Math.ceil(cpu / 2), cpu], [Math.ceil(memory / 2), memory]));

const pooler = fc.integer({ min: 1, max: 20 }).chain((replicas) =>
  fc.record(
    {
      image: fc.constant(image),
      replicas: fc.constant(replicas),
      maxServerConnections: fc.integer({ min: Math.max(2, replicas), max: 300 }),
      maxClientConnections: fc.integer({ min: 1, max: 50_000 }),
      poolMode: fc.constantFrom(...Object.values(PoolMode)),
      resources: resources(16),
      user: fc.integer({ min: 10_001, max: 60_000 }),
    },
    { requiredKeys: ['image', 'replicas', 'maxServerConnections'] },
  ),
);

const backup = fc.record(
  {
    schedule: fc.constantFrom('@daily', '30 2 * * *', '*/15 0-6 1,15 * mon-fri'),
    keep: fc.integer({ min: 1, max: 366 }),
    image: fc.constant(image),
    encryptionKey: fc.stringMatching(/^[!-~]{32,60}$/),
    target: fc.oneof(
      gibibytes.map((size) => BackupTarget.volume(size, 'slow')),
      fc.constant(
        BackupTarget.objectStorage({
          endpoint: 'https://s3.example.com:9000',
          bucket: 'backups',
          prefix: 'a/b',
          credentialsSecretName: 'bucket',
          authority: { secretName: 'authority', key: 'ca.crt' },
        }),
      ),
    ),
    maxAge: fc.integer({ min: 1, max: 900 }).map((days) => Duration.days(days)),
    drill: fc.constant({ schedule: '@weekly' }),
    deadline: seconds(86_400).map((one) => Duration.seconds(one.toSeconds() + 60)),
  },
  { requiredKeys: ['schedule', 'image', 'encryptionKey', 'target'] },
);

const engine = fc
  .record({ port: fc.integer({ min: 1024, max: 9000 }), user: fc.integer({ min: 10_001, max: 60_000 }) })
  .map((options) => DatabaseEngine.postgres('15', { image, ...options }));

const passphrase = fc.stringMatching(/^[ -~]{16,40}$/);
const archiveOptions = {
  maxLoss: seconds(86_400),
  fullEvery: fc.integer({ min: 1, max: 365 }).map((days) => Duration.days(days)),
  differentialEvery: fc.integer({ min: 1, max: 1000 }).map((hours) => Duration.hours(hours)),
  keepFull: fc.integer({ min: 1, max: 1000 }),
  maxQueue: gibibytes,
  resources: resources(64),
};
const bucket = (prefix: string) =>
  fc
    .record(
      {
        endpoint: fc.constant('s3.example.com'),
        port: fc.integer({ min: 1, max: 65_535 }),
        region: fc.constant('eu-1'),
        bucket: fc.constant('backups'),
        prefix: fc.constant(prefix),
        keys: fc.oneof(
          fc.constant(ArchiveKeys.fromSecret('archive-keys')),
          passphrase.map((one) => ArchiveKeys.of({ passphrase: one, access: { id: 'id', secret: 'secret' } })),
        ),
        pathStyle: fc.boolean(),
        authority: fc.constant({ secretName: 'store-tls', key: 'ca.crt' }),
        peer: fc.constant({ ipBlock: { cidr: '192.0.2.0/24' } }),
        ...archiveOptions,
      },
      { requiredKeys: ['endpoint', 'region', 'bucket', 'prefix', 'keys'] },
    )
    .map((options) => DatabaseArchive.objectStorage(options));
const volume = fc
  .record(
    {
      keys: passphrase.map((one) => ArchiveKeys.of({ passphrase: one })),
      storage: gibibytes,
      storageClass: fc.constant('slow'),
      ...archiveOptions,
    },
    { requiredKeys: ['keys'] },
  )
  .map((options) => DatabaseArchive.volume(options));

/** An archive and what may be recovered beside it; a standby has no replicas. */
const recovered: fc.Arbitrary<Partial<StatefulDatabaseProps>> = fc.oneof(
  fc.constant({}),
  fc.oneof(bucket('/own'), volume).map((archive) => ({ archive })),
  fc.oneof(bucket('/own'), volume).map((archive) => ({
    archive,
    recovery: DatabaseRecovery.primary(archive, { to: new Date(0) }),
  })),
  fc.tuple(bucket('/own'), bucket('/other')).map(([archive, source]) => ({
    archive,
    recovery: DatabaseRecovery.standby(source),
    readReplicas: 0,
  })),
);

/** Everything that the rules let through. Certificates of cert-manager aside, whose kind this server does not have. */
const props: fc.Arbitrary<StatefulDatabaseProps> = fc.record(
  {
    engine,
    password: fc.stringMatching(/^[A-Za-z0-9._~-]{8,40}$/),
    replicationPassword: fc.stringMatching(/^[A-Za-z0-9._~-]{8,40}$/),
    name: fc.stringMatching(/^[a-z]([-a-z0-9]{0,42}[a-z0-9])?$/),
    databaseName: fc.stringMatching(/^d[a-z0-9_]{0,62}$/),
    username: fc.stringMatching(/^u[a-z0-9_]{0,62}$/),
    storage: gibibytes,
    storageClass: fc.constant('fast'),
    resources: resources(256),
    initScripts: fc.constant({ '10-schema.sql': 'create schema core;' }),
    removalPolicy: fc.constantFrom(...Object.values(RemovalPolicy)),
    terminationGrace: seconds(7200),
    startupDeadline: seconds(86_400),
    readReplicas: fc.integer({ min: 0, max: 8 }),
    replicaMaxLag: seconds(86_400),
    pooler,
    backup,
    tls: fc.constantFrom(DatabaseTls.selfSigned(), DatabaseTls.fromSecret('certificate')),
    metrics: fc.record({ image: fc.constant(image), resources: resources(32) }, { requiredKeys: ['image'] }),
    labels: fc.constant({ 'example.com/team': 'data' }),
  },
  { requiredKeys: ['engine', 'password', 'replicationPassword'] },
);

describe('whatever the rules of StatefulDatabase let through,', () => {
  let admission: Admission;
  beforeAll(async () => {
    admission = await Admission.start();
  });
  afterAll(() => admission.destroy());

  test('a real API server admits, with its pods, strictly and under Pod Security restricted', async () => {
    await fc.assert(
      fc.asyncProperty(props, recovered, async (own, more) => {
        const given = { ...own, ...more };
        const chart = new Chart(new App(), 'chart', { namespace: ADMISSION_NAMESPACE });
        new StatefulDatabase(chart, 'db', given);
        expect(await admission.problems(chart)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  test('and a pod that is not hardened is refused, so that the check above can fail', async () => {
    const chart = new Chart(new App(), 'chart', { namespace: ADMISSION_NAMESPACE });
    const spec = { containers: [{ name: 'c', image, resources: {} }] };
    new ApiObject(chart, 'bare', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare' }, spec });
    expect(await admission.problems(chart)).toContainEqual(
      expect.stringMatching(/^Pod bare: .*violates PodSecurity "restricted/),
    );
  });
});
