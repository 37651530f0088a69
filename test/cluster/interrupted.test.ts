import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import type { V1Deployment } from '@kubernetes/client-node';

import { orphans, pulumiLocks, readCheckpoint, runHolder } from '../../local/index';
import {
  Cluster,
  endCommands,
  NAMESPACE,
  pulumi,
  secretValues,
  startTrellis,
  trellis,
  until,
} from '../support/cluster';
import { filesWith, spellings } from './support/leaks';

jest.setTimeout(400_000);

const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/noodle-runtime`;
const NO_CHANGES = /✔ Deploy dev \([^)]+\): no changes/;

describe('runs that are cut off', () => {
  let cluster: Cluster;
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-killed-'));

  beforeAll(async () => {
    cluster = new Cluster();
    await cluster.healthy();
  });
  afterEach(async () => {
    await cluster.healthy();
  });
  afterAll(async () => {
    await endCommands();
    fs.rmSync(temporary, { recursive: true, force: true });
  });

  /** Gives the next `up` work: the runtime's Deployment is gone, in the cluster and in the state. */
  const withdrawRuntime = async (): Promise<void> => {
    const { stdout } = await pulumi('stack', 'export', '-s', 'dev');
    const { deployment } = JSON.parse(stdout) as {
      readonly deployment: { readonly resources: readonly { urn: string }[] };
    };
    const urn = deployment.resources.find(({ urn: one }) =>
      one.endsWith('::noodle-core/noodle-runtime/Deployment'),
    )?.urn;
    const ended = pulumi(
      'destroy',
      '-s',
      'dev',
      '--yes',
      '--skip-preview',
      '--target',
      urn ?? '',
      '--target-dependents',
    );
    // Once its pods are ending, they end at once: no request of anybody has to be finished.
    const selector = 'app.kubernetes.io/name=noodle-runtime';
    await until('the end of its pods', async () => (await cluster.pods(selector)).length === 0);
    const pods = `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=${encodeURIComponent(selector)}`;
    await cluster.send({ method: 'DELETE', path: pods, body: { gracePeriodSeconds: 0 } });
    await ended;
    expect(await cluster.find(DEPLOYMENT)).toBeUndefined();
  };

  /** Starts `up` and waits until it is in the middle of making the Deployment. */
  const halfWay = async (): Promise<ReturnType<typeof startTrellis>> => {
    const run = startTrellis(['up'], { TMPDIR: temporary });
    await until('the Deployment', () => cluster.find<V1Deployment>(DEPLOYMENT));
    return run;
  };

  /** What a run that recovered must leave: all of it there once, nothing of the killed run. */
  const whole = async (resources: number | undefined): Promise<void> => {
    expect(readCheckpoint('dev')).toMatchObject({ resources, pending: 0 });
    expect(pulumiLocks('dev')).toEqual([]);
    expect(runHolder()).toBeUndefined();
    expect(orphans()).toEqual([]);
    await cluster.healthy();
    const owned = await cluster.list<V1Deployment>(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`);
    expect(owned.map(({ metadata }) => metadata?.name)).toEqual(['noodle-ide', 'noodle-runtime', 'postgres-pooler']);
    const { output } = await pulumi('preview', '-s', 'dev', '--refresh', '--expect-no-changes');
    expect(output).toMatch(/\d+ unchanged/);
  };

  test('./trellis up that was killed with all its children is finished by the next one', async () => {
    const resources = readCheckpoint('dev')?.resources;
    await withdrawRuntime();
    const { child, exited } = await halfWay();
    const others = orphans();
    expect(others.some(({ name }) => name === 'pulumi')).toBe(true);
    child.kill('SIGKILL');
    for (const { pid } of others) process.kill(pid, 'SIGKILL');
    await exited;
    expect(readCheckpoint('dev')?.pending).toBe(1);
    expect(pulumiLocks('dev')).toHaveLength(1);

    const { output } = await trellis('up');
    expect(output).toMatch(/taken over: '.\/trellis up -s dev' of .* was killed/);
    expect(output).toContain('1 cut-off operations cleared');
    await whole(resources);
  });

  test('an engine that outlived its ./trellis may write its state before the next one goes on', async () => {
    const resources = readCheckpoint('dev')?.resources;
    await withdrawRuntime();
    const { child, exited } = await halfWay();
    child.kill('SIGKILL');
    await exited;
    const { output } = await trellis('up');
    expect(output).toMatch(/taken over: '.\/trellis up -s dev' of .* was killed/);
    await whole(resources);
  });

  test('what a killed run leaves in temporary files holds no secret', async () => {
    expect(filesWith(spellings(await secretValues(cluster)), [temporary], [])).toEqual([]);
  });

  test('two at once: the second says who holds the lock and disturbs nothing', async () => {
    const first = startTrellis(['up']);
    const holder = await until('the lock', () => runHolder());
    expect(holder.pid).toBe(first.child.pid);
    const second = await startTrellis(['up']).exited;
    expect(second.code).toBe(4);
    expect(second.output).toContain(`'./trellis up -s dev' runs since ${holder.since} as process ${holder.pid}`);
    expect(second.output).toContain('--wait MINUTES');
    const down = await startTrellis(['down']).exited;
    expect(down.code).toBe(4);
    const { code, output } = await first.exited;
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(NO_CHANGES) as string });
    expect(runHolder()).toBeUndefined();
  });
});
