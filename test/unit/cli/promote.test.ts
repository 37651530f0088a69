import { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';
import type { V1Status } from '@kubernetes/client-node';
import type { Connection } from '../../../cli/cluster/client';
import { execute } from '../../../cli/cluster/exec';
import { promoteDatabase } from '../../../cli/cluster/promote';
import { environmentsIn } from '../../../cli/stack-program';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Cluster = Pick<Connection, 'config' | 'client'>;

const exited = (code: number): V1Status =>
  code === 0
    ? { status: 'Success' }
    : { status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: String(code) }] } };

/** A cluster with these pods, whose container answers each command in this way; what it was asked stands in `asked`. */
function simulated(pods: readonly object[], answer: { status?: V1Status; stdout?: string; stderr?: string }) {
  const asked: unknown[] = [];
  class Exec {
    public exec(
      ...[namespace, pod, container, command, out, err, , , done]: readonly [
        ...[string, string, string, readonly string[], Writable, Writable, null, boolean],
        (status: V1Status) => void,
      ]
    ): Promise<EventEmitter> {
      asked.push({ namespace, pod, container, command });
      const socket = new EventEmitter();
      setImmediate(() => {
        out.write(answer.stdout ?? '');
        err.write(answer.stderr ?? '');
        if (answer.status !== undefined) done(answer.status);
        socket.emit('close');
      });
      return Promise.resolve(socket);
    }
  }
  const config = {
    makeApiClient: () => ({
      listNamespacedPod: (query: object) => {
        asked.push(query);
        return Promise.resolve({ items: pods });
      },
    }),
  };
  return { asked, cluster: { config, client: { Exec } } as unknown as Cluster };
}

const place = { namespace: 'shop', pod: 'postgres-0', container: 'postgres' };

describe('a command in a container', () => {
  test.each([
    ['ends well', exited(0), 0],
    ['ends with a code', exited(78), 78],
    ['could not be started', { status: 'Failure', message: 'no such program' }, -1],
    ['is cut off', undefined, -1],
  ])('%s', async (_title, status, code) => {
    const answer = { stdout: 'said', stderr: 'complained', ...(status === undefined ? {} : { status }) };
    const { cluster } = simulated([], answer);
    expect(await execute(cluster, place, ['true'])).toEqual({ code, stdout: 'said', stderr: 'complained' });
  });
});

describe('promotion', () => {
  const pod = { metadata: { name: 'postgres-0' } };
  const ending = { metadata: { name: 'postgres-0', deletionTimestamp: new Date(0) } };

  test('asks the one server, and passes on what it says', async () => {
    const { cluster, asked } = simulated([pod], { status: exited(0), stdout: 'promoted: it goes on\n' });
    expect(await promoteDatabase(cluster, 'shop', 'postgres')).toBe('promoted: it goes on');
    expect(asked).toEqual([
      { namespace: 'shop', labelSelector: 'app.kubernetes.io/name=postgres' },
      { ...place, command: ['postgres-promote', '300'] },
    ]);
  });

  test.each([
    ['none', []],
    ['one that is going', [ending]],
  ])('is refused with no server: %s', async (_title, pods) => {
    const { cluster } = simulated(pods, {});
    await expect(promoteDatabase(cluster, 'shop', 'postgres')).rejects.toThrow(
      "no server 'postgres' in namespace shop",
    );
  });

  test('fails with what the server complains of', async () => {
    const { cluster } = simulated([pod], { status: exited(1), stderr: 'server did not promote in time\n' });
    await expect(promoteDatabase(cluster, 'shop', 'postgres')).rejects.toThrow(
      'shop/postgres-0 was not promoted (1): server did not promote in time',
    );
  });
});

test('a file of a further region is an environment too, after the three', () => {
  const folder = mkdtempSync(join(tmpdir(), 'trellis-environments-'));
  try {
    for (const name of ['Pulumi.yaml', 'Pulumi.prod.yaml', 'Pulumi.west.yaml', 'Pulumi.east-2.yaml', 'Pulumi.a.b.yaml'])
      writeFileSync(join(folder, name), '');
    expect(environmentsIn(folder)).toEqual(['dev', 'staging', 'prod', 'east-2', 'west']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
