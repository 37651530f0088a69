export const ROTATION_NAMESPACE = 'rotation-test';

/** A write and a read with a login of their own, again and again; each that fails says why. Ends at SIGTERM, and stays to be read. */
const loop = (step: string): string => `
trap 'stopped=1' TERM
stopped=
# A NetworkPolicy knows a new pod only a moment after its start.
until ${step} > /dev/null 2>&1; do sleep 0.2; done
touch /tmp/ready
while [ -z "$stopped" ]; do
  if answer=$(${step} 2>&1); then echo "done: $answer"; else echo "failed: $answer"; fi
  sleep 0.1
done
sleep 4
`;
const SQL = loop(
  'psql "$DATABASE_URL" -X -q -At -v ON_ERROR_STOP=1 -c "insert into proof (what) values (\'a row\')" -c "select count(*) > 0 from proof"',
);
// Its own tool takes the empty user of such a URL for a name.
const KEYS = `
rest=\${REDIS_URL#redis://:}
export REDISCLI_AUTH=\${rest%%@*}
export HOST=\${rest#*@}
HOST=\${HOST%%:*}
${loop('sh -euc \'test "$(redis-cli -e -h "$HOST" set proof 1)" = OK; redis-cli -e -h "$HOST" get proof\'')}`;

/** Images of the stores, by name. */
export type StoreImages = Readonly<Record<'postgres' | 'pgbouncer' | 'redis', string>>;

/** Both stores with some passwords, and a client of each. */
export const rotationProgram = (
  root: string,
  images: StoreImages,
  accepted: readonly number[],
  used: number,
): string => `
  require('${root}/local/register-typescript');
  const { App, Chart, Duration, Size } = require('cdk8s');
  const { Construct } = require('constructs');
  const c = require('${root}/components');
  const { envVars } = require('${root}/components/connections');
  const { kubeObject } = require('${root}/components/kube');
  const { podsPeer, WorkloadPolicy } = require('${root}/components/network');
  const { hardenedPod } = require('${root}/components/pod');
  const { ClusterRelease } = require('${root}/bridge');
  const images = ${JSON.stringify(images)};
  const password = (name) => c.RotatingPassword.of({
    accepted: Object.fromEntries(${JSON.stringify(accepted)}.map((number) => [number, new random.RandomPassword(
      number % 2 === 1 ? name : name + '-b', { length: 24, special: false, keepers: { number: String(number) } }).result])),
    used: ${used},
  });
  const app = new App();
  const chart = new Chart(app, 'rotation', { namespace: '${ROTATION_NAMESPACE}' });
  const baseline = new c.NamespaceBaseline(chart, 'baseline', { removalPolicy: c.RemovalPolicy.DESTROY });
  const { postgres, pgbouncer, redis } = images;
  const db = new c.StatefulDatabase(chart, 'db', {
    engine: c.DatabaseEngine.postgres('15', { image: postgres }),
    password: password('db'),
    pooler: { image: pgbouncer, replicas: 1, resources: c.compute([20, 500], [16, 64]) },
    tls: c.DatabaseTls.selfSigned(),
    resources: c.compute([50, 1000], [128, 256]),
    storage: Size.gibibytes(1),
    initScripts: { 'proof.sql': 'create table proof (id bigint generated always as identity primary key, what text not null);' },
    terminationGrace: Duration.seconds(20),
    removalPolicy: c.RemovalPolicy.DESTROY,
  });
  const cache = new c.CacheStore(chart, 'redis', { image: redis, password: password('redis'), resources: c.compute([20, 200], [32, 64]) });
  const client = (name, store, image, script) => {
    const labels = { 'app.kubernetes.io/name': name };
    const own = new (class extends Construct { get peer() { return podsPeer(this, labels); } })(chart, name);
    new WorkloadPolicy(own, name, labels).allowTo(store.peer, store.port);
    store.allowFrom(own);
    own.node.addDependency(store);
    kubeObject(own, 'ServiceAccount', 'v1/ServiceAccount', { name }, { automountServiceAccountToken: false });
    const pod = hardenedPod({ labels, serviceAccount: name, user: 10070, grace: Duration.seconds(15), containers: [{
      name: 'client', image: c.LateTokens.of(own).asString(own, image), args: ['/bin/sh', '-euc', script],
      env: envVars(own, store.connectionEnv()), resources: c.compute([20, 500], [16, 64]),
      probes: { readiness: { exec: { command: ['test', '-f', '/tmp/ready'] }, periodSeconds: 1 } } }] });
    kubeObject(own, 'Deployment', 'apps/v1/Deployment', { name, labels }, () => ({ spec: { replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } } }));
  };
  for (const store of [db, cache]) store.node.addDependency(baseline);
  client('sql', db, postgres, ${JSON.stringify(SQL)});
  client('keys', cache, redis, ${JSON.stringify(KEYS)});
  new ClusterRelease('rotation', { app, digestKey: pulumi.secret('0123456789abcdef0123456789abcdef') }, { provider });
`;
