import { ApiObject, App, Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { render } from '../bridge/render';
import type { RenderedObject } from '../bridge/render';
import { AutoscaledService } from '../components/autoscaled-service';
import { NamespaceBaseline } from '../components/namespace-baseline';

/** Objects of one team: a namespace with its baseline (5), services that call each other (6 each), and ConfigMaps. */
export const TEAM_OBJECTS = 100;
const SERVICES = 15;
const CONFIG_MAPS = 5;
const IMAGE = 'registry.example/team/api:1.0.0';

export interface PlatformOptions {
  /** Objects in all, a multiple of {@link TEAM_OBJECTS}. */
  readonly objects: number;
  /** Objects in each namespace, a multiple of {@link TEAM_OBJECTS} too. @default TEAM_OBJECTS */
  readonly perNamespace?: number;
}

/** A platform of so many objects, made as a user would: each service connects to the one before it. */
export function benchPlatform({ objects, perNamespace = TEAM_OBJECTS }: PlatformOptions): App {
  const app = new App();
  for (let index = 0; index < objects / perNamespace; index += 1) {
    const name = `team-${index}`;
    const chart = new Chart(app, name, { namespace: name });
    new NamespaceBaseline(chart, 'baseline');
    // The baseline is there once, whatever the namespace's size: ConfigMaps make up for it.
    const teams = perNamespace / TEAM_OBJECTS;
    addServices(chart, teams * SERVICES);
    const configMaps = teams * CONFIG_MAPS + (teams - 1) * 5;
    for (let config = 0; config < configMaps; config += 1) addConfigMap(chart, `config-${config}`);
  }
  return app;
}

function addServices(scope: Construct, count: number): void {
  let previous: AutoscaledService | undefined;
  for (let index = 0; index < count; index += 1) {
    const service = new AutoscaledService(scope, `api-${index}`, { image: IMAGE, env: { LOG_LEVEL: 'info' } });
    if (previous !== undefined) service.connects(previous, { prefix: 'PEER' });
    previous = service;
  }
}

const addConfigMap = (scope: Construct, name: string): ApiObject =>
  new ApiObject(scope, name, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { 'app.json': '{}' } });

/** Layers of objects, each of which depends on all of the layer below: cdk8s' own sort of these never ends. */
export function layeredApp(layers: number, width: number): App {
  const app = new App();
  const chart = new Chart(app, 'layers');
  let below: readonly ApiObject[] = [];
  for (let layer = 0; layer < layers; layer += 1) {
    const own = Array.from({ length: width }, (_, index) => addConfigMap(chart, `l${layer}-${index}`));
    for (const object of own) object.node.addDependency(...below);
    below = own;
  }
  return app;
}

/** The objects of a platform of so many. @throws RangeError where they are not as many: the benchmark would lie */
export function benchObjects(options: PlatformOptions): readonly RenderedObject[] {
  const objects = render(benchPlatform(options));
  if (objects.length !== options.objects)
    throw new RangeError(`${options.objects} objects were asked for, and ${objects.length} came`);
  return objects;
}
