import * as pulumi from '@pulumi/pulumi';
import { Size } from 'cdk8s';
import { Construct } from 'constructs';
import type { IClient } from '../../../components/connections';
import { DatabaseEngine } from '../../../components/database-engine';
import { LateTokens } from '../../../components/late';
import { podsPeer } from '../../../components/network';
import { compute } from '../../../components/pod';
import { RemovalPolicy, setReleaseOptions } from '../../../components/release-options';
import { StatefulDatabase } from '../../../components/stateful-database';
import { fullDatabase, minimalBackup, minimalDatabase } from '../../support/props';
import { find, inventory, newChart, objectsOf, releaseOptions } from '../../support/synth';

const build = (props = minimalDatabase, namespace: string | undefined = 'noodle-core') => {
  const chart = newChart(namespace);
  const database = new StatefulDatabase(chart, 'postgres', props);
  const statefulSet = () => find(chart, 'apps/v1/StatefulSet', database.name);
  const pod = () => statefulSet().spec.template.spec;
  return { chart, database, statefulSet, pod, container: () => pod().containers[0] };
};

class Client extends Construct implements IClient {
  public readonly peer = podsPeer(this, { 'app.kubernetes.io/name': this.node.id });
}

describe('with required props only', () => {
  test('makes these objects and no others', () => {
    const { chart, statefulSet } = build();
    expect(statefulSet().spec.podManagementPolicy).toBe('Parallel');
    expect(inventory(chart)).toEqual([
      'ConfigMap/postgres-config',
      'NetworkPolicy/postgres',
      'PersistentVolumeClaim/data-postgres-0',
      'PodDisruptionBudget/postgres',
      'Secret/postgres-secret',
      'Service/postgres-headless',
      'Service/postgres-service',
      'ServiceAccount/postgres',
      'StatefulSet/postgres',
    ]);
  });

  test('defaults are re-exposed under the names of their props', () => {
    const { database } = build();
    expect({ ...database, storage: database.storage.toGibibytes() }).toMatchObject({
      databaseName: 'app',
      username: 'app',
      storage: 10,
      removalPolicy: RemovalPolicy.RETAIN,
      host: 'postgres-service.noodle-core.svc',
      port: 5432,
      secretName: 'postgres-secret',
    });
    expect(database.terminationGrace.toSeconds()).toBe(120);
    expect(database.startupDeadline.toSeconds()).toBe(600);
  });

  test('without a namespace the host is the bare Service', () => {
    const chart = newChart();
    expect(new StatefulDatabase(chart, 'db', minimalDatabase).host).toBe('db-service');
  });

  test('settings follow from one gibibyte of memory', () => {
    const conf = find(build().chart, 'v1/ConfigMap', 'postgres-config').data['postgresql.conf'];
    for (const line of [
      'max_connections = 100',
      "shared_buffers = '262144kB'",
      "effective_cache_size = '786432kB'",
      "work_mem = '2621kB'",
      "maintenance_work_mem = '65536kB'",
      "max_wal_size = '524288kB'",
      "min_wal_size = '131072kB'",
      "log_min_duration_statement = '1000ms'",
      "statement_timeout = '0ms'",
      "idle_in_transaction_session_timeout = '300000ms'",
      'log_parameter_max_length = 0',
      "listen_addresses = '*'",
    ]) {
      expect(conf?.split('\n')).toContain(line);
    }
  });

  test('the Secret holds password and URL as tokens that stay secret', () => {
    const { chart } = build();
    const { stringData } = find(chart, 'v1/Secret', 'postgres-secret');
    const token = stringData['POSTGRES_PASSWORD'] as string;
    expect(LateTokens.of(chart).lookup(token)).toMatchObject({ value: 'correct-horse', secret: true });
    expect(stringData['DATABASE_URL']).toBe(`postgres://app:${token}@postgres-service.noodle-core.svc:5432/app`);
    expect(JSON.stringify(objectsOf(chart))).not.toContain('correct-horse');
  });

  test('the password reaches the server as a file, never as an environment variable', () => {
    const { pod, container } = build();
    expect(container()?.env).toEqual([
      { name: 'PGDATA', value: '/var/lib/postgresql/data/pgdata' },
      { name: 'POSTGRES_DB', value: 'app' },
      { name: 'POSTGRES_PASSWORD_FILE', value: '/run/secrets/postgres/password' },
      { name: 'POSTGRES_USER', value: 'app' },
    ]);
    expect(pod().volumes).toContainEqual({
      name: 'password',
      secret: {
        secretName: 'postgres-secret',
        defaultMode: 0o440,
        items: [{ key: 'POSTGRES_PASSWORD', path: 'password' }],
      },
    });
    expect(container()?.volumeMounts).toContainEqual({
      name: 'password',
      mountPath: '/run/secrets/postgres',
      readOnly: true,
    });
  });

  test('probes ask pg_isready over TCP; liveness takes a refusal for a sign of life', () => {
    const ask = ['pg_isready', '-q', '-h', '127.0.0.1', '-p', '5432', '-U', 'app', '-d', 'app'];
    expect(build().container()).toMatchObject({
      startupProbe: { exec: { command: ask }, periodSeconds: 5, failureThreshold: 120 },
      readinessProbe: { exec: { command: ask } },
      livenessProbe: { exec: { command: ['/bin/sh', '-c', `${ask.join(' ')}; [ "$?" -lt 2 ]`] } },
    });
  });

  test('shared memory is sized by the limit, since 64 MiB break parallel queries', () => {
    expect(build().pod().volumes).toContainEqual({ name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '128Mi' } });
  });

  test('a drain is let through, and an unhealthy pod never blocks one', () => {
    expect(find(build().chart, 'policy/v1/PodDisruptionBudget', 'postgres').spec).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
  });

  test('the service account brings no token', () => {
    const { chart, pod } = build();
    expect(find(chart, 'v1/ServiceAccount', 'postgres').automountServiceAccountToken).toBe(false);
    expect(pod()).toMatchObject({ serviceAccountName: 'postgres', automountServiceAccountToken: false });
  });

  test('client and governing Service lead to the same port', () => {
    const { chart, statefulSet } = build();
    const selector = { 'app.kubernetes.io/name': 'postgres' };
    expect(find(chart, 'v1/Service', 'postgres-service').spec).toMatchObject({ type: 'ClusterIP', selector });
    expect(find(chart, 'v1/Service', 'postgres-headless').spec).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector,
    });
    expect(statefulSet().spec).toMatchObject({ serviceName: 'postgres-headless', selector: { matchLabels: selector } });
  });
});

