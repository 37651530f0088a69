import { ApiObject, App, Chart, Duration, Size } from 'cdk8s';
import * as fc from 'fast-check';

import { DatabaseBackend } from '../../components/database-backend';
import { CloudNativePgBackup, PrimaryUpdate } from '../../components/database-cloud-native-pg-options';
import { DatabaseEngine } from '../../components/database-engine';
import { PoolMode } from '../../components/database-pooler';
import { DatabaseTls } from '../../components/database-tls';
import { compute } from '../../components/pod';
import { RemovalPolicy } from '../../components/release-options';
import type { StatefulDatabaseProps } from '../../components/stateful-database';
import { StatefulDatabase } from '../../components/stateful-database';
import { Admission, ADMISSION_NAMESPACE } from '../support/admission';

jest.setTimeout(300_000);

const seconds = (max: number) => fc.integer({ min: 1, max }).map((amount) => Duration.seconds(amount));
const resources = (leastMebibytes: number) =>
  fc
    .record({ cpu: fc.integer({ min: 10, max: 64_000 }), memory: fc.integer({ min: leastMebibytes, max: 1 << 18 }) })
    .map(({ cpu, memory }) => compute([Math.ceil(cpu / 2), cpu], [Math.ceil(memory / 2), memory]));
const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,20}[a-z0-9])?$/);

const pooler = fc.integer({ min: 1, max: 20 }).chain((replicas) =>
  fc.record(
    {
      image: fc.constant('registry.test/pgbouncer:1.24.1'),
      replicas: fc.constant(replicas),
      maxServerConnections: fc.integer({ min: Math.max(2, replicas), max: 300 }),
      maxClientConnections: fc.integer({ min: 1, max: 50_000 }),
      poolMode: fc.constantFrom(...Object.values(PoolMode)),
      resources: resources(16),
    },
    { requiredKeys: ['image', 'replicas', 'maxServerConnections'] },
  ),
);

const method = fc.oneof(
  fc
    .record({ className: label, online: fc.boolean() }, { requiredKeys: [] })
    .map((options) => CloudNativePgBackup.volumeSnapshot(options)),
  fc
    .record(
      {
        name: fc.constant('barman-cloud.cloudnative-pg.io'),
        parameters: fc.constant({ barmanObjectName: 'store' }),
        archivesLog: fc.boolean(),
        store: fc.record({ cidr: fc.constant('10.1.0.0/16'), port: fc.integer({ min: 1, max: 65_535 }) }),
      },
      { requiredKeys: ['name'] },
    )
    .map((options) => CloudNativePgBackup.plugin(options)),
);

/** Back ends that every number of replicas allows, and those that some replicas do. */
const backend = (readReplicas: number) =>
  fc
    .record(
      {
        operatorNamespace: label,
        apiServer: fc.constantFrom(['10.0.0.1/32'], ['fd00::/8', '192.168.0.0/16']),
        apiServerPorts: fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 3 }),
        backup: method,
        ...(readReplicas === 0
          ? {}
          : {
              primaryUpdate: fc.constantFrom(...Object.values(PrimaryUpdate)),
              maximumLag: fc.integer({ min: 1, max: 1 << 20 }).map((amount) => Size.kibibytes(amount)),
            }),
      },
      { requiredKeys: ['backup'] },
    )
    .map((options) => DatabaseBackend.cloudNativePg(options));

/** Everything that the rules let through. */
const props: fc.Arbitrary<StatefulDatabaseProps> = fc.integer({ min: 0, max: 8 }).chain((readReplicas) =>
  fc.record(
    {
      engine: fc
        .integer({ min: 1, max: 60_000 })
        .map((user) => DatabaseEngine.postgres('15', { image: 'registry.test/postgresql:15.10', user })),
      password: fc.stringMatching(/^[A-Za-z0-9._~-]{8,40}$/),
      name: fc.stringMatching(/^[a-z]([-a-z0-9]{0,39}[a-z0-9])?$/),
      databaseName: fc.stringMatching(/^d[a-z0-9_]{0,62}$/),
      username: fc.stringMatching(/^u[a-z0-9_]{0,62}$/),
      storage: fc.integer({ min: 1, max: 4000 }).map((amount) => Size.gibibytes(amount)),
      storageClass: fc.constant('fast'),
      resources: resources(256),
      initScripts: fc.constant({ '10-schema.sql': 'create schema core;', '20-data.sql': 'select 1' }),
      removalPolicy: fc.constantFrom(...Object.values(RemovalPolicy)),
      terminationGrace: seconds(7200),
      startupDeadline: seconds(86_400),
      readReplicas: fc.constant(readReplicas),
      pooler,
      backup: fc.record({ schedule: fc.constantFrom('@daily', '30 2 * * *', '*/15 0-6 1,15 * mon-fri') }),
      tls: fc.constantFrom(
        DatabaseTls.selfSigned(),
        DatabaseTls.fromSecret('certificate'),
        DatabaseTls.issuedBy('authority'),
      ),
      backend: backend(readReplicas),
      labels: fc.constant({ 'example.com/team': 'data' }),
    },
    { requiredKeys: ['engine', 'password', 'readReplicas', 'backend'] },
  ),
);

describe('whatever the rules of StatefulDatabase let through for CloudNativePG,', () => {
  let admission: Admission;
  beforeAll(async () => {
    admission = await Admission.start();
  });
  afterAll(() => admission.destroy());
  const freshChart = (): Chart => new Chart(new App(), 'chart', { namespace: ADMISSION_NAMESPACE });

  test('a real API server admits by the operator’s own definitions, strictly', async () => {
    await fc.assert(
      fc.asyncProperty(props, async (given) => {
        const chart = freshChart();
        new StatefulDatabase(chart, 'db', given);
        expect(await admission.problems(chart)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  test.each([
    ['Cluster', { instances: 0 }, /instances.* should be greater than or equal to 1/],
    ['Cluster', { instances: 1, postgresqll: {} }, /postgresqll.*field not declared in schema|unknown field/],
    ['Pooler', { cluster: { name: 'db' }, type: 'rx', pgbouncer: {} }, /Unsupported value: "rx"/],
    ['ScheduledBackup', { cluster: { name: 'db' } }, /schedule: Required value/],
  ])('and a %s that is none is refused, so that the check above can fail', async (kind, spec, expected) => {
    const chart = freshChart();
    new ApiObject(chart, 'wrong', { apiVersion: 'postgresql.cnpg.io/v1', kind, metadata: { name: 'wrong' }, spec });
    expect(await admission.problems(chart)).toContainEqual(expect.stringMatching(expected));
  });
});
