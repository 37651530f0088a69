import type { RenderedObject } from '../../../bridge/render';
import { render } from '../../../bridge/render';
import type { Container, Kinds } from '../../../components/kube';
import { buildPlatform } from '../../../stacks/platform';
import { readSettings } from '../../../stacks/render';
import type { Settings } from '../../../stacks/schema';
import { mapSecrets } from '../../../stacks/secret-names';
import type { Manifest } from '../../support/synth';

const digest = (name: string): string =>
  `example.test/${name}@sha256:${name.replace(/[^0-9a-f]/g, '').padEnd(64, '0')}`;

/** Where a test's alerts go. */
export const RECEIVER_URL = 'https://alerts.example.test/hook/CANARY';

const STORES = ['postgres', 'pooler', 'postgresExporter', 'redis', 'redisExporter', 'backup', 'backupStatus'] as const;

/** Every image by its name in the settings, by a digest that nobody else has. */
export const IMAGES = {
  noodleCore: mapNames('runtime', 'runtimeCanary', 'ide', 'nginx', ...STORES),
  observability: mapNames('prometheus', 'alertmanager', 'grafana', 'loki', 'fluentBit'),
  noaServer: mapNames('ui', 'uiCanary', 'mcp', 'claudeFlow', 'agenticOs', 'llamaCpp', 'modelFetch', ...STORES),
};

function mapNames<K extends string>(...names: readonly K[]): Readonly<Record<K, string>> {
  return Object.fromEntries(names.map((name) => [name, digest(name.toLowerCase())])) as Record<K, string>;
}

/** Every object of one environment's platform, with the configuration of its file. */
export async function renderPlatform(environment: string): Promise<readonly RenderedObject[]> {
  return renderSettings(await readSettings(environment));
}

/** The same with settings that a test has changed. */
export function renderSettings(settings: Settings): readonly RenderedObject[] {
  const secrets = mapSecrets(settings, ({ name, length }) => name.replaceAll('-', '').padEnd(length, 'x'));
  return render(
    buildPlatform(settings, {
      noodleCore: { images: IMAGES.noodleCore, secrets: secrets.noodleCore },
      noaServer: { images: IMAGES.noaServer, secrets: secrets.noaServer },
      observability: {
        ...{ images: IMAGES.observability, secrets: secrets.observability },
        receiverUrl: RECEIVER_URL,
      },
    }),
  );
}

/** Those of one system. */
export async function renderSystem(
  system: 'noodle-core' | 'noa-server' | 'observability' | 'log-collection',
  environment: string,
): Promise<readonly RenderedObject[]> {
  return (await renderPlatform(environment)).filter(({ path }) => path.startsWith(`${system}/`));
}

/** The one object of this kind and name. */
export function pick<K extends keyof Kinds>(objects: readonly RenderedObject[], kind: K, name: string): Manifest<K> {
  const found = objects.filter((one) => `${one.apiVersion}/${one.kind}` === kind && one.name === name);
  expect(found.map((one) => one.name)).toEqual([name]);
  return found[0]?.manifest as unknown as Manifest<K>;
}

/** Environment of a container: values as they are, keys of Secrets as `secret:NAME/KEY`. */
export function environmentOf(container: Container): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    (container.env ?? []).map(({ name, value, valueFrom }) => {
      const key = valueFrom?.secretKeyRef;
      return [name, key === undefined ? value : `secret:${key.name ?? ''}/${key.key}`];
    }),
  );
}

/** The container that a workload's pods run. */
export const first = (workload: Manifest<'apps/v1/Deployment'> | Manifest<'apps/v1/StatefulSet'>): Container =>
  workload.spec.template.spec.containers[0] as Container;
export const deploymentOf = (objects: readonly RenderedObject[], name: string) =>
  pick(objects, 'apps/v1/Deployment', name);
export const runtimeOf = (objects: readonly RenderedObject[]) => deploymentOf(objects, 'noodle-runtime');
export const storeOf = (objects: readonly RenderedObject[], name: string) => pick(objects, 'apps/v1/StatefulSet', name);

/** The first container of every Deployment and StatefulSet, by name. */
export const podsOf = (objects: readonly RenderedObject[]): ReadonlyMap<string, Container> =>
  new Map(
    objects
      .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
      .map(({ name, manifest }) => [name, first(manifest as unknown as Manifest<'apps/v1/Deployment'>)] as const),
  );
