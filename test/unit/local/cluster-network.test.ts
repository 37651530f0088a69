import * as net from 'node:net';
import { mountsUnder } from '../../../local/mounts';
import { choosePort, freePorts, isFree } from '../../../local/cluster/ports';
import { chooseSubnet, networksOf } from '../../../local/cluster/subnet';

describe('chooseSubnet', () => {
  test('gives the same /30 to the same clone, inside 198.18.0.0/15', () => {
    const subnet = chooseSubnet('f2af6c', []);
    expect(subnet).toEqual(chooseSubnet('f2af6c', []));
    expect(subnet).toEqual({ host: '198.18.189.177', node: '198.18.189.178', prefix: 30 });
  });

  test.each(['000000', 'ffffff', '7fff', '8000', 'abcdef'])('stays inside the range for %s', (cloneId) => {
    const { host, node } = chooseSubnet(cloneId, []);
    const last = (address: string): number => Number(address.split('.')[3]);
    expect(host).toMatch(/^198\.1[89]\./);
    expect(last(host) % 4).toBe(1);
    expect(last(node)).toBe(last(host) + 1);
  });

  test('takes the neighbour where its own is used, by an address or by a network', () => {
    expect(chooseSubnet('000000', ['198.18.0.2']).host).toBe('198.18.0.5');
    expect(chooseSubnet('000000', ['198.18.0.0/24']).host).toBe('198.18.1.1');
    expect(chooseSubnet('007fff', ['198.19.255.252/30']).host).toBe('198.18.0.1');
  });

  test('says so when every subnet is used', () => {
    expect(() => chooseSubnet('000000', ['198.18.0.0/15'])).toThrow('Every subnet of 198.18.0.0/15 is in use');
  });

  test('reads networks from routes, and no default route', () => {
    const routes = [
      'default via 192.0.2.1 dev eth0',
      '192.0.2.0/24 dev eth0 proto kernel scope link',
      'local 127.0.0.0/8 dev lo table local',
      'broadcast 192.0.2.255 dev eth0 table local',
      '0.0.0.0/0 via 192.0.2.1 dev eth0',
      '198.18.0.4 dev tun0',
    ].join('\n');
    expect(networksOf(routes)).toEqual(['192.0.2.0/24', '127.0.0.0/8', '198.18.0.4']);
  });
});

describe('choosePort', () => {
  const listen = (port: number): Promise<net.Server> =>
    new Promise((resolve) => {
      const server = net.createServer().listen(port, '127.0.0.1', () => resolve(server));
    });

  test('passes over a port that is in use, and over one already given out', async () => {
    const [first = 0, second = 0, third = 0] = await freePorts(3);
    const server = await listen(first);
    try {
      expect(await isFree(first)).toBe(false);
      expect(await choosePort('test', [first, second, third], undefined, new Set([second]))).toBe(third);
    } finally {
      server.close();
    }
  });

  test('names the holder of a port that was asked for', async () => {
    const [port = 0] = await freePorts(1);
    const server = await listen(port);
    try {
      await expect(choosePort('HTTPS ingress', [443], port)).rejects.toThrow(
        new RegExp(`Port ${port}, asked for as HTTPS ingress, is held by .+`),
      );
    } finally {
      server.close();
    }
  });
});

test('mountsUnder gives the deepest first, and no neighbour with the same beginning', () => {
  const line = (point: string): string => `1 2 0:3 / ${point} rw - tmpfs tmpfs rw`;
  const mountinfo = ['/', '/a/b', '/a/b/c', '/a/bc', '/a/b/with\\040space'].map(line).join('\n');
  expect(mountsUnder('/a/b', mountinfo)).toEqual(['/a/b/with space', '/a/b/c', '/a/b']);
});
