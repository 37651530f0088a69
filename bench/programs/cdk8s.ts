import * as fs from 'node:fs';
import { ApiObject, App, Chart, Yaml } from 'cdk8s';

/** The same objects as plain ones of cdk8s, a chart for each hundred, without our library: `cdk8s.js <file of objects>`. */
const manifests = JSON.parse(fs.readFileSync(process.argv[2] ?? '', 'utf8')) as ConstructorParameters<
  typeof ApiObject
>[2][];
const app = new App();
let chart = new Chart(app, 'chart-0');
for (const [index, manifest] of manifests.entries()) {
  if (index % 100 === 0 && index > 0) chart = new Chart(app, `chart-${index}`);
  new ApiObject(chart, `object-${index}`, manifest);
}
const objects = app.node.findAll().filter((each): each is ApiObject => ApiObject.isApiObject(each));
fs.writeFileSync('/dev/null', Yaml.stringify(...objects.map((each): unknown => each.toJson())));
