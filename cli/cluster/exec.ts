import type { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type * as Client from '@kubernetes/client-node';
import type { Connection } from './client';

/** One container of one pod. */
export interface Container {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface ExecResult {
  /** Exit code of the command; -1 where it could not be started. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The exit code as the kubelet reports it: in the details of a status. */
function codeOf({ status, details }: Client.V1Status): number {
  if (status === 'Success') return 0;
  const cause = details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  return cause === undefined ? -1 : Number(cause);
}

/** Runs a command in a container, without a terminal and without input. Nothing secret may be among its arguments: they are logged. */
export async function execute(
  { config, client }: Pick<Connection, 'config' | 'client'>,
  { namespace, pod, container }: Container,
  command: readonly string[],
): Promise<ExecResult> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const outputs = Promise.all([text(out), text(err)]);
  const code = await new Promise<number>((resolve, reject) => {
    new client.Exec(config)
      .exec(namespace, pod, container, [...command], out, err, null, false, (status) => {
        resolve(codeOf(status));
      })
      .then((socket: EventEmitter) => {
        socket.on('close', () => resolve(-1));
      }, reject);
  });
  out.end();
  err.end();
  const [stdout, stderr] = await outputs;
  return { code, stdout, stderr };
}
