import * as net from 'node:net';
import { LocalError } from '../errors';
import { run } from '../process';

/** Whether a port on the host's loopback can be listened on. */
export function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** So many different ports that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<net.Server>((resolve, reject) => {
          const server = net.createServer();
          server.once('error', reject);
          server.listen({ port: 0, host: '127.0.0.1' }, () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Who listens on a port, in words; from `ss`, which shows other users' programs to root only. */
export async function holderOf(port: number): Promise<string> {
  const { stdout } = await run(['ss', '-Hltnp', `sport = :${port}`]);
  const holder = /\("([^"]+)",pid=(\d+)/.exec(stdout);
  return holder === null ? 'another program' : `${holder[1]} (process ${holder[2]})`;
}

/** Ports are tried from a preferred one up this far. */
const TRIES = 50;

/**
 * The first free port of the candidates, then of those that follow the last candidate.
 *
 * @param asked a port that must be this one
 * @throws LocalError naming the holder when the asked port is taken, or when none is free
 */
export async function choosePort(
  what: string,
  candidates: readonly number[],
  asked?: number,
  taken: ReadonlySet<number> = new Set(),
): Promise<number> {
  if (asked !== undefined) {
    if (await isFree(asked)) return asked;
    throw new LocalError(`Port ${asked}, asked for as ${what}, is held by ${await holderOf(asked)}.`, {
      fix: 'end that program, or name another port',
    });
  }
  const last = candidates[candidates.length - 1] ?? 20_000;
  const more = Array.from({ length: TRIES }, (_, index) => last + 1 + index);
  for (const port of [...candidates, ...more]) if (!taken.has(port) && (await isFree(port))) return port;
  throw new LocalError(`No port for ${what} is free: tried ${candidates.join(', ')} and up to ${last + TRIES}.`);
}
