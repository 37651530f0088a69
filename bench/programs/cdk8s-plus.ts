import * as fs from 'node:fs';
import { App, Chart } from 'cdk8s';
import { ConfigMap, Deployment } from 'cdk8s-plus-28';

/** What cdk8s-plus-28 makes of as many objects, a ConfigMap, a Deployment and its Service at a time: `cdk8s-plus.js <objects>`. */
const app = new App();
const chart = new Chart(app, 'plus');
for (let index = 0; index < Number(process.argv[2]) / 3; index += 1) {
  new ConfigMap(chart, `config-${index}`, { data: { 'app.json': '{}' } });
  const deployment = new Deployment(chart, `api-${index}`, { containers: [{ image: 'api', portNumber: 8080 }] });
  deployment.exposeViaService();
}
fs.writeFileSync('/dev/null', app.synthYaml());
