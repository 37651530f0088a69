import * as net from 'node:net';

/**
 * A program of its own: connects ports of the host's loopback with ports inside the cluster's namespace, so that nothing of
 * the host's firewall or routes is touched. Its one argument is a JSON list of `Forward`.
 */
export interface Forward {
  readonly port: number;
  readonly targetHost: string;
  readonly targetPort: number;
}

function connect(client: net.Socket, forward: Forward): void {
  const target = net.connect({ host: forward.targetHost, port: forward.targetPort, allowHalfOpen: true });
  client.setNoDelay(true);
  target.setNoDelay(true);
  // One end's failure ends the other: a client sees a closed connection where the cluster is gone.
  client.on('error', () => target.destroy());
  target.on('error', () => client.destroy());
  client.on('close', () => target.destroy());
  target.on('close', () => client.destroy());
  client.pipe(target);
  target.pipe(client);
}

function listen(forward: Forward, host: string, required: boolean): void {
  const server = net.createServer({ allowHalfOpen: true }, (client) => connect(client, forward));
  server.on('error', (error) => {
    process.stderr.write(`${host} port ${forward.port}: ${error.message}\n`);
    if (required) process.exit(1);
  });
  server.listen({ host, port: forward.port, exclusive: true });
}

function main(argument: string): void {
  for (const forward of JSON.parse(argument) as readonly Forward[]) {
    listen(forward, '127.0.0.1', true);
    // `localhost` is ::1 first for some clients; a machine without IPv6 has no such address.
    listen(forward, '::1', false);
  }
}

main(process.argv[2] ?? '[]');
