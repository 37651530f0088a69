import { App, Chart, YamlOutputType } from 'cdk8s';
import { AutoscaledService, Certificate, NamespaceBaseline, StatefulDatabase, TlsIngress } from 'trellis/components';

// One file, dist/shop.k8s.yaml, for `kubectl apply` or a GitOps tool. No engine, and so no secret: they exist already.
const app = new App({ outdir: 'dist', yamlOutputType: YamlOutputType.FILE_PER_CHART });
const chart = new Chart(app, 'shop', { namespace: 'shop' });

new NamespaceBaseline(chart, 'baseline', {});
const orders = StatefulDatabase.fromExternal(chart, 'orders', {
  host: 'db.example.com',
  databaseName: 'orders',
  secretName: 'orders-database',
});
const api = new AutoscaledService(chart, 'api', {
  image: 'registry.example.com/api:1.4.2',
  minReplicas: 2,
  maxReplicas: 6,
});
api.connects(orders);
new TlsIngress(chart, 'web', {
  certificate: Certificate.issuedBy('letsencrypt-prod'),
  routes: [{ host: 'shop.example.com', to: api }],
});

app.synth();
