import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalError } from '../errors';
import { run, runOrThrow } from '../process';
import { socketDir, type Layout } from './layout';
import { NETNS } from './network';
import type { Program, Resolve } from './supervise';

const OVERLAYFS_MAGIC = 0x794c7630;

/** Layers of images can't be stacked with overlayfs on overlayfs itself, as in a container: they are copied there. */
export function snapshotterFor(directory: string): 'overlayfs' | 'native' {
  fs.mkdirSync(directory, { recursive: true });
  return fs.statfsSync(directory).type === OVERLAYFS_MAGIC ? 'native' : 'overlayfs';
}

/** Where containerd listens. Not under the clone: a socket's path may have 107 characters, a clone's may be longer. */
export const containerdSocket = path.join(socketDir, 'containerd.sock');

/** The namespace of the kubelet's containers within containerd. */
const KUBERNETES = 'k8s.io';

const CNI_DIRECTORIES = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];
const CNI_PROGRAMS = ['ptp', 'host-local', 'portmap', 'loopback'];

/** @throws LocalError where the CNI programs are missing */
export function cniDirectory(): string {
  const found = CNI_DIRECTORIES.find((dir) => CNI_PROGRAMS.every((name) => fs.existsSync(path.join(dir, name))));
  if (found !== undefined) return found;
  throw new LocalError(`The CNI programs ${CNI_PROGRAMS.join(', ')} are in none of ${CNI_DIRECTORIES.join(', ')}.`, {
    fix: 'apt-get install containernetworking-plugins',
  });
}

/** `ptp`, since `bridge` loses the traffic of a Service between pods of one node. */
export const cniConfig = (layout: Layout, podCidr: string): string =>
  JSON.stringify(
    {
      cniVersion: '0.4.0',
      name: NETNS,
      plugins: [
        {
          type: 'ptp',
          ipMasq: true,
          ipam: {
            type: 'host-local',
            dataDir: path.join(layout.cni, 'networks'),
            ranges: [[{ subnet: podCidr }]],
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    },
    undefined,
    2,
  );

interface ContainerdConfig {
  readonly layout: Layout;
  readonly sandboxImage: string;
  readonly cniBin: string;
  readonly runc: string;
  readonly snapshotter: string;
}

/** A TOML basic string; a path may hold any character. */
const quoted = (text: string): string => JSON.stringify(text);

export function containerdConfig({ layout, sandboxImage, cniBin, runc, snapshotter }: ContainerdConfig): string {
  return `version = 2
root = ${quoted(path.join(layout.containerd, 'root'))}
state = ${quoted(path.join(layout.containerd, 'state'))}
# The last one would make /opt/containerd.
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.opt",
]

[grpc]
  address = ${quoted(containerdSocket)}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${quoted(sandboxImage)}
  # A machine may not let even root lower it, and no sandbox starts then.
  restrict_oom_score_adj = true
  # Pods' network namespaces are ours to remove, so they don't lie among the machine's.
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = ${quoted(snapshotter)}
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = ${quoted(runc)}
        Root = ${quoted(path.join(layout.containerd, 'state', 'runc'))}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${quoted(cniBin)}
    conf_dir = ${quoted(path.join(layout.cni, 'net.d'))}
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${quoted(path.join(layout.config, 'registries'))}
`;
}

const ctr = async (resolve: Resolve): Promise<string[]> => [
  await resolve('ctr'),
  ...['--address', containerdSocket, '--namespace', KUBERNETES],
];

export interface RuntimeOptions {
  readonly layout: Layout;
  readonly resolve: Resolve;
  readonly sandboxImage: string;
  readonly podCidr: string;
  /** Port of the image registry on the namespace's loopback. */
  readonly registryPort: number;
  /** Identity of the network namespace: in another one it must be started again. */
  readonly namespace: string;
}

/** containerd, with everything of its own, so that one that the machine has is left alone. */
export async function containerdProgram(options: RuntimeOptions): Promise<Program> {
  const { layout, resolve } = options;
  fs.mkdirSync(socketDir, { recursive: true, mode: 0o700 });
  const registry = `localhost:${options.registryPort}`;
  const hosts = path.join(layout.config, 'registries', registry);
  const netd = path.join(layout.cni, 'net.d');
  [hosts, netd].forEach((dir) => fs.mkdirSync(dir, { recursive: true }));
  fs.writeFileSync(path.join(hosts, 'hosts.toml'), `server = "http://${registry}"\n`);
  const network = cniConfig(layout, options.podCidr);
  fs.writeFileSync(path.join(netd, '10-trellis.conflist'), network);
  const config = containerdConfig({
    layout,
    sandboxImage: options.sandboxImage,
    cniBin: cniDirectory(),
    runc: await resolve('runc'),
    snapshotter: snapshotterFor(layout.containerd),
  });
  const file = path.join(layout.config, 'containerd.toml');
  fs.writeFileSync(file, config);
  const version = [...(await ctr(resolve)), 'version'];
  return {
    name: 'containerd',
    argv: [await resolve('containerd'), '--config', file, '--log-level', 'warn'],
    netns: NETNS,
    reads: [config, network, options.namespace],
    ready: async () => (await run(version, { timeoutMs: 3_000 })).code === 0,
  };
}

/** References of the images that the kubelet's containers can use. */
export async function importedImages(resolve: Resolve): Promise<ReadonlySet<string>> {
  const { stdout } = await runOrThrow([...(await ctr(resolve)), 'images', 'list', '--quiet']);
  return new Set(stdout.split('\n').filter((line) => line !== ''));
}

/** Imports an archive that `docker save` or `writeImage` wrote. */
export async function importImage(resolve: Resolve, archive: string): Promise<void> {
  await runOrThrow([...(await ctr(resolve)), 'images', 'import', archive]);
}

/** A container that runs now, and the signal with which its image asks to be ended. */
export interface RunningContainer {
  readonly id: string;
  /** Its first process. */
  readonly pid: number;
  readonly stopSignal: string;
  readonly isSandbox: boolean;
}

interface ContainerInfo {
  readonly Labels?: Readonly<Record<string, string>>;
}

export async function runningContainers(resolve: Resolve): Promise<readonly RunningContainer[]> {
  const base = await ctr(resolve);
  const tasks = await run([...base, 'tasks', 'list'], { timeoutMs: 10_000 });
  const running = tasks.stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[2] === 'RUNNING');
  return Promise.all(
    running.map(async ([id = '', pid = '']) => {
      const { stdout } = await run([...base, 'containers', 'info', id], { timeoutMs: 10_000 });
      const labels = (JSON.parse(stdout === '' ? '{}' : stdout) as ContainerInfo).Labels ?? {};
      return {
        id,
        pid: Number(pid),
        stopSignal: labels['io.containerd.image.config.stop-signal'] ?? 'SIGTERM',
        isSandbox: labels['io.cri-containerd.kind'] === 'sandbox',
      };
    }),
  );
}

/** Forgets every task, running or ended; its shim then ends by itself and takes its socket along. */
export async function deleteTasks(resolve: Resolve): Promise<void> {
  const base = await ctr(resolve);
  const { stdout } = await run([...base, 'tasks', 'list', '--quiet'], { timeoutMs: 10_000 });
  const ids = stdout.split('\n').filter((line) => line !== '');
  if (ids.length > 0) await run([...base, 'tasks', 'delete', '--force', ...ids], { timeoutMs: 30_000 });
}
