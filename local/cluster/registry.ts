import * as fs from 'node:fs';
import * as path from 'node:path';
import { stringify } from 'yaml';
import { respondsOk } from './https';
import type { Layout } from './layout';
import { NETNS } from './network';
import type { Program, Resolve } from './supervise';

export interface RegistryOptions {
  readonly layout: Layout;
  readonly resolve: Resolve;
  readonly port: number;
  /** The node's address, by which the host reaches the namespace's loopback. */
  readonly address: string;
  readonly namespace: string;
  /** Network namespace that it listens in; undefined for the host's. @default - the cluster's */
  readonly netns?: string | undefined;
  /** Where the images lie. @default - with the cluster */
  readonly storage?: string;
}

/** Port of the registry inside the namespace, and so in every image's name: manifests are the same in each clone. */
export const REGISTRY_PORT = 5000;

/** An image registry on the namespace's loopback: `localhost:5000` for containerd; the host comes through the forwarder. */
export async function registryProgram(options: RegistryOptions): Promise<Program> {
  const { layout, port } = options;
  const storage = options.storage ?? layout.registry;
  const config = stringify({
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}` },
  });
  const file = path.join(layout.config, 'registry.yaml');
  fs.mkdirSync(storage, { recursive: true });
  fs.mkdirSync(layout.config, { recursive: true });
  fs.writeFileSync(file, config);
  return {
    name: 'registry',
    argv: [await options.resolve('docker-registry'), 'serve', file],
    netns: 'netns' in options ? options.netns : NETNS,
    // Debian's build would send traces to a collector that is not there.
    env: { OTEL_TRACES_EXPORTER: 'none' },
    reads: [config, options.namespace],
    ready: () => respondsOk(`http://${options.address}:${port}/v2/`),
  };
}
