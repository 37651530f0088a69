import { configuration, runProgram, withoutSecrets } from './program';
import type { Json, Registration, Run } from './program';

const PASSWORD = 'random:index/randomPassword:RandomPassword';
const EXTERNAL = 'kubernetes:external-secrets.io/v1:ExternalSecret';

const only = (run: Run, type: string, name: string): Registration => {
  const found = run.resources.filter((one) => one.type === type && one.name === name);
  expect(found.map((one) => one.name)).toEqual([name]);
  return found[0] as Registration;
};
const named = (run: Run, type: string): readonly string[] =>
  run.resources.filter((one) => one.type === type).map(({ name }) => name);

describe('the program, with secrets from an external store', () => {
  let run: Run;
  beforeAll(async () => {
    const values = structuredClone(configuration('prod')) as Record<string, Json>;
    (values['trellis:secrets'] as Json).mode = 'external';
    run = await runProgram('prod', values);
    expect(run.error).toBeUndefined();
  }, 120_000);

  it('makes no value and no Secret, and holds nothing that is secret', () => {
    expect(named(run, PASSWORD)).toEqual([]);
    expect(named(run, 'kubernetes:core/v1:Secret')).toEqual([]);
    for (const { inputs } of run.resources) expect(withoutSecrets(inputs)).toEqual(inputs);
  });

  it('has an ExternalSecret in place of each, with every URL as a template, which the engine waits for', () => {
    const made = named(run, EXTERNAL);
    expect(made).toContain('noa-server/secret');
    for (const name of made)
      expect(only(run, EXTERNAL, name).inputs).toMatchObject({
        metadata: { annotations: { 'pulumi.com/waitFor': 'condition=Ready' } },
        spec: { secretStoreRef: { kind: 'ClusterSecretStore', name: 'trellis' } },
      });
    const { spec } = only(run, EXTERNAL, 'noodle-core/postgres/Secret').inputs as {
      spec: { target: { template: { data: Json } }; data: readonly Json[] };
    };
    expect(spec.target.template.data.DATABASE_URL).toMatch(
      /^postgres:\/\/noodlecore:\{\{ \.trellis_prod_noodle_core_postgres \}\}@postgres-pooler-service/,
    );
    expect(spec.data).toContainEqual({
      secretKey: 'trellis_prod_noodle_core_postgres',
      remoteRef: { key: 'trellis/prod/noodle-core-postgres' },
    });
  });

  it('starts pods after it, and rolls them with what it refers to', () => {
    const { dependsOn, inputs } = only(run, 'kubernetes:apps/v1:StatefulSet', 'noodle-core/postgres/StatefulSet');
    expect(dependsOn).toContain('noodle-core/postgres/Secret');
    expect(inputs).toMatchObject({
      spec: {
        template: {
          metadata: { annotations: { 'trellis.dev/reads': expect.stringMatching(/^[0-9a-f]{16}$/) as unknown } },
        },
      },
    });
  });
});
