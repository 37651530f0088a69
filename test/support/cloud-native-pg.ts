import { DatabaseBackend } from '../../components/database-backend';
import type { CloudNativePgOptions } from '../../components/database-cloud-native-pg-options';
import { DatabaseEngine } from '../../components/database-engine';
import type { StatefulDatabaseProps } from '../../components/stateful-database';
import { StatefulDatabase } from '../../components/stateful-database';
import { find, newChart } from './synth';

/** An image of the operator's kind: its tag begins with the version. */
export const image = 'registry.test/postgresql:15.10';
/** Only what a database of the operator cannot do without. */
export const minimal: StatefulDatabaseProps = {
  engine: DatabaseEngine.postgres('15', { image, user: 26 }),
  password: 'correct-horse',
};
export const pooler = { image: 'registry.test/pgbouncer:1.24.1' };

/** A database of the operator in a chart of its own, and ways to its objects. */
export const build = (props: Partial<StatefulDatabaseProps> = {}, options: CloudNativePgOptions = {}) => {
  const chart = newChart('noodle-core');
  const backend = DatabaseBackend.cloudNativePg(options);
  const database = new StatefulDatabase(chart, 'postgres', { ...minimal, backend, ...props });
  const cluster = () => find(chart, 'postgresql.cnpg.io/v1/Cluster', database.name);
  const spec = () => cluster().spec;
  const policy = (name = database.name) => find(chart, 'networking.k8s.io/v1/NetworkPolicy', name).spec;
  const url = (key: string) => find(chart, 'v1/Secret', 'postgres-secret').stringData[key];
  return { chart, database, cluster, spec, policy, url };
};

/** Pods with these labels, as a NetworkPolicy names them. */
export const inNamespace = (matchLabels: object, name = 'noodle-core') => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
  podSelector: { matchLabels },
});
/** Servers of the database. */
export const instances = inNamespace({ 'cnpg.io/cluster': 'postgres', 'cnpg.io/podRole': 'instance' });
/** Servers, and the jobs that make them. */
export const members = {
  ...inNamespace({}),
  podSelector: {
    matchLabels: { 'cnpg.io/cluster': 'postgres' },
    matchExpressions: [{ key: 'cnpg.io/podRole', operator: 'NotIn', values: ['pooler'] }],
  },
};
export const operator = inNamespace({ 'app.kubernetes.io/name': 'cloudnative-pg' }, 'cnpg-system');
export const tcp = (port: number) => [{ protocol: 'TCP', port }];
