import { BackendError } from './errors';
import type { Logger } from './log';

/** A system behind the service, as probes and metrics see it. */
export interface Backend {
  readonly name: 'postgres' | 'redis';
  /** Does one real round trip. @throws the reason why it can't */
  ping(): Promise<void>;
  /** Ends its connections. */
  close(): Promise<void>;
}

export interface CheckResult {
  readonly status: 'up' | 'down';
  readonly latencyMs: number;
  /** For people: what is wrong, without addresses or credentials. */
  readonly reason?: string;
}

/** Rejects after `ms` milliseconds; the work goes on, but nobody waits for it. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new BackendError(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Error codes that are safe and useful to show; anything else is just "unavailable". */
function publicReason(error: unknown): string {
  if (error instanceof BackendError) return error.message;
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === '28P01' || code === '28000') return 'authentication failed';
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return code;
  if (error instanceof Error && /WRONGPASS|NOAUTH/.test(error.message)) return 'authentication failed';
  return 'unavailable';
}

/** Checks one back end: concurrent callers share a round trip, and only a change of state is logged. */
export class BackendCheck {
  private running: Promise<CheckResult> | undefined;
  private previous: CheckResult['status'] | undefined;

  constructor(
    readonly backend: Backend,
    private readonly timeoutMs: number,
    private readonly log: Logger,
  ) {}

  /** Never rejects. */
  check(): Promise<CheckResult> {
    this.running ??= this.run().finally(() => (this.running = undefined));
    return this.running;
  }

  private async run(): Promise<CheckResult> {
    const start = performance.now();
    const elapsed = () => Math.round((performance.now() - start) * 10) / 10;
    const backend = this.backend.name;
    try {
      await within(this.timeoutMs, this.backend.ping());
      if (this.previous !== 'up') this.log.info({ backend }, 'back end is up');
      this.previous = 'up';
      return { status: 'up', latencyMs: elapsed() };
    } catch (error) {
      if (this.previous !== 'down') this.log.warn({ backend, err: error }, 'back end is down');
      this.previous = 'down';
      return { status: 'down', latencyMs: elapsed(), reason: publicReason(error) };
    }
  }
}
