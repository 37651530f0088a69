import type { V1Pod } from '@kubernetes/client-node';

import { root } from '../../local/paths';
import { Cluster, info, isReady, shellEnvironment, until } from '../support/cluster';
import { Engine } from '../support/engine';

jest.setTimeout(300_000);

const NAMESPACE = 'database-test';
const SECRETS = ['canary-app-password', 'canary-replication'];

/** What a client sees, one fact a line, through each way into the database. */
const CLIENT = `
say() { echo "$1: $2" | tee -a /tmp/facts; }
ask() { psql -X -At -v ON_ERROR_STOP=1 "$@"; }
refused() { if ask "$1" -c "$2" > /dev/null 2> /tmp/error; then echo no; else grep -oE "$3" /tmp/error | head -1; fi; }
# A NetworkPolicy knows a new pod only a moment after its start.
for way in DATABASE_URL DIRECT_DATABASE_URL READ_DATABASE_URL; do
  for second in $(seq 60); do
    if ask "$(printenv "$way")" -c 'select 1' > /dev/null 2>&1; then break; fi
    sleep 1
  done
done
say written "$(ask "$DATABASE_URL" -c "insert into proof(what) values ('a row') returning what" | head -1)"
say pooled "$(ask "$DATABASE_URL" -c "select count(*) from pg_stat_activity where pid = pg_backend_pid() and application_name ~ ' - [0-9.]+:[0-9]+$'")"
say pooler-encrypted "$(ask "$DATABASE_URL" -c 'select ssl from pg_stat_ssl where pid = pg_backend_pid()')"
say direct-encrypted "$(ask "$DIRECT_DATABASE_URL" -c 'select version from pg_stat_ssl where pid = pg_backend_pid()')"
say direct-replicates "$(ask "$DIRECT_DATABASE_URL" -c 'select pg_is_in_recovery()')"
for try in 1 2 3 4 5 6 7 8 9 10; do
  read=$(ask "$READ_DATABASE_URL" -c 'select what from proof')
  [ -z "$read" ] || break
  sleep 1
done
say read "$read"
say replica-recovers "$(ask "$READ_DATABASE_URL" -c 'select pg_is_in_recovery()')"
say replica-encrypted "$(ask "$READ_DATABASE_URL" -c 'select ssl from pg_stat_ssl where pid = pg_backend_pid()')"
say replica-refuses "$(refused "$READ_DATABASE_URL" "insert into proof(what) values ('no')" 'read-only transaction')"
for way in DATABASE_URL DIRECT_DATABASE_URL READ_DATABASE_URL; do
  url=$(printenv "$way")
  say "clear-$way" "$(refused "\${url%%\\?*}?sslmode=disable" 'select 1' 'no encryption|SSL required')"
done
cp /tmp/facts /dev/termination-log
`;

/** One database with everything, and a job that uses each way into it. */
const program = `
  require('${root}/local/register-typescript');
  const docker = require('@pulumi/docker');
  const { App, Chart, Duration, Size } = require('cdk8s');
  const { Construct } = require('constructs');
  const c = require('${root}/components');
  const { envVars } = require('${root}/components/connections');
  const { kubeObject } = require('${root}/components/kube');
  const { podsPeer, WorkloadPolicy } = require('${root}/components/network');
  const { hardenedPod } = require('${root}/components/pod');
  const { ClusterRelease } = require('${root}/bridge');
  const image = (name) => new docker.Image(name, {
    imageName: 'localhost:5000/trellis/' + name + ':test',
    build: { context: '${root}/images/' + name, dockerfile: '${root}/images/' + name + '/Dockerfile', platform: 'linux/amd64',
      args: { BASE: 'localhost:5000/trellis/base:dev' } },
  }).repoDigest;
  const app = new App();
  const chart = new Chart(app, 'database-test', { namespace: '${NAMESPACE}' });
  const baseline = new c.NamespaceBaseline(chart, 'baseline', { removalPolicy: c.RemovalPolicy.DESTROY });
  const postgres = image('postgres');
  const db = new c.StatefulDatabase(chart, 'db', {
    engine: c.DatabaseEngine.postgres('15', { image: postgres }),
    password: pulumi.secret('${SECRETS[0]}'),
    replicationPassword: pulumi.secret('${SECRETS[1]}'),
    readReplicas: 1,
    pooler: { image: image('pgbouncer'), replicas: 1, resources: c.compute([20, 500], [16, 64]) },
    tls: c.DatabaseTls.selfSigned(),
    metrics: { image: image('postgres-exporter') },
    resources: c.compute([50, 1000], [128, 256]),
    storage: Size.gibibytes(1),
    initScripts: { 'proof.sql': 'create table proof (id bigint generated always as identity primary key, what text not null);' },
    terminationGrace: Duration.seconds(20),
    removalPolicy: c.RemovalPolicy.DESTROY,
  });
  db.node.addDependency(baseline);
  const client = new (class extends Construct { get peer() { return podsPeer(this, { 'app.kubernetes.io/name': 'client' }); } })(chart, 'client');
  const labels = { 'app.kubernetes.io/name': 'client' };
  const policy = new WorkloadPolicy(client, 'client', labels);
  const env = {};
  for (const [prefix, way] of [['', db], ['DIRECT_', db.direct], ['READ_', db.readOnly]]) {
    Object.assign(env, way.connectionEnv(prefix));
    policy.allowTo(way.peer, way.port);
    way.allowFrom(client);
    client.node.addDependency(way);
  }
  kubeObject(client, 'ServiceAccount', 'v1/ServiceAccount', { name: 'client' }, { automountServiceAccountToken: false });
  const pod = hardenedPod({ labels, serviceAccount: 'client', user: 10070, grace: Duration.seconds(5), containers: [{
    name: 'client', image: c.LateTokens.of(client).asString(client, postgres), args: ['/bin/sh', '-euc', ${JSON.stringify(CLIENT)}],
    env: envVars(client, env), resources: c.compute([20, 500], [16, 64]) }] });
  kubeObject(client, 'Job', 'batch/v1/Job', { name: 'client', labels }, () => ({ spec: {
    backoffLimit: 0, template: { metadata: { labels }, spec: { ...pod, restartPolicy: 'Never' } } } }));
  new ClusterRelease('database', { app, digestKey: pulumi.secret('0123456789abcdef0123456789abcdef') }, { provider });
`;

