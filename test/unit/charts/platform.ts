import type { RenderedObject } from '../../../bridge/render';
import { render } from '../../../bridge/render';
import type { Container, Kinds } from '../../../components/kube';
import { buildPlatform } from '../../../stacks/platform';
import { readSettings } from '../../../stacks/render';
import type { Manifest } from '../../support/synth';

export const IMAGES = {
  runtime: `example.test/runtime@sha256:${'1'.repeat(64)}`,
  postgres: `example.test/postgres@sha256:${'2'.repeat(64)}`,
  redis: `example.test/redis@sha256:${'3'.repeat(64)}`,
};

/** Every object of one environment's platform, with the configuration of its file. */
export async function renderPlatform(environment: string): Promise<readonly RenderedObject[]> {
  const settings = await readSettings(environment);
  const secrets = { postgresPassword: 'p'.repeat(32), redisPassword: 'r'.repeat(32), secretKey: 'k'.repeat(64) };
  return render(buildPlatform(settings, { noodleCore: { images: IMAGES, secrets } }));
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
export const runtimeOf = (objects: readonly RenderedObject[]) => pick(objects, 'apps/v1/Deployment', 'noodle-runtime');
export const storeOf = (objects: readonly RenderedObject[], name: string) => pick(objects, 'apps/v1/StatefulSet', name);
