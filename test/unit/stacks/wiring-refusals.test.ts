import { configuration, runProgram } from './program';
import type { Json, Registration, Run } from './program';

const objects = (run: Run): readonly Registration[] =>
  run.resources.filter(({ type }) => type.startsWith('kubernetes:'));

describe('bad configuration', () => {
  const run = (change: (values: Record<string, Json>) => void): Promise<Run> => {
    const values = structuredClone(configuration('dev')) as Record<string, Json>;
    change(values);
    return runProgram('dev', values);
  };
  const made = ({ resources }: Run): readonly string[] =>
    resources.filter(({ type }) => type !== 'pulumi:pulumi:Stack').map(({ name }) => name);

  it('is refused with every problem, before anything is registered', async () => {
    const result = await run((values) => {
      (values['trellis:noodleCore'] as { host: string }).host = 'Not_a_host';
      (values['trellis:images'] as { platform: string }).platform = 'windows/amd64';
      values['trellis:typo'] = {};
    });
    expect(result.error?.name).toBe('ConfigurationError');
    expect(result.error?.message.split('\n')).toEqual([
      'Pulumi.dev.yaml has 3 problems:',
      expect.stringContaining('trellis:images.platform: must be one of linux/amd64, linux/arm64'),
      expect.stringContaining('trellis:noodleCore.host: '),
      '  - trellis:typo: is not a known key',
    ]);
    expect(made(result)).toEqual([]);
  }, 60_000);

  it('that no node can hold is refused before any object of the cluster is registered', async () => {
    const result = await run((values) => {
      (values['trellis:noaServer'] as { llamaCpp: Json }).llamaCpp.gpus = 2;
      (values['trellis:cluster'] as { largestNode: Json }).largestNode.memory = '64Mi';
    });
    expect(result.error?.name).toBe('DefinitionError');
    expect(result.error?.message).toContain(
      'noa-server/baseline: largestNode: a pod of noa-server/llama-cpp/Deployment requests 2 of nvidia.com/gpu, and the largest node has 0',
    );
    expect(result.error?.message).toContain(
      'largestNode: a pod of noodle-core/noodle-runtime/Deployment requests 96Mi',
    );
    expect(objects(result)).toEqual([]);
  }, 60_000);

  it('names a file of ciphertexts that is not there', async () => {
    const result = await run((values) => {
      Object.assign(values['trellis:secrets'] as Json, { mode: 'sealed', file: 'sealed/absent.yaml' });
    });
    expect(result.error?.message).toContain('there is no such file; ./trellis seal writes it');
    expect(objects(result)).toEqual([]);
  }, 60_000);

  it('names a build context that is not there', async () => {
    const result = await run((values) => {
      (values['trellis:noodleCore'] as { redis: Json }).redis.source = 'build:images/absent';
    });
    expect(result.error?.message).toContain("the folder must hold a Dockerfile, got 'build:images/absent'");
    expect(made(result)).toEqual([]);
  }, 60_000);

  it('of a component is refused before any object of the cluster is registered', async () => {
    const result = await run((values) => {
      (values['trellis:noodleCore'] as { runtime: Json }).runtime.maxReplicas = 1;
      (values['trellis:noodleCore'] as { runtime: Json }).runtime.minReplicas = 3;
    });
    expect(result.error?.name).toBe('ValidationError');
    expect(result.error?.message).toMatch(/^noodle-core\/noodle-runtime: .*minReplicas/);
    expect(objects(result)).toEqual([]);
  }, 60_000);
});
