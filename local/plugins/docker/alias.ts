import type { ImageSpec } from './inputs';

/**
 * Where this host reaches a registry whose name is another one inside the cluster: `NAME=HOST:PORT`, set by `./trellis env`
 * where the local cluster's usual port was taken. Names in state and manifests stay as the program has them.
 */
function alias(): readonly [name: string, host: string] | undefined {
  const [name, host] = (process.env['TRELLIS_REGISTRY_ALIAS'] ?? '').split('=');
  return name && host ? [name, host] : undefined;
}

/** An image's name as this host's Docker has to call it. */
export function hostName(image: string): string {
  const [name, host] = alias() ?? [];
  return name !== undefined && image.startsWith(`${name}/`) ? `${host}${image.slice(name.length)}` : image;
}

/** The build as this host's Docker has to run it: its own name, and the images that it starts from. */
export const onHost = (spec: ImageSpec): ImageSpec => ({
  ...spec,
  imageName: hostName(spec.imageName),
  args: Object.fromEntries(Object.entries(spec.args).map(([name, value]) => [name, hostName(value)])),
  cacheFrom: spec.cacheFrom.map(hostName),
});
