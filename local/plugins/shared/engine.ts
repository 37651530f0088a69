import { credentials, Metadata } from '@grpc/grpc-js';
import { EngineClient } from '@pulumi/pulumi/proto/engine_grpc_pb';
import { LogRequest, LogSeverity } from '@pulumi/pulumi/proto/engine_pb';

import type { Severity } from './provider';

/** Room for the largest state that the engine sends: the vendor's own limit. */
export const channelOptions = {
  'grpc.max_receive_message_length': 400 * 1024 * 1024,
  'grpc.max_send_message_length': 400 * 1024 * 1024,
};

const severities: Readonly<Record<Severity, LogSeverity>> = {
  debug: LogSeverity.DEBUG,
  info: LogSeverity.INFO,
  warning: LogSeverity.WARNING,
  error: LogSeverity.ERROR,
};

/** The engine's side of the plugin: lines for the person at the terminal. */
export class Engine {
  private client: EngineClient | undefined;
  private queue: Promise<void> = Promise.resolve();

  public constructor(address: string | undefined) {
    this.attach(address);
  }

  /** Points at another engine; an empty address leaves things as they are. */
  public attach(address: string | undefined): void {
    if (!address) return;
    this.client?.close();
    this.client = new EngineClient(address, credentials.createInsecure(), channelOptions);
  }

  /** Sends one line, after those before it. */
  public log(severity: Severity, message: string, urn: string, ephemeral = false): void {
    const client = this.client;
    if (client === undefined) return;
    const request = new LogRequest();
    request.setSeverity(severities[severity]);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    this.queue = this.queue.then(
      () =>
        new Promise<void>((resolve) =>
          client.log(request, new Metadata(), { deadline: Date.now() + 5_000 }, () => resolve()),
        ),
    );
  }

  /** Resolves when every line so far was sent. */
  public flush(): Promise<void> {
    return this.queue;
  }
}

/**
 * Calls back once when the process that started this one is gone. A killed engine can't tell its plugins, and each would stay
 * for ever: its end closes our standard input, and gives us another parent.
 */
export function onEngineGone(callback: () => void): void {
  const parent = process.ppid;
  let told = false;
  const look = (): void => {
    if (told || process.ppid === parent) return;
    told = true;
    clearInterval(timer);
    callback();
  };
  const timer = setInterval(look, 1_000);
  timer.unref();
  // Input that ends while the parent lives means nothing: a shell may have given us /dev/null.
  process.stdin.on('end', () => setTimeout(look, 50).unref());
  process.stdin.on('error', look);
  process.stdin.resume();
  // A plugin is held open by its server, not by its input.
  (process.stdin as { unref?: () => void }).unref?.();
}

/** The address that the engine passes as the first argument that is no option. */
export function engineAddress(argv: readonly string[]): string | undefined {
  const takesValue = new Set(['--tracing', '-tracing']);
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (takesValue.has(argument)) index++;
    else if (!argument.startsWith('-')) return argument;
  }
  return undefined;
}