describe('a database with a replica, a pooler, TLS and metrics', () => {
  let cluster: Cluster;
  let engine: Engine;
  let facts: ReadonlyMap<string, string>;

  const pods = (name: string): Promise<readonly V1Pod[]> =>
    cluster.list<V1Pod>(`/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=app.kubernetes.io%2Fname%3D${name}`);
  /** What the exporter beside a server says, asked from the node. */
  const metrics = async (pod: string): Promise<string> =>
    cluster.text(`/api/v1/namespaces/${NAMESPACE}/pods/${pod}:9187/proxy/metrics`);

  beforeAll(async () => {
    cluster = new Cluster();
    const { DOCKER_HOST } = await shellEnvironment();
    engine = await Engine.create({
      kubeconfig: info().kubeconfig,
      env: { DOCKER_BUILDKIT: '0', ...(DOCKER_HOST === undefined ? {} : { DOCKER_HOST }) },
    });
    engine.program(program, "context: 'trellis-dev', enableConfigMapMutable: true, enableSecretMutable: true");
    const { output } = await engine.up();
    for (const secret of SECRETS) expect(output).not.toContain(secret);
    const [client] = await pods('client');
    const message = client?.status?.containerStatuses?.[0]?.state?.terminated?.message ?? '';
    facts = new Map(message.split('\n').map((line) => line.split(': ') as [string, string]));
  });
  afterAll(async () => {
    await engine.run('destroy', '--yes', '--skip-preview');
    await engine.dispose();
  });

  test('a row that was written through PgBouncer is read from a replica', () => {
    expect(facts.get('written')).toBe('a row');
    expect(facts.get('pooled')).toBe('1');
    expect(facts.get('read')).toBe('a row');
    expect(facts.get('replica-recovers')).toBe('t');
    expect(facts.get('direct-replicates')).toBe('f');
    expect(facts.get('replica-refuses')).toBe('read-only transaction');
  });

  test('every connection is encrypted, and one that is not is refused', () => {
    expect(facts.get('pooler-encrypted')).toBe('t');
    expect(facts.get('direct-encrypted')).toBe('TLSv1.3');
    expect(facts.get('replica-encrypted')).toBe('t');
    expect(facts.get('clear-DATABASE_URL')).toBe('SSL required');
    expect(facts.get('clear-DIRECT_DATABASE_URL')).toBe('no encryption');
    expect(facts.get('clear-READ_DATABASE_URL')).toBe('no encryption');
  });

  test('each server has metrics, and the primary reports the slot of its replica', async () => {
    const primary = await metrics('db-0');
    expect(primary).toMatch(/^pg_up 1$/m);
    expect(primary).toMatch(/^pg_replication_slots_active\{.*slot_name="db_replica_0"\} 1$/m);
    expect(await metrics('db-replica-0')).toMatch(/^pg_up 1$/m);
  });

  test('a second preview shows no change', async () => {
    expect(await engine.steps()).toEqual([]);
  });

  test('a replica whose copy is there already follows on after its pod was replaced', async () => {
    const [before] = await pods('db-replica');
    await cluster.remove(`/api/v1/namespaces/${NAMESPACE}/pods/db-replica-0`);
    const after = await until('another replica that is ready', async () => {
      const [pod] = await pods('db-replica');
      return pod !== undefined && pod.metadata?.uid !== before?.metadata?.uid && isReady(pod) ? pod : undefined;
    });
    const copy = after.status?.initContainerStatuses?.find(({ name }) => name === 'copy-primary');
    expect(copy?.state?.terminated?.exitCode).toBe(0);
    const log = await cluster.text(`/api/v1/namespaces/${NAMESPACE}/pods/db-replica-0/log?container=copy-primary`);
    expect(log).toMatch(/is followed through slot db_replica_0/);
  });
});