describe('with every prop', () => {
  test('each reaches its object', () => {
    const { chart, container, pod, statefulSet } = build(fullDatabase);
    const spec = statefulSet().spec;
    expect(spec.volumeClaimTemplates?.[0]).toMatchObject({
      spec: { storageClassName: 'fast', resources: { requests: { storage: '20Gi' } } },
    });
    expect(pod()).toMatchObject({ terminationGracePeriodSeconds: 180, securityContext: { runAsUser: 20070 } });
    expect(container()).toMatchObject({
      image: fullDatabase.engine.image,
      ports: [{ containerPort: 6543 }],
      startupProbe: { failureThreshold: 240 },
      resources: { limits: { cpu: '2000m', memory: '2Gi' }, requests: { cpu: '500m', memory: '1Gi' } },
    });
    expect(statefulSet().metadata.annotations).toMatchObject({ 'pulumi.com/timeoutSeconds': '1500' });
    expect(find(chart, 'v1/Service', 'main-db-service').spec.ports).toMatchObject([{ port: 6543 }]);
  });

  test('configuration wins over what would be derived, and strings are quoted', () => {
    const conf = find(build(fullDatabase).chart, 'v1/ConfigMap', 'main-db-config').data['postgresql.conf'];
    for (const line of [
      'max_connections = 50',
      "shared_buffers = '409600kB'",
      "effective_cache_size = '1228800kB'",
      "work_mem = '8192kB'",
      "maintenance_work_mem = '98304kB'",
      "max_wal_size = '3145728kB'",
      "log_min_duration_statement = '5000ms'",
      "statement_timeout = '600000ms'",
      "idle_in_transaction_session_timeout = '60000ms'",
      "log_line_prefix = 'it''s %m '",
      'jit = on',
      'pg_stat_statements.max = 2000',
    ]) {
      expect(conf?.split('\n')).toContain(line);
    }
    expect(conf).not.toContain('jit = off');
  });

  test('init scripts are mounted where the image looks for them', () => {
    const { chart, pod, container } = build(fullDatabase);
    expect(find(chart, 'v1/ConfigMap', 'main-db-init').data).toEqual(fullDatabase.initScripts);
    expect(pod().volumes).toContainEqual({ name: 'init', configMap: { name: 'main-db-init' } });
    expect(container()?.volumeMounts).toContainEqual({
      name: 'init',
      mountPath: '/docker-entrypoint-initdb.d',
      readOnly: true,
    });
  });

  test('labels are on objects and pods, but neither in selectors nor in claim templates', () => {
    const { statefulSet } = build(fullDatabase);
    const own = { 'app.kubernetes.io/name': 'main-db' };
    expect(statefulSet().metadata.labels).toEqual({ ...own, 'example.com/team': 'data' });
    expect(statefulSet().spec.template.metadata.labels).toEqual({ ...own, 'example.com/team': 'data' });
    expect(statefulSet().spec.selector.matchLabels).toEqual(own);
    expect(statefulSet().spec.volumeClaimTemplates?.[0]?.metadata?.labels).toEqual(own);
  });
});

