import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';

import { channelOptions } from './engine';

/** Binds a service to a free loopback port and prints the port, as the engine expects of a plugin. */
export async function listen(
  definition: ServiceDefinition,
  implementation: UntypedServiceImplementation,
): Promise<Server> {
  const server = new Server(channelOptions);
  server.addService(definition, implementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  process.stdout.write(`${port}\n`);
  return server;
}
