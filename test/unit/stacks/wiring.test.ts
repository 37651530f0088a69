import { canary, configuration, digestOf, isSecret, opened, runProgram, withoutSecrets } from './program';
import type { Json, Registration, Run } from './program';

const PASSWORD = 'random:index/randomPassword:RandomPassword';
const IMAGE = 'docker:index/image:Image';
const KUBERNETES = 'kubernetes:';

const only = (run: Run, type: string, name: string): Registration => {
  const found = run.resources.filter((one) => one.type === type && one.name === name);
  expect(found.map((one) => one.name)).toEqual([name]);
  return found[0] as Registration;
};
const objects = (run: Run): readonly Registration[] => run.resources.filter(({ type }) => type.startsWith(KUBERNETES));
const named = (run: Run, type: string): readonly string[] =>
  run.resources
    .filter((one) => one.type === type)
    .map(({ name }) => name)
    .sort();

describe.each(['dev', 'staging', 'prod'])('the program, %s', (environment) => {
  let run: Run;
  let settings: Record<string, Json>;

  beforeAll(async () => {
    settings = configuration(environment) as Record<string, Json>;
    run = await runProgram(environment, settings);
    expect(run.error).toBeUndefined();
  }, 120_000);

  it('makes every secret once, without characters that a URL would need escaped', () => {
    const names = ['digest-key', 'noodle-core-postgres', 'noodle-core-redis', 'noodle-core-secret-key'];
    expect(named(run, PASSWORD)).toEqual(names);
    for (const name of names) {
      const { inputs } = only(run, PASSWORD, name);
      expect(inputs.special).toBe(false);
      expect(inputs.length).toBeGreaterThanOrEqual(32);
    }
  });

  it('builds each image once, every one on the digest of the base', () => {
    const { registry, tag, base, platform } = settings['trellis:images'] as Json;
    expect(named(run, IMAGE)).toEqual(['base', 'postgres', 'redis', 'reference-service']);
    expect(only(run, IMAGE, 'base').inputs).toMatchObject({
      imageName: `${String(registry)}/base:${String(tag)}`,
      build: { context: 'images/base', dockerfile: 'images/base/Dockerfile', platform, args: { BASE_IMAGE: base } },
    });
    for (const name of ['postgres', 'redis', 'reference-service']) {
      const image = only(run, IMAGE, name);
      expect(image.inputs).toMatchObject({
        imageName: `${String(registry)}/${name}:${String(tag)}`,
        build: { context: `images/${name}`, platform, args: { BASE: digestOf('base') } },
      });
      expect(image.dependsOn).toContain('base');
    }
  });

  it('runs the images by digest', () => {
    const image = (path: string, type: string): unknown => {
      const { spec } = only(run, type, path).inputs as { spec: { template: { spec: { containers: Json[] } } } };
      return spec.template.spec.containers[0]?.image;
    };
    expect(image('noodle-core/noodle-runtime/Deployment', 'kubernetes:apps/v1:Deployment')).toBe(
      digestOf('reference-service'),
    );
    expect(image('noodle-core/postgres/StatefulSet', 'kubernetes:apps/v1:StatefulSet')).toBe(digestOf('postgres'));
    expect(image('noodle-core/redis/StatefulSet', 'kubernetes:apps/v1:StatefulSet')).toBe(digestOf('redis'));
  });

  it('gives every object the configured provider, and a parent in the tree of constructs', () => {
    expect(objects(run).length).toBeGreaterThan(30);
    const known = new Set(run.resources.map(({ name }) => name));
    for (const { name, provider, parent } of objects(run)) {
      expect([name, provider]).toEqual([name, 'cluster']);
      expect([name, parent]).toEqual([name, name.slice(0, name.lastIndexOf('/'))]);
      expect(known).toContain(parent);
    }
  });

  it('hangs the tree of constructs under one release', () => {
    expect(only(run, 'trellis:cdk8s:ClusterRelease', 'platform').parent).toBe(`trellis-${environment}`);
    expect(only(run, 'trellis:cdk8s:Construct', 'noodle-core').parent).toBe('platform');
    expect(only(run, 'trellis:cdk8s:Construct', 'noodle-core/postgres').parent).toBe('noodle-core');
  });

  it('sets the provider to server-side apply and to changes in place, on the configured cluster', () => {
    const { context } = settings['trellis:cluster'] as Json;
    expect(only(run, 'pulumi:providers:kubernetes', 'cluster').inputs).toEqual({
      context,
      enableServerSideApply: 'true',
      enableConfigMapMutable: 'true',
      enableSecretMutable: 'true',
    });
  });

  it.each([
    ['noodle-core/postgres/Secret', 'POSTGRES_PASSWORD', canary('noodle-core-postgres')],
    ['noodle-core/redis/Secret', 'REDIS_PASSWORD', canary('noodle-core-redis')],
    ['noodle-core/runtime-secret', 'SECRET_KEY', canary('noodle-core-secret-key')],
  ])('fills %s from a generated value that stays secret', (path, key, value) => {
    const secret = only(run, 'kubernetes:core/v1:Secret', path);
    expect((opened(secret.inputs.stringData) as Json)[key]).toBe(value);
    expect(JSON.stringify(withoutSecrets(secret.inputs))).not.toContain('CANARY');
    expect([...secret.secretOutputs].sort()).toEqual(['data', 'stringData']);
  });

  it('puts both passwords into the URLs of their clients, as secrets', () => {
    const { namespace } = settings['trellis:noodleCore'] as Json;
    const value = (path: string, key: string): unknown =>
      (opened(only(run, 'kubernetes:core/v1:Secret', path).inputs.stringData) as Json)[key];
    expect(value('noodle-core/postgres/Secret', 'DATABASE_URL')).toBe(
      `postgres://noodlecore:${canary('noodle-core-postgres')}@postgres-service.${String(namespace)}.svc:5432/noodlecore`,
    );
    expect(value('noodle-core/redis/Secret', 'REDIS_URL')).toContain(
      `:${canary('noodle-core-redis')}@redis-service.${String(namespace)}.svc:6379`,
    );
  });

  it('names no generated value in clear, in any resource', () => {
    const secrets = run.resources.filter(({ inputs }) => JSON.stringify(inputs).includes('CANARY'));
    expect(secrets.map(({ name }) => name).sort()).toEqual([
      'noodle-core/postgres/Secret',
      'noodle-core/redis/Secret',
      'noodle-core/runtime-secret',
    ]);
    for (const { inputs } of run.resources) expect(JSON.stringify(withoutSecrets(inputs))).not.toContain('CANARY');
  });

  it('starts the runtime after its stores, and everything after the namespace', () => {
    const runtime = only(run, 'kubernetes:apps/v1:Deployment', 'noodle-core/noodle-runtime/Deployment');
    expect(runtime.dependsOn).toEqual(
      expect.arrayContaining(['noodle-core/postgres/StatefulSet', 'noodle-core/redis/StatefulSet']),
    );
    const namespace = run.resources.find(({ type }) => type === 'kubernetes:core/v1:Namespace') as Registration;
    const order = objects(run).map(({ name }) => name);
    expect(order[0]).toBe(namespace.name);
  });

  it('keeps the data of a stack that goes away exactly where the configuration says so', () => {
    const kept = (settings['trellis:state'] as Json).removal === 'retain';
    for (const name of ['noodle-core/postgres/StatefulSet', 'noodle-core/redis/StatefulSet']) {
      expect(only(run, 'kubernetes:apps/v1:StatefulSet', name).retain).toBe(kept);
    }
    expect(only(run, 'kubernetes:apps/v1:Deployment', 'noodle-core/noodle-runtime/Deployment').retain).toBe(false);
  });

  it('puts out addresses and names, and no secret', () => {
    const { namespace, host } = settings['trellis:noodleCore'] as Json;
    const { noodleCore } = run.outputs as { noodleCore: Json };
    expect(isSecret(noodleCore)).toBe(false);
    expect(noodleCore).toEqual({
      url: `https://${String(host)}/`,
      namespace,
      secrets: {
        postgres: `${String(namespace)}/postgres-secret`,
        redis: `${String(namespace)}/redis-secret`,
        runtime: `${String(namespace)}/noodle-runtime-secret`,
      },
      images: {
        runtime: digestOf('reference-service'),
        postgres: digestOf('postgres'),
        redis: digestOf('redis'),
      },
    });
  });
});

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
