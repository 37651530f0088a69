import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';

import { clusterStatus, ownProcesses, runHolder, stateDir } from '../../local/index';
import { CGROUP, podProcesses } from '../../local/cluster/cgroups';
import { mountsUnder } from '../../local/mounts';
import { runtimeDir } from '../../local/paths';
import { HOST_LINK } from '../../local/cluster/network';
import { shims } from '../../local/cluster/pods';
import { Cluster, endCommands, info, NAMESPACE, request, trellis } from '../support/cluster';
import { ApiToken } from '../cluster/support/notes';
import type { Note } from '../cluster/support/notes';

jest.setTimeout(400_000);

/** Control groups of the clone's pods, in every hierarchy. */
const groups = (): readonly string[] =>
  fs
    .readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, point]) => `${point ?? ''}${CGROUP}`)
    .filter((group) => fs.existsSync(group));

/** Everything of this clone that a machine could still hold, each kind by the tool that lists it. */
const left = (): Record<string, readonly unknown[]> => {
  const { netns } = info();
  const lines = (...argv: readonly [string, ...string[]]): readonly string[] =>
    execFileSync(argv[0], argv.slice(1), { encoding: 'utf8' }).split('\n').filter(Boolean);
  return {
    processes: ownProcesses().map(({ name, pid }) => `${name} (${pid})`),
    shims: shims(),
    'processes of pods': podProcesses(),
    mounts: mountsUnder(stateDir),
    'runtime directory': [runtimeDir()].filter((directory) => fs.existsSync(directory)),
    'network namespaces': lines('ip', 'netns', 'list').filter((line) => line.startsWith(netns)),
    interfaces: lines('ip', '-o', 'link', 'show').filter((line) => line.includes(`${HOST_LINK}@`)),
    'control groups': groups(),
  };
};

const nothing = Object.fromEntries(
  [
    'processes',
    'shims',
    'processes of pods',
    'mounts',
    'runtime directory',
    'network namespaces',
    'interfaces',
    'control groups',
  ].map((kind) => [kind, []]),
);

describe('./trellis down and up again', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = new Cluster();
    await cluster.healthy();
  });
  afterAll(async () => {
    await endCommands();
  });

  test('down leaves nothing on the machine but data, and up goes on with it', async () => {
    const user = await ApiToken.create(cluster);
    const note = await user.write('before the cluster was ended');
    const claims = async (): Promise<readonly (string | undefined)[]> =>
      (
        await cluster.list<{ metadata?: { uid?: string } }>(`/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims`)
      ).map(({ metadata }) => metadata?.uid);
    const before = await claims();
    const running = left();
    for (const [kind, entries] of Object.entries(running))
      expect({ kind, some: entries.length > 0 }).toEqual({ kind, some: true });

    await trellis('down');
    expect(left()).toEqual(nothing);
    expect((await clusterStatus()).state).toBe('stopped');
    await expect(request('/ready')).rejects.toThrow(/ECONNREFUSED/);
    expect(runHolder()).toBeUndefined();
    // A second one has nothing to do and says no other.
    await trellis('down');

    const { output } = await trellis('up');
    expect(output).toMatch(/✔ Deploy dev \([^)]+\): no changes/);
    cluster = new Cluster();
    await cluster.healthy();
    expect(await claims()).toEqual(before);
    expect((await user.list()).find(({ id }: Note) => id === note.id)).toEqual(note);
    const { stdout } = await trellis('status');
    expect(stdout).not.toContain('✖');
  });
});
