import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { root, stateDir } from '../../local/paths';
import { Cluster, endCommands, pulumi, runPulumi, secretValues, startTrellis } from '../support/cluster';
import type { Outcome } from '../support/cluster';
import { spellings, filesWith } from './support/leaks';

jest.setTimeout(300_000);

interface State {
  readonly deployment: {
    readonly resources: readonly {
      readonly type: string;
      readonly outputs?: { readonly result?: { readonly plaintext?: string } };
    }[];
    readonly pending_operations?: readonly unknown[];
  };
}

describe('the engine on a stack that is deployed', () => {
  let cluster: Cluster;
  /** All that the commands of this file write beside the clone's own state. */
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-leaks-'));
  const outputs = new Map<string, string>();
  const run = async (...args: string[]): Promise<Outcome> => {
    const outcome = await runPulumi(args, { TMPDIR: temporary });
    outputs.set(`pulumi ${args.join(' ')}`, outcome.output);
    return outcome;
  };
  const uids = async (): Promise<readonly (string | undefined)[]> =>
    (await cluster.pods()).map(({ metadata }) => metadata?.uid).sort();

  beforeAll(async () => {
    cluster = new Cluster();
    await cluster.healthy();
  });
  afterAll(async () => {
    await endCommands();
    fs.rmSync(temporary, { recursive: true, force: true });
  });

  test('a second ./trellis up reports no changes and restarts nothing', async () => {
    await pulumi('up', '-s', 'dev', '--yes', '--skip-preview');
    const before = await uids();
    const { code, output } = await startTrellis(['up'], { TMPDIR: temporary }).exited;
    outputs.set('./trellis up', output);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toMatch(/✔ Deploy dev \([^)]+\): no changes/);
    expect(output).not.toMatch(/\d+ (created|updated|replaced|deleted)/);
    expect(await uids()).toEqual(before);
  });

  test('pulumi preview -s dev works as typed and shows no change', async () => {
    const { code, output } = await run('preview', '-s', 'dev', '--diff', '--expect-no-changes');
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/\d+ unchanged/) as string });
    const json = await run('preview', '-s', 'dev', '--json');
    const { steps } = JSON.parse(json.stdout) as { readonly steps: readonly { readonly op: string }[] };
    expect(new Set(steps.map(({ op }) => op))).toEqual(new Set(['same']));
  });

  test.each(['staging', 'prod'])('pulumi preview -s %s works as typed, before anything of it exists', async (stack) => {
    const { code, output } = await run('preview', '-s', stack, '--diff');
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain('noodle-runtime/Deployment');
    expect(output).toMatch(/\+ \d+ to create/);
  });

  test('the exported state is whole and holds no generated secret', async () => {
    const { code, stdout } = await run('stack', 'export', '-s', 'dev');
    expect(code).toBe(0);
    const { deployment } = JSON.parse(stdout) as State;
    expect(deployment.resources.length).toBeGreaterThan(40);
    expect(deployment.pending_operations ?? []).toEqual([]);
  });

  test('no output, state or log holds a generated secret, in clear or in base64', async () => {
    const { stdout } = await pulumi('stack', 'export', '-s', 'dev', '--show-secrets');
    const { resources } = (JSON.parse(stdout) as State).deployment;
    const generated = resources
      .filter(({ type }) => type === 'random:index/randomPassword:RandomPassword')
      .map(({ outputs: of }) => JSON.parse(of?.result?.plaintext ?? '""') as string);
    expect(generated.length).toBeGreaterThanOrEqual(4);
    expect(generated.every((secret) => secret.length >= 32)).toBe(true);
    const live = await secretValues(cluster);
    // Secrets of the pods are generated ones, or URLs and files that hold them.
    const values = live.filter((value) => generated.some((secret) => value.includes(secret)));
    expect(values.length).toBeGreaterThanOrEqual(3);
    const needles = spellings([...generated, ...values]);
    // The search finds them where they are.
    expect(needles.some((needle) => stdout.includes(needle))).toBe(true);

    expect(outputs.size).toBeGreaterThanOrEqual(6);
    const telling = [...outputs].filter(([, output]) => needles.some((needle) => output.includes(needle)));
    expect(telling.map(([command]) => command)).toEqual([]);

    // The cluster itself keeps them, as every cluster does: its database, and what its node gives to the pods.
    const own = ['etcd', 'kubelet', 'volumes', 'containerd', 'registry'].map((name) => path.join('cluster', name));
    const without = [...own, 'docker', path.join('pulumi', 'home', 'plugins')].map((name) => path.join(stateDir, name));
    expect(filesWith(needles, [stateDir, temporary], without)).toEqual([]);
    const committed = fs.readdirSync(root).filter((name) => /^Pulumi\..*yaml$/.test(name));
    expect(
      filesWith(
        needles,
        committed.map((name) => path.join(root, name)),
        [],
      ),
    ).toEqual([]);
  });
});
