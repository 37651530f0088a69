import * as pulumi from '@pulumi/pulumi';
import type { ExternalDatabaseAttributes } from '../../../components/database-connection';
import { SslMode } from '../../../components/database-tls';
import { externalObjects } from '../../../components/external';
import { LateTokens } from '../../../components/late';
import { StatefulDatabase } from '../../../components/stateful-database';
import { newChart, objectsOf, problemsOf } from '../../support/synth';

const attributes: ExternalDatabaseAttributes = {
  host: 'db.example.com',
  databaseName: 'orders',
  secretName: 'orders-db',
};
const external = (more: Partial<ExternalDatabaseAttributes> = {}) => {
  const chart = newChart();
  return { chart, database: StatefulDatabase.fromExternal(chart, 'orders', { ...attributes, ...more }) };
};

test('it makes no object, and says which Secret somebody else makes', () => {
  const { chart, database } = external();
  expect(objectsOf(chart)).toEqual([]);
  expect(externalObjects(chart)).toEqual([{ kind: 'Secret', name: 'orders-db' }]);
  expect(database).toMatchObject({
    host: 'db.example.com',
    port: 5432,
    databaseName: 'orders',
    secretName: 'orders-db',
  });
});

test('clients read the URL from the Secret, like that of a database of the cluster', () => {
  expect(external().database.connectionEnv('ORDERS_')['ORDERS_DATABASE_URL']).toMatchObject({
    valueFrom: { secretKeyRef: { name: 'orders-db', key: 'DATABASE_URL' } },
  });
});

test('clients are told how to verify it, where that is known', () => {
  const env = external({ sslMode: SslMode.VERIFY_FULL, caKey: 'ca.pem' }).database.connectionEnv('A_');
  expect(env).toMatchObject({
    A_PGSSLMODE: 'verify-full',
    A_DATABASE_CA_CERT: { valueFrom: { secretKeyRef: { name: 'orders-db', key: 'ca.pem' } } },
  });
  expect(Object.keys(external().database.connectionEnv())).toEqual(['DATABASE_URL']);
});

test('policies open an address block, any by default', () => {
  expect(external().database.peer).toEqual({ ipBlock: { cidr: '0.0.0.0/0' } });
  expect(external({ cidr: 'fd00::/8' }).database.peer).toEqual({ ipBlock: { cidr: 'fd00::/8' } });
});

test('letting clients in is left to where it runs', () => {
  const { chart, database } = external();
  database.allowFrom();
  expect(objectsOf(chart)).toEqual([]);
});

test('its host may be late or an address', () => {
  const host = pulumi.output('db.example.com');
  const { chart, database } = external({ host });
  expect(LateTokens.of(chart).lookup(database.host)?.value).toBe(host);
  expect(external({ host: '10.1.2.3' }).database.host).toBe('10.1.2.3');
});

test.each<[Partial<ExternalDatabaseAttributes>, RegExp]>([
  [{ host: 'bad_host..com' }, /^host must be/],
  [{ port: 70_000 }, /^port must be/],
  [{ databaseName: '' }, /^databaseName must not be empty/],
  [{ secretName: 'Orders' }, /^secretName must be/],
  [{ cidr: '10.0.0.0' }, /^cidr must be .* got '10.0.0.0'/],
  [{ cidr: '10.0.0.0/33' }, /^cidr must be/],
  [{ cidr: '10.0.0/24' }, /^cidr must be/],
  [{ cidr: 'fd00::/129' }, /^cidr must be/],
  [{ caKey: 'ca/crt' }, /^caKey must be a key of a Secret .* got 'ca\/crt'/],
  [{ cidr: '10.0.0.0/8/8' }, /^cidr must be/],
])('%p is refused', (more, expected) => {
  expect(problemsOf(() => external(more))).toEqual([expect.stringMatching(expected)]);
});
