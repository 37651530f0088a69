import { ResourceProviderService } from '@pulumi/pulumi/proto/provider_grpc_pb';

import { Engine, engineAddress, onEngineGone } from './engine';
import { listen } from './listen';
import type { Provider } from './provider';
import { providerService } from './service';

export * from './provider';

/** How long running operations may take to notice that the engine is gone. */
const GRACE_MS = 2_000;

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
  await listen(ResourceProviderService, providerService(provider, engine, cancellation));
}
