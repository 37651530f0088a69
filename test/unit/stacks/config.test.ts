import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import type { Settings } from '../../../stacks/schema';
import { ConfigurationError, validateSettings } from '../../../stacks/validate';

const ENVIRONMENTS = ['dev', 'staging', 'prod'] as const;
type Json = Record<string, unknown>;

const file = (environment: string): Json => {
  const text = readFileSync(path.resolve(__dirname, `../../../Pulumi.${environment}.yaml`), 'utf8');
  const { config } = parse(text) as { config: Json };
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/^trellis:/, ''), value]));
};

/** A valid configuration with one place changed; `undefined` removes it. */
function changed(key: string, value: unknown): Json {
  const values = structuredClone(file('dev'));
  const names = key.split('.');
  const last = names.pop() as string;
  const holder = names.reduce<Json>((object, name) => object[name] as Json, values);
  if (value === undefined) delete holder[last];
  else Object.defineProperty(holder, last, { value, enumerable: true, configurable: true, writable: true });
  return values;
}

const problemsOf = (values: Json, secretKeys?: ReadonlySet<string>): readonly string[] => {
  try {
    validateSettings('Pulumi.dev.yaml', values, secretKeys);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
};

describe('the three files', () => {
  it.each(ENVIRONMENTS)('are valid: %s', (environment) => {
    const settings: Settings = validateSettings(`Pulumi.${environment}.yaml`, file(environment));
    expect(settings.cluster.context).toBe(`trellis-${environment}`);
  });

  it('have the same keys', () => {
    const keys = (value: unknown, prefix: string): string[] =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.entries(value).flatMap(([key, inner]) => keys(inner, `${prefix}.${key}`))
        : [prefix];
    const [dev, staging, prod] = ENVIRONMENTS.map((environment) => keys(file(environment), '').sort());
    expect(staging).toEqual(dev);
    expect(prod).toEqual(dev);
  });
});

describe('bad configuration is refused, with key, finding and what is allowed', () => {
  it.each([
    [
      'a string for a number',
      'noodleCore.runtime.minReplicas',
      '2',
      'trellis:noodleCore.runtime.minReplicas: must be of type number, got "2"',
    ],
    ['a number for a string', 'noodleCore.host', 3, 'trellis:noodleCore.host: must be of type string, got 3'],
    [
      'a fraction',
      'noodleCore.runtime.minReplicas',
      1.5,
      'trellis:noodleCore.runtime.minReplicas: must be of type int, got 1.5',
    ],
    ['zero', 'noodleCore.runtime.minReplicas', 0, 'trellis:noodleCore.runtime.minReplicas: must be at least 1, got 0'],
    [
      'a huge number',
      'noodleCore.runtime.maxReplicas',
      1e9,
      'trellis:noodleCore.runtime.maxReplicas: must be at most 200, got 1000000000',
    ],
    ['a missing key', 'noodleCore.host', undefined, 'trellis:noodleCore.host: is missing; must be of type string'],
    ['an unknown key', 'noodleCore.hots', 'x', 'trellis:noodleCore.hots: is not a known key'],
    ['an unknown section', 'noodlecore', {}, 'trellis:noodlecore: is not a known key'],
    ['a key of every object', 'noodleCore.__proto__', { a: 1 }, 'trellis:noodleCore.__proto__: is not a known key'],
    [
      'an unknown environment',
      'environment',
      'qa',
      'trellis:environment: must be one of development, staging, production, got "qa"',
    ],
    [
      'a misspelt size',
      'noodleCore.postgres.storage',
      '1Gib',
      'trellis:noodleCore.postgres.storage: must be a size such as 512Mi or 10Gi, got "1Gib"',
    ],
    ['a negative size', 'noodleCore.postgres.storage', '-1Gi', /postgres\.storage: must be a size .*, got "-1Gi"/],
    [
      'a misspelt amount of CPU',
      'noodleCore.redis.cpu.limit',
      '5 cores',
      /redis\.cpu\.limit: must be an amount of CPU .*, got "5 cores"/,
    ],
    [
      'a cron hour out of range',
      'noodleCore.postgres.backup.schedule',
      '0 25 * * *',
      `trellis:noodleCore.postgres.backup.schedule: must be a cron schedule: hour '25' is not within 0-23, got "0 25 * * *"`,
    ],
    ['a drill in hour 25', 'noodleCore.redis.backup.drillSchedule', '0 25 * * *', /drillSchedule: must be a cron/],
    ['no age at all', 'noaServer.mcp.volume.backup.maxAgeDays', 0, /maxAgeDays: must be at least 1, got 0/],
    [
      'another kind of target',
      'noodleCore.backup.target.kind',
      'tape',
      /must be one of volume, objectStorage, got "tape"/,
    ],
    ['an endpoint without a protocol', 'noodleCore.backup.target.endpoint', 's3', /endpoint: must be an address such/],
    ['a bucket in capitals', 'noodleCore.backup.target.bucket', 'A', /bucket: must be the name of a bucket/],
    ['a prefix with a slash before it', 'noodleCore.backup.target.prefix', '/a', /prefix: must be folders joined/],
    ['no region', 'noodleCore.backup.target.region', '', /region: must be the name of a region/],
    ['a range that is none', 'noodleCore.backup.target.cidr', '10.0.0.0', /cidr: must be a CIDR block/],
    [
      'a bad host',
      'noodleCore.host',
      'bad_host..com',
      /noodleCore\.host: must be a lower-case host name .*, got "bad_host\.\.com"/,
    ],
    ['a look-alike letter', 'noodleCore.host', 'n\u043eodle.example.com', /got "n\\u043eodle\.example\.com"$/],
    [
      'a control character',
      'noodleCore.namespace',
      'a\u0000b',
      /noodleCore\.namespace: must be an RFC 1123 label .*, got "a\\u0000b"/,
    ],
    [
      'a name above 63 characters',
      'noodleCore.namespace',
      'n'.repeat(64),
      /noodleCore\.namespace: must be an RFC 1123 label .*at most 63/,
    ],
    [
      'a registry with a port out of form',
      'images.registry',
      'localhost:port/x',
      /images\.registry: must be a registry/,
    ],
    [
      'an image source without a kind',
      'noodleCore.redis.source',
      'redis:7',
      'trellis:noodleCore.redis.source: must be build:FOLDER or image:REFERENCE, got "redis:7"',
    ],
    ['YAML 1.1 truth', 'noodleCore.runtime.logLevel', true, /runtime\.logLevel: must be one of DEBUG, .*, got true/],
    [
      'a variable that is none',
      'noaServer.variables.LOG_LEVLE',
      'debug',
      'trellis:noaServer.variables.LOG_LEVLE: is not a known variable, got "debug"',
    ],
    [
      'a value that a variable does not take',
      'noaServer.variables.LOG_LEVEL',
      'loud',
      'trellis:noaServer.variables.LOG_LEVEL: must be one of debug, info, warn, error, got "loud"',
    ],
    [
      'a variable that the chart sets',
      'noaServer.variables.PORT',
      '1',
      'trellis:noaServer.variables.PORT: cannot be set, since it comes from the chart, got "1"',
    ],
    [
      'a moment without an offset',
      'noodleCore.postgres.recovery.to',
      '2026-03-04 05:06',
      /recovery\.to: must be empty, latest, or a moment with its offset .*, got "2026-03-04 05:06"/,
    ],
    [
      'a moment of an archive that there is none of',
      'noodleCore.postgres.recovery.to',
      'latest',
      'trellis:noodleCore.postgres.recovery.to: must be empty without an archive and a source, got "latest"',
    ],
    [
      'a standby of nobody',
      'noodleCore.postgres.recovery.role',
      'standby',
      'trellis:noodleCore.postgres.recovery.source.bucket: must say whose archive the standby follows, got ""',
    ],
    [
      'an unknown mode of secrets',
      'secrets.mode',
      'vault',
      'trellis:secrets.mode: must be one of generated, external, sealed, got "vault"',
    ],
    [
      'a store of another kind',
      'secrets.store.kind',
      'Vault',
      /secrets\.store\.kind: must be one of ClusterSecretStore, SecretStore, got "Vault"/,
    ],
    ['a prefix that ends with a slash', 'secrets.store.prefix', 'a/', /secrets\.store\.prefix: must be a path such as/],
    ['a file outside of the project', 'secrets.file', '../x.yaml', /secrets\.file: must be a path of the project/],
    ['half a GPU', 'cluster.largestNode.gpus', 0.5, 'trellis:cluster.largestNode.gpus: must be of type int, got 0.5'],
    [
      'a port that is none',
      'cluster.traceCollector.port',
      0,
      'trellis:cluster.traceCollector.port: must be at least 1, got 0',
    ],
    [
      'more than all traces',
      'noodleCore.traceSampleRatio',
      2,
      'trellis:noodleCore.traceSampleRatio: must be at most 1, got 2',
    ],
    ['fewer than no replicas', 'noodleCore.nginx.replicas', -1, /nginx\.replicas: must be at least 0, got -1/],
    ['text for a section', 'noodleCore.postgres', '', 'trellis:noodleCore.postgres: must be of type object, got ""'],
    [
      'null',
      'noodleCore.postgres.storage',
      null,
      'trellis:noodleCore.postgres.storage: must be of type string, got null',
    ],
  ])('%s', (_title, key, value, problem) => {
    expect(problemsOf(changed(key, value))).toEqual([
      typeof problem === 'string' ? problem : (expect.stringMatching(problem) as string),
    ]);
  });

  it('two problems at once', () => {
    const values = changed('noodleCore.host', 'A');
    (values.images as Json).platform = 'windows/amd64';
    expect(problemsOf(values)).toEqual([
      expect.stringMatching(/^trellis:images\.platform: must be one of /),
      expect.stringMatching(/^trellis:noodleCore\.host: /),
    ]);
  });

  it('without the value where the key is a secret', () => {
    const problems = problemsOf(changed('noodleCore.host', 'CANARY_secret'), new Set(['noodleCore']));
    expect(problems).toEqual([expect.stringMatching(/^trellis:noodleCore\.host: .*, got a secret value$/)]);
    expect(problems.join()).not.toContain('CANARY');
  });
});
