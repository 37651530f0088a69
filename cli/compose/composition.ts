import { consolesOf, edgeOf } from './edge';
import type { Composition, ComposeService, KubeObject } from './model';
import { ComposeError } from './model';
import { MountedFiles } from './mounts';
import { ServiceNames } from './names';
import { SecretTexts } from './secrets';
import { servicesOf } from './services';
import { workloadsOf } from './workloads';

/** A program that is taken from a folder of this machine, as Compose mounts and starts it. */
export interface Reload {
  readonly folder: string;
  readonly target: string;
  readonly command: readonly string[];
}

/** How an environment is written for Compose. */
export interface ComposeOptions {
  readonly environment: string;
  /** Systems that are written: values of `app.kubernetes.io/part-of`. */
  readonly systems: readonly string[];
  /** Image → folder with its Dockerfile, as the Compose file names it; images that are built nowhere have none. */
  readonly contexts: ReadonlyMap<string, string>;
  /** Image that all others are built from, and its folder. */
  readonly base: { readonly image: string; readonly context: string; readonly from: string };
  /** Image of Nginx, where public addresses have TLS. @default - plain ports on loopback */
  readonly proxy?: string;
  /** System whose workloads without a public address are published on loopback. @default - none */
  readonly consoles?: string;
  /** Images whose program is taken from a folder of this machine and restarts when it changes. @default - none */
  readonly reload?: ReadonlyMap<string, Reload>;
}

/** Builds each image from its folder, and again when that changes; the first service that has the image builds it for all. */
function builder({ contexts, base }: ComposeOptions) {
  const taken = new Set<string>();
  return (image: string) => {
    const context = contexts.get(image);
    if (context === undefined || taken.has(image)) return {};
    taken.add(image);
    // Packages come over this machine's own network, as with the images of the cluster.
    const build = { context, network: 'host', args: { BASE: base.image } };
    return { build, develop: { watch: [{ action: 'rebuild', path: context }] } };
  };
}

/**
 * One environment's objects as a Compose file: a service for each container, one pod of each workload.
 * @throws ComposeError with everything that Compose can't do
 */
export function composition(objects: readonly KubeObject[], options: ComposeOptions): Composition {
  const { environment, systems, base, proxy, reload = new Map<string, Reload>() } = options;
  const workloads = workloadsOf(objects, systems);
  const texts = new SecretTexts(objects);
  const names = new ServiceNames(objects, workloads);
  const files = new MountedFiles(objects, texts, names, workloads);
  const around = { objects, workloads, texts, names, files, build: builder(options) };
  const edge = edgeOf(objects, names, systems, proxy);
  const consoles = consolesOf(workloads, options.consoles, edge);
  const services: Record<string, ComposeService> = {
    // Never started: the image that all others are built from.
    base: {
      image: base.image,
      build: { context: base.context, network: 'host', args: { BASE_IMAGE: base.from } },
      profiles: ['build'],
    },
  };
  for (const workload of workloads) Object.assign(services, servicesOf(workload, around));
  for (const [service, port] of [...edge.ports, ...consoles.ports])
    services[service] = { ...services[service], ports: [port] };
  for (const [name, service] of Object.entries(services)) {
    const own = reload.get(String(service.image));
    if (own === undefined || service.command !== undefined) continue;
    const volumes = [...((service.volumes as string[] | undefined) ?? []), `${own.folder}:${own.target}:ro`];
    services[name] = { ...service, volumes, command: own.command };
  }
  Object.assign(services, edge.services);
  if (files.problems.length > 0) throw new ComposeError(files.problems);
  return {
    file: {
      name: `trellis-${environment}`,
      services,
      networks: Object.fromEntries(systems.map((system) => [system, {}])),
      volumes: Object.fromEntries([...files.volumes].map((name) => [name, {}])),
    },
    configs: files.configs,
    secretFiles: [...files.secretFiles.values()],
    sharedFolders: [...files.sharedFolders.values(), ...edge.folders],
    secrets: texts.secrets,
    hosts: proxy === undefined ? [] : edge.hosts,
    addresses: new Map([...edge.addresses, ...consoles.addresses]),
  };
}
