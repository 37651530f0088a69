import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import type * as Client from '@kubernetes/client-node';
import { connect, unreachable, type Connection } from '../cluster/client';
import { deploymentOf } from '../cluster/deployment';
import { CliError, EXIT } from '../exit';
import { milliseconds } from '../time';

export interface LogsOptions {
  readonly stack: string;
  readonly follow?: boolean;
  readonly lines: number;
  /** Only what is not older, as `15m`. @default - whatever its age */
  readonly since?: string;
  /** Of the container that ran before the last restart. @default false */
  readonly previous?: boolean;
}

const LABEL = 'app.kubernetes.io/name';

const selector = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

/** Pods behind a Service of that name, else those whose name label is it. */
async function podsOf(core: Client.CoreV1Api, namespace: string, service: string): Promise<readonly Client.V1Pod[]> {
  const { items: services } = await core.listNamespacedService({ namespace });
  const labels = services.find(({ metadata }) => metadata?.name === service)?.spec?.selector;
  const labelSelector = selector(labels ?? { [LABEL]: service });
  return (await core.listNamespacedPod({ namespace, labelSelector })).items;
}

/** What can be asked for, for the message after a wrong name. */
async function names(core: Client.CoreV1Api, namespaces: readonly string[]): Promise<string> {
  const lists = await Promise.all(namespaces.map((namespace) => core.listNamespacedPod({ namespace })));
  const found = lists.flatMap(({ items }) => items.map(({ metadata }) => metadata?.labels?.[LABEL] ?? ''));
  return [...new Set(found.filter(Boolean))].sort().join(', ') || 'none';
}

/** Prints one container's log, each line after the name of its pod. */
async function print(
  { config, client }: Connection,
  pod: Client.V1Pod,
  container: string,
  options: LogsOptions,
): Promise<void> {
  const name = pod.metadata?.name ?? '';
  const prefix = (pod.spec?.containers.length ?? 1) > 1 ? `${name}/${container}` : name;
  const stream = new PassThrough();
  const lines = createInterface({ input: stream });
  lines.on('line', (line) => process.stdout.write(`${prefix}  ${line}\n`));
  const closed = new Promise((resolve) => lines.once('close', resolve));
  const request = {
    ...{ follow: options.follow ?? false, tailLines: options.lines, previous: options.previous ?? false },
    ...(options.since === undefined ? {} : { sinceSeconds: milliseconds('--since', options.since) / 1000 }),
  };
  try {
    await new client.Log(config).log(pod.metadata?.namespace ?? '', name, container, stream, request);
    await closed;
  } catch (error) {
    // A container that hasn't started has no log yet; the others' are wanted all the same.
    process.stderr.write(`${prefix}: no log: ${(error as Error).message.split('\n')[0] ?? ''}\n`);
  }
}

export async function logs(service: string, options: LogsOptions): Promise<void> {
  if (options.since !== undefined) milliseconds('--since', options.since);
  if (options.follow === true && options.previous === true)
    throw new CliError('What ran before says nothing more: leave out --follow or --previous.', EXIT.usage);
  const connection = await connect(options.stack);
  const deployment = await deploymentOf(options.stack);
  const namespaces = deployment?.namespaces ?? [];
  const core = connection.config.makeApiClient(connection.client.CoreV1Api);
  const found = await Promise.all(namespaces.map((namespace) => podsOf(core, namespace, service))).catch(
    (error: unknown) => {
      throw unreachable(connection.context, error);
    },
  );
  const pods = found.flat();
  if (pods.length === 0) {
    throw new CliError(
      `No pod of stack ${options.stack} belongs to '${service}'. There are: ${await names(core, namespaces)}.`,
    );
  }
  process.stdout.on('error', () => process.exit(0)); // The reader has gone, as in: ./trellis logs x | head
  await Promise.all(
    pods.flatMap((pod) => (pod.spec?.containers ?? []).map(({ name }) => print(connection, pod, name, options))),
  );
}
