import { createClient } from 'redis';
import type { RedisClientType } from 'redis';
import type { Backend } from './backend';
import type { ServiceConfig } from './config';
import { BackendError } from './errors';
import type { Logger } from './log';

/** Seconds that a cached note lives. */
const TTL = 300;

/** Redis: one connection that is made again for as long as the service runs. */
export class RedisBackend implements Backend {
  readonly name = 'redis';
  private readonly client: RedisClientType;
  private failure: Error | undefined;
  private closing = false;

  constructor(
    private readonly config: ServiceConfig,
    redisUrl: string,
    log: Logger,
  ) {
    this.client = createClient({
      url: redisUrl,
      name: config.serviceName,
      // A command while disconnected fails at once; a queue would answer probes minutes late.
      disableOfflineQueue: true,
      socket: {
        connectTimeout: config.checkTimeoutMs,
        reconnectStrategy: (retries) => Math.min(100 * 2 ** Math.min(retries, 5), 3000),
      },
    });
    this.client.on('error', (err: Error) => {
      // Every attempt raises one; the first of an outage is enough.
      if (this.failure === undefined)
        log.warn({ backend: this.name, err }, 'no connection; trying again until there is one');
      this.failure = err;
    });
    this.client.on('ready', () => (this.failure = undefined));
    void this.connect();
  }

  async ping(): Promise<void> {
    if (!this.client.isReady) throw this.failure ?? new BackendError('not connected');
    await this.client.ping();
  }

  async put(key: string, value: string): Promise<void> {
    await this.client.set(this.key(key), value, { EX: TTL });
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.client.get(this.key(key))) ?? undefined;
  }

  close(): Promise<void> {
    this.closing = true;
    if (this.client.isOpen) this.client.destroy();
    return Promise.resolve();
  }

  private key(key: string): string {
    return `${this.config.serviceName}:${key}`;
  }

  /** The first connection is not retried by the client when the server refuses the password; later ones are. */
  private async connect(): Promise<void> {
    while (!this.closing) {
      try {
        await this.client.connect();
        return;
      } catch (error) {
        this.failure = error instanceof Error ? error : new BackendError(String(error));
        await new Promise((resolve) => setTimeout(resolve, 3000).unref());
      }
    }
  }
}
