import * as fs from 'node:fs';
import * as path from 'node:path';
import type { V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { isReady, endCommands, startTrellis, trellis, until } from '../support/cluster';
import { checkpointFile, orphans } from '../../local/engine';
import { root } from '../../local/paths';
import { rehearsalStatus } from '../../local/simulate';
import { Simulated } from './support/simulated';

jest.setTimeout(900_000);

const SIMULATED = 'no container runs';

/** What belongs to the environment itself, and what no rehearsal may touch. */
const own = (stack: string): readonly (string | undefined)[] =>
  [path.join(root, `Pulumi.${stack}.yaml`), checkpointFile(stack)].map((file) =>
    fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined,
  );

afterAll(async () => {
  await endCommands();
  await trellis('down', '--simulate');
});

/** Starts a rehearsal of staging, and kills it with its engine once the first Deployment is there. */
async function killedOnItsWay(cluster: Simulated): Promise<void> {
  const { child, exited } = startTrellis(['up', '-s', 'staging', '--simulate']);
  await until('the first Deployment', async () => (await cluster.deployments()).length > 0, 300);
  const engines = orphans().filter(({ name }) => name === 'pulumi');
  expect(engines).toHaveLength(1);
  child.kill('SIGKILL');
  for (const { pid } of engines) process.kill(pid, 'SIGKILL');
  await exited;
}

describe.each(['staging', 'prod'] as const)('%s', (stack) => {
  const cluster = new Simulated(stack);
  const before = own(stack);

  // What a run that was killed left there may be anything.
  beforeAll(() => trellis('down', '-s', stack, '--simulate', '--purge'));

  it('reaches Ready on simulated nodes, and says that they are', async () => {
    // What a killed run made, and wrote into no state yet, is taken over.
    if (stack === 'staging') await killedOnItsWay(cluster);
    const { output } = await trellis('up', '-s', stack, '--simulate');
    expect(output).toMatch(/Every simulated pod Ready .*: \d+ pods on \d+ nodes/);
    expect(output).toContain(SIMULATED);
    const pods = (await cluster.pods()).filter(({ status }) => status?.phase !== 'Succeeded');
    expect(pods.length).toBeGreaterThan(0);
    expect(pods.filter((pod) => !isReady(pod))).toEqual([]);
    // A claim that only a CronJob's pods use waits for the first of them.
    const used = new Set(
      pods.flatMap(({ metadata, spec }) =>
        (spec?.volumes ?? []).map(
          ({ persistentVolumeClaim }) => `${metadata?.namespace}/${persistentVolumeClaim?.claimName}`,
        ),
      ),
    );
    const claims = await cluster.claims();
    const unbound = claims.filter(({ status }) => status?.phase !== 'Bound').map(({ metadata }) => metadata);
    expect(claims.length).toBeGreaterThan(unbound.length);
    expect(unbound.filter((each) => used.has(`${each?.namespace}/${each?.name}`))).toEqual([]);
  });

  it('has pods of images that were built here, by the names of the environment', async () => {
    const { config } = parse(fs.readFileSync(path.join(root, `Pulumi.${stack}.yaml`), 'utf8')) as {
      config: { 'trellis:images': { registry: string } };
    };
    const { registry } = config['trellis:images'];
    const images = (await cluster.pods()).flatMap(({ spec }) =>
      (spec?.containers ?? []).map(({ image }) => image ?? ''),
    );
    const built = images.filter((image) => image.startsWith(`${registry}/`));
    expect(built.length).toBeGreaterThan(0);
    expect(built.filter((image) => !/@sha256:[0-9a-f]{64}$/.test(image))).toEqual([]);
  });

  it('is the same again: a second run reports no change', async () => {
    const { output } = await trellis('up', '-s', stack, '--simulate');
    expect(output).toMatch(new RegExp(`Rehearse ${stack} .*: no changes`));
  });

  it('leaves configuration and state of the environment itself alone', () => expect(own(stack)).toEqual(before));
});

describe('a bad image in the rehearsal of prod', () => {
  const cluster = new Simulated('prod');
  const APPS = '/apis/apps/v1/namespaces/noodle-core';
  const RUNTIME = `${APPS}/deployments/noodle-runtime`;
  /** No registry has a name below .invalid: the pull is simulated, and fails. */
  const BAD = 'registry.invalid/shop/runtime:2';
  /** Pods that can't pull, those that are ending aside. */
  const failing = async (): Promise<readonly (string | undefined)[]> =>
    (await cluster.pods())
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .filter(({ status }) => status?.containerStatuses?.some(({ state }) => state?.waiting?.reason === 'ErrImagePull'))
      .map(({ metadata }) => metadata?.name);

  it('is stopped by the progress deadline, in the pod’s own words, while all others serve', async () => {
    const flags = ['-s', 'prod', '--simulate', '--set', `noodleCore.runtime.source=image:${BAD}`];
    const { exited } = startTrellis(['up', ...flags]);
    await until('a pod can’t pull', async () => (await failing()).length > 0, 240);
    // The deadline itself is what stops it; its four minutes are not waited for.
    await cluster.patch(`${RUNTIME}?fieldManager=kubectl-edit`, { spec: { progressDeadlineSeconds: 6 } });
    const { code, output } = await exited;
    expect(code).toBe(1);
    expect(output).toContain('ProgressDeadlineExceeded');
    expect(output).toMatch(
      new RegExp(`pod noodle-runtime-\\S+, container noodle-runtime: image ${BAD} can't be pulled \\(ErrImagePull\\)`),
    );
    const { spec, status } = await cluster.get<V1Deployment>(RUNTIME);
    expect(status?.availableReplicas).toBe(spec?.replicas);
    expect(await failing()).toHaveLength(1);
  });

  it('is rolled back by one command', async () => {
    const { stdout } = await trellis('rollback', 'noodle-runtime', '-s', 'prod', '--simulate');
    expect(stdout).toMatch(/pulumi config set --path trellis:noodleCore.runtime.source image:\S+@sha256:\w+ -s prod/);
    expect(stdout).toContain('./trellis up --refresh -s prod --simulate');
    expect(await failing()).toEqual([]);
    const { spec } = await cluster.get<V1Deployment>(RUNTIME);
    expect(spec?.template.spec?.containers[0]?.image).not.toBe(BAD);
  });

  /** Gives every container of a StatefulSet another image, as a hand does. */
  const setImages = async (url: string, imageOf: (own: string | undefined) => string | undefined): Promise<void> => {
    const { spec } = await cluster.get<V1StatefulSet>(url);
    const containers = (spec?.template.spec?.containers ?? []).map(({ name, image }) => ({
      name,
      image: imageOf(image),
    }));
    const body = { spec: { template: { spec: { containers } } } };
    await cluster.patch(`${url}?fieldManager=kubectl-edit`, body, 'strategic-merge-patch');
  };

  it('ends with the next template in a StatefulSet of one: nobody has to end its pod', async () => {
    const redis = '/apis/apps/v1/namespaces/noodle-core/statefulsets/redis';
    const { spec } = await cluster.get<V1StatefulSet>(redis);
    const [before] = spec?.template.spec?.containers ?? [];
    await setImages(redis, (own) => (own === before?.image ? BAD : own));
    await until('the pod can’t pull', async () => (await failing()).length > 0);
    await setImages(redis, (own) => (own === BAD ? before?.image : own));
    await until('the pod of the mended template', async () => {
      const { status } = await cluster.get<V1StatefulSet>(redis);
      return status?.readyReplicas === 1 && status.updateRevision === status.currentRevision;
    });
    expect(await failing()).toEqual([]);
  });

  it('is rolled back in a StatefulSet in order too, whose controller waits for the broken pod', async () => {
    const redis = '/apis/apps/v1/namespaces/noa-server/statefulsets/redis';
    const { spec } = await cluster.get<V1StatefulSet>(redis);
    expect(spec?.podManagementPolicy).toBe('OrderedReady');
    await setImages(redis, () => BAD);
    await until('the pod can’t pull', async () => (await failing()).length > 0);
    const { output } = await trellis('rollback', 'noa-server/redis', '-s', 'prod', '--simulate');
    expect(output).toContain('1 pods that were not Ready are ended');
    expect(await failing()).toEqual([]);
    expect((await cluster.get<V1StatefulSet>(redis)).spec?.template.spec?.containers).toEqual(
      spec?.template.spec?.containers,
    );
  });

  it('leaves nothing that the smoke test finds, as far as it makes sense there', async () => {
    const { stdout } = await trellis('verify', '-s', 'prod', '--simulate');
    expect(stdout).toContain(SIMULATED);
    expect(stdout).toMatch(/✔ pods: all \d+ Ready/);
    expect(stdout).toMatch(/○ addresses, back ends, autoscalers: not looked at: the pods are simulated/);
  });
});

describe('a rehearsal', () => {
  const cluster = new Simulated('staging');

  it('tells its own status, and that nothing runs', async () => {
    const { stdout } = await trellis('status', '-s', 'staging', '--simulate');
    expect(stdout).toContain(SIMULATED);
    expect(stdout).toMatch(/Simulated cluster of staging: running/);
    for (const { metadata } of await cluster.pods()) expect(stdout).toContain(metadata?.name ?? '?');
  });

  it('previews against what it holds', async () => {
    const { output } = await trellis('preview', '-s', 'staging', '--simulate');
    expect(output).toMatch(/pulumi:pulumi:Stack +trellis-staging/);
    expect(output).toMatch(/\d+ unchanged/);
    expect(output).not.toMatch(/to create/);
  });

  it('fails with the scheduler’s words, long before any time limit, where no node takes a pod', async () => {
    const cordon = async (unschedulable: boolean): Promise<void> => {
      for (const { metadata } of await cluster.nodes())
        await cluster.patch(`/api/v1/nodes/${metadata?.name ?? ''}`, { spec: { unschedulable } });
    };
    const [deployment] = await cluster.deployments();
    const { name = '', namespace = '' } = deployment?.metadata ?? {};
    await cordon(true);
    await cluster.remove(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`);
    try {
      const began = Date.now();
      const { code, output } = await startTrellis(['up', '-s', 'staging', '--simulate', '--refresh']).exited;
      expect(code).toBe(1);
      expect(output).toContain('No simulated node takes what staging asks for');
      expect(output).toMatch(new RegExp(`pod ${namespace}/${name}-\\S+: 0/\\d+ nodes are available: .*unschedulable`));
      expect(Date.now() - began).toBeLessThan(240_000);
    } finally {
      await cordon(false);
    }
    const { output } = await trellis('up', '-s', 'staging', '--simulate');
    expect(output).toMatch(/Every simulated pod Ready/);
  });

  it('ends with its processes; its data goes with --purge', async () => {
    await trellis('down', '-s', 'staging', '--simulate');
    expect((await rehearsalStatus(cluster.rehearsal)).state).toBe('stopped');
    expect((await rehearsalStatus(new Simulated('prod').rehearsal)).state).toBe('running');
    await trellis('down', '-s', 'staging', '--simulate', '--purge');
    expect((await rehearsalStatus(cluster.rehearsal)).state).toBe('absent');
    expect(fs.existsSync(cluster.rehearsal.dir)).toBe(false);
  });
});
