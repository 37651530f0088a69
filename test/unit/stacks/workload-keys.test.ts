import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import type { RenderedObject } from '../../../bridge/render';
import { readSettings } from '../../../stacks/render';
import { systemKey, workloadKeys, workloadOfCanary } from '../../../stacks/workload-keys';
import { renderSettings } from '../charts/platform';

const ENVIRONMENTS = ['dev', 'staging', 'prod'];
const SYSTEMS = ['noodle-core', 'noa-server'];

/** The value at a key of an environment's file; undefined where there is none. */
function valueAt(environment: string, key: string): unknown {
  const file = path.resolve(__dirname, `../../../Pulumi.${environment}.yaml`);
  const { config } = parse(readFileSync(file, 'utf8')) as { config: Readonly<Record<string, unknown>> };
  const [top = '', ...rest] = key.split('.');
  return rest.reduce<unknown>((value, step) => (value as Record<string, unknown>)?.[step], config[`trellis:${top}`]);
}

const workloads = (objects: readonly RenderedObject[]) =>
  objects
    .filter(({ kind }) => ['Deployment', 'StatefulSet'].some((each) => kind.endsWith(each)))
    .map(({ path: where, name }) => ({ system: where.split('/')[0] ?? '', name }))
    .filter(({ system }) => SYSTEMS.includes(system));

test.each(ENVIRONMENTS)('every workload of both systems in %s has keys that its file has', async (environment) => {
  const found = workloads(renderSettings(await readSettings(environment)));
  expect(found.length).toBeGreaterThan(8);
  for (const { system, name } of found) {
    const keys = Object.values(workloadKeys(system, name) ?? {}) as readonly string[];
    const values = Object.fromEntries(keys.map((key) => [key, valueAt(environment, key)]));
    expect({ system, name, keys: keys.length >= 2, values }).toEqual({
      ...{ system, name, keys: true },
      values: Object.fromEntries(keys.map((key) => [key, expect.anything() as unknown])),
    });
  }
});

test('the number of pods that an autoscaler is given is the one that its key says', async () => {
  const { noodleCore } = await readSettings('prod');
  expect(valueAt('prod', workloadKeys('noodle-core', 'noodle-runtime')?.replicas ?? '')).toBe(
    noodleCore.runtime.minReplicas,
  );
});

test('what no configuration makes has no keys', () => {
  expect(workloadKeys('noodle-core', 'by-hand')).toBeUndefined();
  expect(workloadKeys('', 'postgres')).toBeUndefined();
});

test('a canary is named by the key of its service', () => {
  expect(systemKey('noodle-core')).toBe('noodleCore');
  expect(workloadOfCanary('noodleCore', 'runtime')).toBe('noodle-runtime-canary');
  expect(workloadOfCanary('noaServer', 'ui')).toBe('ui-canary');
  expect(workloadOfCanary('shop', 'api')).toBe('api-canary');
});
