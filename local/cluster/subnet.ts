import { LocalError } from '../errors';

/** The two ends of the cluster's link to the host. */
export interface Subnet {
  /** The host's end. */
  readonly host: string;
  /** The end inside the namespace: the node's address. */
  readonly node: string;
  readonly prefix: number;
}

/** 198.18.0.0/15 is set aside for tests of network devices (RFC 2544) and routed nowhere. */
const BASE = 198 * 2 ** 24 + 18 * 2 ** 16;
const SUBNETS = 2 ** 17 / 4;

const toText = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

const toNumber = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

/** First and last address of `a.b.c.d` or `a.b.c.d/n`. */
function range(cidr: string): readonly [number, number] {
  const [address = '', prefix = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  const first = Math.floor(toNumber(address) / size) * size;
  return [first, first + size - 1];
}

/**
 * A /30 that nothing of `taken` overlaps: the clone's own first, then its neighbours.
 *
 * @param cloneId hexadecimal digits
 * @param taken addresses or networks in CIDR notation, IPv4
 * @throws LocalError when each one is taken
 */
export function chooseSubnet(cloneId: string, taken: readonly string[]): Subnet {
  const ranges = taken.map(range);
  const start = parseInt(cloneId, 16) % SUBNETS;
  for (let offset = 0; offset < SUBNETS; offset += 1) {
    const first = BASE + ((start + offset) % SUBNETS) * 4;
    if (ranges.some(([low, high]) => first <= high && first + 3 >= low)) continue;
    return { host: toText(first + 1), node: toText(first + 2), prefix: 30 };
  }
  throw new LocalError('Every subnet of 198.18.0.0/15 is in use on this machine.');
}

/** The networks of `ip -4 route show table all`'s lines, but for default routes and broadcast entries. */
export function networksOf(routes: string): readonly string[] {
  return routes
    .split('\n')
    .map((line) => line.replace(/^(local|unicast|blackhole|unreachable|prohibit) /, '').split(' ')[0] ?? '')
    .filter((network) => /^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(network) && !network.endsWith('/0'));
}
