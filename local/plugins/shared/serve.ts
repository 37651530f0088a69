import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ResourceProviderService } from '@pulumi/pulumi/proto/provider_grpc_pb';

import { channelOptions, Engine, engineAddress, onEngineGone } from './engine';
import type { Provider } from './provider';
import { providerService } from './service';

export * from './provider';

/** How long running operations may take to notice that the engine is gone. */
const GRACE_MS = 2_000;

/** Binds a service to a free loopback port and prints the port, as the engine expects of a plugin. */
export async function serve(
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

/**
 * Runs a provider until the engine ends it or is gone.
 *
 * The one argument is the engine's address; options (`--tracing`, `-v`, `--logtostderr`) are accepted and do nothing: a plugin
 * that traced its requests would print secrets.
 */
export async function serveProvider(provider: Provider, argv = process.argv.slice(2)): Promise<void> {
  const engine = new Engine(engineAddress(argv));
  const cancellation = new AbortController();
  const leave = (): void => {
    cancellation.abort();
    setTimeout(() => process.exit(0), GRACE_MS);
  };
  // The engine interrupts its plugins when it has finished, and after the user cancelled.
  process.on('SIGINT', () => {
    cancellation.abort();
    process.exit(0);
  });
  process.on('SIGTERM', () => {
    cancellation.abort();
    process.exit(0);
  });
  onEngineGone(leave);
  // A library's stray rejection must not end every running operation; its owner reports the failure.
  process.on('unhandledRejection', (reason) => {
    engine.log('error', reason instanceof Error ? (reason.stack ?? reason.message) : String(reason), '');
  });
  await serve(ResourceProviderService, providerService(provider, engine, cancellation));
}
