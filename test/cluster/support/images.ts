import type { V1CronJob, V1StatefulSet } from '@kubernetes/client-node';

import { ClusterTestError, info, NAMESPACE, shellEnvironment, start, until } from '../../support/cluster';
import type { Cluster } from '../../support/cluster';

/** As a URL names it, with its API group. */
type Workload = `apps/v1/${'deployments' | 'statefulsets'}/${string}` | `batch/v1/cronjobs/${string}`;

/**
 * The image of the first container of a workload that the dev stack deploys. Other tests may take a workload away at the same time, and bring it
 * back with an update: it is waited for.
 *
 * @param namespace of NoodleCore, where none is given
 */
export const imageOf = (cluster: Cluster, workload: Workload, namespace = NAMESPACE): Promise<string> =>
  until(`the image of ${namespace}/${workload}`, async () => {
    const [group, version, kind, name] = workload.split('/');
    const url = `/apis/${group}/${version}/namespaces/${namespace}/${kind}/${name}`;
    const { spec } = await cluster.get<V1StatefulSet & V1CronJob>(url);
    return (spec?.jobTemplate?.spec?.template ?? spec?.template)?.spec?.containers[0]?.image;
  });

/** Where an image of the cluster is kept: `localhost:5000/trellis` of `localhost:5000/trellis/postgres@sha256:…`. */
export const registryOf = (image: string): string => image.slice(0, image.lastIndexOf('/'));

/**
 * Builds an image from a folder and pushes it to the registry of the cluster.
 *
 * @param registry folder in the registry, as the cluster names it
 * @param args of the build, beside tag and folder
 * @returns its reference by digest, as the cluster names it
 * @throws ClusterTestError with what Docker says
 */
export async function pushImage(
  registry: string,
  name: string,
  folder: string,
  args: readonly string[] = [],
): Promise<string> {
  const env = { ...(await shellEnvironment()), DOCKER_BUILDKIT: '0' };
  // The registry may have another port on this machine than the name that the cluster knows it by.
  const image = `${info().registryHost}/${registry.slice(registry.indexOf('/') + 1)}/${name}:test`;
  for (const argv of [
    ['docker', 'build', '--quiet', '--tag', image, ...args, folder],
    ['docker', 'push', image],
  ]) {
    const { code, output, stdout } = await start(argv, env).exited;
    if (code !== 0) throw new ClusterTestError(`${argv.join(' ')}: ${output}`);
    const [, digest] = /digest: (sha256:[0-9a-f]{64})/.exec(stdout) ?? [];
    if (digest !== undefined) return `${registry}/${name}@${digest}`;
  }
  throw new ClusterTestError(`The registry named no digest of ${image}.`);
}
