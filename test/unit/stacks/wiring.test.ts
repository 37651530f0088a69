import { canary, configuration, digestOf, isSecret, opened, runProgram, withoutSecrets } from './program';
import type { Json, Registration, Run } from './program';

const PASSWORD = 'random:index/randomPassword:RandomPassword';
const IMAGE = 'docker:index/image:Image';
const KUBERNETES = 'kubernetes:';

const SECRET_NAMES = [
  ...['noodle-core', 'noa-server'].flatMap((system) =>
    ['postgres', 'postgres-replication', 'postgres-archive', 'redis', 'redis-system', 'secret-key', 'backup-key'].map(
      (name) => `${system}-${name}`,
    ),
  ),
  ...['noa-server-encryption-key', 'noa-server-llama-api-key', 'observability-grafana'],
];
const BUILT = [
  ...[
    'alertmanager',
    'backup',
    'base',
    'llama-cpp',
    'model-fetch',
    'nginx',
    'pgbouncer',
    'postgres',
    'postgres-exporter',
  ],
  ...['prometheus', 'pushgateway', 'redis', 'redis-exporter', 'reference-service'],
].sort();
const STORE_IMAGES = {
  postgres: digestOf('postgres'),
  pooler: digestOf('pgbouncer'),
  postgresExporter: digestOf('postgres-exporter'),
  redis: digestOf('redis'),
  redisExporter: digestOf('redis-exporter'),
  backup: digestOf('backup'),
  backupStatus: digestOf('pushgateway'),
};
const SYSTEMS = ['noodle-core', 'noa-server'];

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
    const names = ['digest-key', ...SECRET_NAMES].sort();
    expect(named(run, PASSWORD)).toEqual(names);
    for (const name of names) {
      const { inputs } = only(run, PASSWORD, name);
      expect(inputs.special).toBe(false);
      expect(inputs.length).toBeGreaterThanOrEqual(32);
    }
  });

  it('builds each image once, every one on the digest of the base', () => {
    const { registry, tag, base, platform } = settings['trellis:images'] as Json;
    expect(named(run, IMAGE)).toEqual(BUILT);
    expect(only(run, IMAGE, 'base').inputs).toMatchObject({
      imageName: `${String(registry)}/base:${String(tag)}`,
      build: { context: 'images/base', dockerfile: 'images/base/Dockerfile', platform, args: { BASE_IMAGE: base } },
    });
    for (const name of BUILT.filter((one) => one !== 'base')) {
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
    expect(image('noa-server/llama-cpp/Deployment', 'kubernetes:apps/v1:Deployment')).toBe(digestOf('llama-cpp'));
    for (const system of SYSTEMS) {
      expect(image(`${system}/postgres/StatefulSet`, 'kubernetes:apps/v1:StatefulSet')).toBe(digestOf('postgres'));
      expect(image(`${system}/redis/StatefulSet`, 'kubernetes:apps/v1:StatefulSet')).toBe(digestOf('redis'));
    }
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
    for (const system of SYSTEMS) {
      expect(only(run, 'trellis:cdk8s:Construct', system).parent).toBe('platform');
      expect(only(run, 'trellis:cdk8s:Construct', `${system}/postgres`).parent).toBe(system);
    }
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
    ['noodle-core/postgres/Backup/Jobs/Key', 'BACKUP_KEY', canary('noodle-core-backup-key')],
    ['noa-server/mcp/Backup-0/Jobs/Key', 'BACKUP_KEY', canary('noa-server-backup-key')],
    ['noa-server/postgres/Secret', 'POSTGRES_PASSWORD', canary('noa-server-postgres')],
    ['noa-server/redis/Secret', 'REDIS_PASSWORD', canary('noa-server-redis')],
    ['noa-server/secret', 'SECRET_KEY', canary('noa-server-secret-key')],
    ['noa-server/secret', 'ENCRYPTION_KEY', canary('noa-server-encryption-key')],
    ['noa-server/llama-cpp/Secret', 'API_KEY', canary('noa-server-llama-api-key')],
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
      `postgres://noodlecore:${canary('noodle-core-postgres')}@postgres-pooler-service.${String(namespace)}.svc:5432/noodlecore?sslmode=require`,
    );
    expect(value('noodle-core/redis/Secret', 'REDIS_URL')).toContain(
      `:${canary('noodle-core-redis')}@redis-service.${String(namespace)}.svc:6379`,
    );
  });

  it('names no generated value in clear, in any resource', () => {
    const secrets = run.resources.filter(({ inputs }) => JSON.stringify(inputs).includes('CANARY'));
    // Each backup has a copy of its system's key, since it is read by its own pods alone.
    const others = secrets.map(({ name }) => name).filter((name) => !name.endsWith('/Jobs/Key'));
    expect(secrets.length).toBeGreaterThan(others.length);
    // An archive on a volume has a generated passphrase; the keys of a bucket are somebody else's.
    const archives = environment === 'staging' ? SYSTEMS.map((system) => `${system}/postgres/ArchiveSecret`) : [];
    const expected = [
      ...archives,
      'noa-server/llama-cpp/Secret',
      'noa-server/postgres/Secret',
      'noa-server/redis/Secret',
      'noa-server/secret',
      'noodle-core/postgres/Secret',
      'noodle-core/redis/Secret',
      'noodle-core/runtime-secret',
      // Grafana runs where there is an image of it.
      ...(environment === 'dev' ? [] : ['observability/grafana/Secret']),
      // The model server shows its metrics to who has its key.
      'observability/prometheus/Tokens',
    ];
    expect(others.sort()).toEqual([...expected].sort());
    for (const { inputs } of run.resources) expect(JSON.stringify(withoutSecrets(inputs))).not.toContain('CANARY');
  });

  it('starts each service after what it connects to', () => {
    const dependencies = (path: string): readonly string[] =>
      only(run, 'kubernetes:apps/v1:Deployment', `${path}/Deployment`).dependsOn;
    for (const [client, ...backends] of [
      ['noodle-core/noodle-runtime', 'noodle-core/postgres/StatefulSet', 'noodle-core/redis/StatefulSet'],
      ['noodle-core/noodle-ide', 'noodle-core/noodle-runtime/Deployment'],
      ['noa-server/ui', 'noa-server/mcp/StatefulSet'],
      ['noa-server/claude-flow', 'noa-server/postgres/StatefulSet', 'noa-server/llama-cpp/Deployment'],
    ] as const) {
      expect(dependencies(client)).toEqual(expect.arrayContaining([...backends]));
    }
  });

  it('makes the namespace of each system before all that is in it', () => {
    for (const system of SYSTEMS) {
      const [first] = objects(run).filter(({ name }) => name.startsWith(`${system}/`));
      expect(first?.type).toBe('kubernetes:core/v1:Namespace');
    }
  });

  it('keeps the data of a stack that goes away exactly where the configuration says so', () => {
    const kept = (settings['trellis:state'] as Json).removal === 'retain';
    for (const name of SYSTEMS.flatMap((system) => [`${system}/postgres/Data-0`, `${system}/redis/Data-0`])) {
      expect(only(run, 'kubernetes:core/v1:PersistentVolumeClaim', name).retain).toBe(kept);
    }
    expect(only(run, 'kubernetes:apps/v1:Deployment', 'noodle-core/noodle-runtime/Deployment').retain).toBe(false);
  });

  it('puts out addresses and names, and no secret', () => {
    const { namespace, host, ide } = settings['trellis:noodleCore'] as { namespace: string; host: string; ide: Json };
    const noa = settings['trellis:noaServer'] as { namespace: string; host: string };
    const observability = settings['trellis:observability'] as { namespace: string; host: string };
    expect(isSecret(run.outputs)).toBe(false);
    expect(run.outputs).toEqual({
      noodleCore: {
        url: `https://${host}/`,
        ideUrl: `https://${String(ide.host)}/`,
        namespace,
        secrets: {
          postgres: `${namespace}/postgres-secret`,
          redis: `${namespace}/redis-secret`,
          runtime: `${namespace}/noodle-runtime-secret`,
        },
        images: {
          runtime: digestOf('reference-service'),
          runtimeCanary: digestOf('reference-service'),
          ide: digestOf('reference-service'),
          nginx: digestOf('nginx'),
          ...STORE_IMAGES,
        },
      },
      noaServer: {
        url: `https://${noa.host}/`,
        namespace: noa.namespace,
        secrets: {
          postgres: `${noa.namespace}/postgres-secret`,
          redis: `${noa.namespace}/redis-secret`,
          services: `${noa.namespace}/noa-server-secret`,
          llamaCpp: `${noa.namespace}/llama-cpp-secret`,
        },
        images: {
          ...Object.fromEntries(
            ['ui', 'uiCanary', 'mcp', 'claudeFlow', 'agenticOs'].map((name) => [name, digestOf('reference-service')]),
          ),
          llamaCpp: digestOf('llama-cpp'),
          modelFetch: digestOf('model-fetch'),
          ...STORE_IMAGES,
        },
      },
      observability: {
        ...(environment === 'dev'
          ? {}
          : {
              url: `https://${observability.host}/`,
              secrets: { grafana: `${observability.namespace}/grafana-secret` },
              loki: `http://loki-service.${observability.namespace}.svc:3100`,
            }),
        namespace: observability.namespace,
        prometheus: `http://prometheus-service.${observability.namespace}.svc:9090`,
        alertmanager: `http://alertmanager-service.${observability.namespace}.svc:9093`,
        images: {
          prometheus: digestOf('prometheus'),
          alertmanager: digestOf('alertmanager'),
          grafana: expect.stringMatching(/^grafana\/grafana:\d+\.\d+\.\d+$/) as string,
          loki: expect.stringMatching(/^grafana\/loki:\d+\.\d+\.\d+$/) as string,
          fluentBit: expect.stringMatching(/^fluent\/fluent-bit:\d+\.\d+\.\d+$/) as string,
        },
      },
      rotation: Object.fromEntries(
        ['noodleCore', 'noaServer'].flatMap((system) =>
          ['postgres', 'redis'].map((store) => [`${system}.${store}`, { accepted: [1], used: 1 }]),
        ),
      ),
    });
  });
});

it('puts the address of a receiver of alerts into its Secret, as a secret', async () => {
  const values = structuredClone(configuration('dev')) as Record<string, Json>;
  const url = canary('receiver').replace(/^/, 'https://alerts.example.com/');
  const { alertmanager } = values['trellis:observability'] as { alertmanager: { receiver: Json } };
  Object.assign(alertmanager.receiver, { kind: 'webhook', url });
  const run = await runProgram('dev', values);
  expect(run.error).toBeUndefined();
  const { inputs } = only(run, 'kubernetes:core/v1:Secret', 'observability/alertmanager/Secret');
  expect((opened(inputs.stringData) as Json)['alertmanager.yml']).toContain(url);
  for (const one of run.resources) expect(JSON.stringify(withoutSecrets(one.inputs))).not.toContain('CANARY');
}, 60_000);
