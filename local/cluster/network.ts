import * as fs from 'node:fs';
import { cloneId } from '../paths';
import { run, runOrThrow } from '../process';
import { removeIfEmpty } from '../mounts';
import { chooseSubnet, networksOf, type Subnet } from './subnet';

/** The cluster's network namespace, as `ip netns` lists it. */
export const NETNS = `trellis-${cloneId}`;
/** The host's end of the link; 15 characters is the limit. */
export const HOST_LINK = `trl-${cloneId}`;
const NODE_LINK = 'eth0';
const NETNS_DIR = '/run/netns';
const NETNS_FILE = `${NETNS_DIR}/${NETNS}`;
const NSFS_MAGIC = 0x6e736673;

/** A subnet that nothing on this machine uses. */
export async function freeSubnet(): Promise<Subnet> {
  const { stdout } = await runOrThrow(['ip', '-4', 'route', 'show', 'table', 'all'], { fix: 'install iproute2' });
  // A link that a killed run left is ours.
  const others = stdout.split('\n').filter((line) => !line.includes(` dev ${HOST_LINK} `));
  return chooseSubnet(cloneId, networksOf(others.join('\n')));
}

/** Tells one namespace from a later one of the same name: a process in the former one must be started again. */
export function namespaceIdentity(): string | undefined {
  // A killed `ip netns add` or `delete` leaves a plain file behind.
  if (!fs.existsSync(NETNS_FILE) || fs.statfsSync(NETNS_FILE).type !== NSFS_MAGIC) return undefined;
  return String(fs.statSync(NETNS_FILE).ino);
}

/** Makes the namespace where it is missing. @returns whether it was missing */
export async function ensureNamespace(): Promise<boolean> {
  if (namespaceIdentity() !== undefined) return false;
  fs.rmSync(NETNS_FILE, { force: true });
  await runOrThrow(['ip', 'netns', 'add', NETNS]);
  return true;
}

const linkIsWhole = async (subnet: Subnet): Promise<boolean> => {
  const [host, node] = await Promise.all([
    run(['ip', '-o', '-4', 'address', 'show', 'dev', HOST_LINK, 'up']),
    run(['ip', '-o', '-4', 'address', 'show', 'dev', NODE_LINK, 'up'], { netns: NETNS }),
  ]);
  return (
    host.stdout.includes(` ${subnet.host}/${subnet.prefix} `) &&
    node.stdout.includes(` ${subnet.node}/${subnet.prefix} `)
  );
};

/** The link between host and namespace, and what the namespace needs to route its pods. The host's own routes and rules stay as they are. */
export async function ensureLink(subnet: Subnet): Promise<void> {
  if (!(await linkIsWhole(subnet))) {
    await run(['ip', 'link', 'delete', HOST_LINK]);
    await run(['ip', 'link', 'delete', NODE_LINK], { netns: NETNS });
    const peer = ['peer', 'name', NODE_LINK, 'netns', NETNS];
    await runOrThrow(['ip', 'link', 'add', HOST_LINK, 'type', 'veth', ...peer]);
    await runOrThrow(['ip', 'address', 'add', `${subnet.host}/${subnet.prefix}`, 'dev', HOST_LINK]);
    await runOrThrow(['ip', 'link', 'set', HOST_LINK, 'up']);
    await runOrThrow(['ip', 'address', 'add', `${subnet.node}/${subnet.prefix}`, 'dev', NODE_LINK], { netns: NETNS });
  }
  for (const link of ['lo', NODE_LINK]) await runOrThrow(['ip', 'link', 'set', link, 'up'], { netns: NETNS });
  // Nothing is routed beyond the host. Without a default route, though, a packet to a Service's address is refused before it is rewritten.
  await runOrThrow(['ip', 'route', 'replace', 'default', 'via', subnet.host], { netns: NETNS });
  await setInNamespace('net.ipv4.ip_forward', '1');
}

const setInNamespace = async (key: string, value: string): Promise<void> => {
  const file = `/proc/sys/${key.replaceAll('.', '/')}`;
  await runOrThrow(['sh', '-c', `echo ${value} > ${file}`], { netns: NETNS });
};

/** Adds a rule of the namespace's own firewall, first in its chain, where it isn't there yet. */
async function ensureRule(table: string, chain: string, rule: readonly string[]): Promise<void> {
  const iptables = (verb: string): string[] => ['iptables', '-w', '-t', table, verb, chain, ...rule];
  if ((await run(iptables('-C'), { netns: NETNS })).code === 0) return;
  await runOrThrow(iptables('-I'), { netns: NETNS, fix: 'install iptables' });
}

const TO_HOST = ['-o', NODE_LINK, '-m', 'conntrack', '--ctstate', 'NEW'];
const FENCE = [...TO_HOST, '-j', 'REJECT'];

/**
 * Refuses what pods begin towards the host: its programs didn't expect them, and nothing beyond it answers, so that a call
 * to an outside address fails at once instead of hanging. It stands before all that accepts: the policy controller lets
 * through what no policy forbids. kube-proxy and the controller put rules of their own before it whenever they start, so
 * behind all of them whatever got through is dropped.
 */
export async function fencePods(podCidr: string): Promise<void> {
  await ensureRule('mangle', 'POSTROUTING', ['-s', podCidr, ...TO_HOST, '-j', 'DROP']);
  const { stdout } = await runOrThrow(['iptables', '-w', '-S', 'FORWARD'], { netns: NETNS, fix: 'install iptables' });
  const rules = stdout.split('\n').filter((line) => line.startsWith('-A '));
  const at = rules.findIndex((rule) => rule.includes(`-o ${NODE_LINK} `) && rule.includes('-j REJECT'));
  // The controller keeps its own jump first, which accepts nothing that is new and leads outside.
  if (at === 0 || at === 1) return;
  if (at > 1) await runOrThrow(['iptables', '-w', '-D', 'FORWARD', ...FENCE], { netns: NETNS });
  await runOrThrow(['iptables', '-w', '-I', 'FORWARD', ...FENCE], { netns: NETNS });
}

/**
 * Lets the host reach one port of the namespace's loopback. The image registry asks nobody for a password, so it listens on
 * loopback alone, where no pod gets at it.
 */
export async function exposeLoopbackPort(subnet: Subnet, port: number): Promise<void> {
  await setInNamespace(`net.ipv4.conf.${NODE_LINK}.route_localnet`, '1');
  const match = ['-i', NODE_LINK, '-p', 'tcp', '-d', subnet.node, '--dport', String(port)];
  await ensureRule('nat', 'PREROUTING', [...match, '-j', 'DNAT', '--to-destination', `127.0.0.1:${port}`]);
}

/** Removes link and namespace; the pods' interfaces go with it. */
export async function removeNetwork(): Promise<void> {
  if (fs.existsSync(`/sys/class/net/${HOST_LINK}`)) await runOrThrow(['ip', 'link', 'delete', HOST_LINK]);
  if (namespaceIdentity() !== undefined) await runOrThrow(['ip', 'netns', 'delete', NETNS]);
  fs.rmSync(NETNS_FILE, { force: true });
  // `ip netns add` mounts the directory on itself; the next one would do so again.
  if (fs.existsSync(NETNS_DIR) && fs.readdirSync(NETNS_DIR).length === 0) {
    await run(['umount', NETNS_DIR]);
    removeIfEmpty(NETNS_DIR);
  }
}
