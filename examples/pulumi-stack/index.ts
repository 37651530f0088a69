import { Provider } from '@pulumi/kubernetes/provider';
import { RandomPassword } from '@pulumi/random/randomPassword';
import { RandomPet } from '@pulumi/random/randomPet';
import { App, Chart, Size } from 'cdk8s';
import { ClusterRelease } from 'trellis/bridge';
import { AutoscaledService, DatabaseEngine, NamespaceBaseline, StatefulDatabase } from 'trellis/components';

const password = new RandomPassword('orders', { length: 32, special: false });
const digestKey = new RandomPassword('digest-key', { length: 48, special: false });
// Stands for any other resource: its output is known only once it is made.
const release = new RandomPet('release');

const app = new App();
const chart = new Chart(app, 'shop', { namespace: 'shop' });
new NamespaceBaseline(chart, 'baseline', {});
const orders = new StatefulDatabase(chart, 'orders', {
  engine: DatabaseEngine.postgres('15', { image: 'registry.example.com/postgres:15' }),
  password: password.result,
  storage: Size.gibibytes(20),
});
const api = new AutoscaledService(chart, 'api', {
  image: 'registry.example.com/api:1.4.2',
  minReplicas: 2,
  maxReplicas: 6,
  env: { RELEASE: release.id },
});
api.connects(orders);

const provider = new Provider('cluster', {
  enableServerSideApply: true,
  enableSecretMutable: true,
  enableConfigMapMutable: true,
});
new ClusterRelease('shop', { app, digestKey: digestKey.result }, { provider });

export const database = `${orders.host}:${orders.port}`;
export const releaseName = release.id;