describe('data outlives mistakes', () => {
  test('retained: volume, Secret and configuration stay, pods outlive their StatefulSet', () => {
    const { chart, statefulSet } = build();
    expect(statefulSet().metadata.annotations).toMatchObject({ 'pulumi.com/deletionPropagationPolicy': 'orphan' });
    const kept = statefulSet().spec.persistentVolumeClaimRetentionPolicy;
    expect(kept).toEqual({ whenDeleted: 'Retain', whenScaled: 'Retain' });
    for (const [kind, name] of [
      ['PersistentVolumeClaim', 'data-postgres-0'],
      ['Secret', 'postgres-secret'],
      ['ConfigMap', 'postgres-config'],
      ['ServiceAccount', 'postgres'],
      ['NetworkPolicy', 'postgres'],
      ['Service', 'postgres-service'],
    ] as const) {
      expect(releaseOptions(chart, kind, name).removalPolicy).toBe(RemovalPolicy.RETAIN);
    }
  });

  test('the StatefulSet itself is never retained, since an engine could not replace it then', () => {
    const { chart } = build();
    setReleaseOptions(chart, { removalPolicy: RemovalPolicy.RETAIN });
    expect(releaseOptions(chart, 'StatefulSet', 'postgres').removalPolicy).toBe(RemovalPolicy.DESTROY);
  });

  test('destroyed: pods go with their StatefulSet, the claim by itself', () => {
    const { chart, statefulSet } = build({ ...minimalDatabase, removalPolicy: RemovalPolicy.DESTROY });
    expect(statefulSet().metadata.annotations).not.toHaveProperty('pulumi.com/deletionPropagationPolicy');
    expect(statefulSet().spec.persistentVolumeClaimRetentionPolicy).toMatchObject({ whenDeleted: 'Retain' });
    expect(releaseOptions(chart, 'PersistentVolumeClaim', 'data-postgres-0').removalPolicy).toBe(RemovalPolicy.DESTROY);
  });
});

describe('connections', () => {
  test('clients read one key of the Secret', () => {
    const { database } = build();
    expect(Object.keys(database.connectionEnv())).toEqual(['DATABASE_URL']);
    expect(database.connectionEnv('AUDIT_')['AUDIT_DATABASE_URL']?.valueFrom).toEqual({
      secretKeyRef: { name: 'postgres-secret', key: 'DATABASE_URL' },
    });
  });

  test('nobody gets in before allowFrom, and then only on the port', () => {
    const { chart, database } = build();
    const ingress = () => find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'postgres').spec.ingress;
    expect(ingress()).toBeUndefined();
    const client = new Client(chart, 'runtime');
    database.allowFrom(client);
    expect(ingress()).toEqual([{ from: [client.peer], ports: [{ protocol: 'TCP', port: 5432 }] }]);
  });
});

describe('late values', () => {
  test('are tokens in image, storage class and password', () => {
    const image = pulumi.output('registry.test/postgres:15');
    const storageClass = pulumi.output('fast');
    const password = pulumi.secret('late-password');
    const { chart, container, statefulSet } = build({
      ...minimalDatabase,
      engine: DatabaseEngine.postgres('15', { image }),
      storageClass,
      password,
      backup: minimalBackup,
    });
    const tokens = LateTokens.of(chart);
    expect(tokens.lookup(container()?.image ?? '')).toMatchObject({ value: image, secret: false });
    const claimed = statefulSet().spec.volumeClaimTemplates?.[0]?.spec?.storageClassName ?? '';
    expect(tokens.lookup(claimed)).toMatchObject({ value: storageClass, secret: false });
    expect(find(chart, 'v1/PersistentVolumeClaim', 'postgres-backup').spec.storageClassName).toBe(claimed);
    const { stringData } = find(chart, 'v1/Secret', 'postgres-secret');
    expect(tokens.lookup(stringData['POSTGRES_PASSWORD'] ?? '')).toMatchObject({ value: password, secret: true });
    expect(stringData['DATABASE_URL']).toContain(stringData['POSTGRES_PASSWORD']);
  });

  test('two synths are equal', () => {
    const { chart } = build(fullDatabase);
    expect(objectsOf(chart)).toEqual(objectsOf(chart));
  });
});

test('a small container leaves out nothing', () => {
  const { database } = build({
    ...minimalDatabase,
    resources: { memory: { limit: Size.mebibytes(256) }, ...pick(compute([10, 100], [1, 2])) },
  });
  expect(database.settings.sharedBuffers.toMebibytes()).toBe(64);
});
const pick = ({ cpu }: ReturnType<typeof compute>) => (cpu === undefined ? {} : { cpu });
