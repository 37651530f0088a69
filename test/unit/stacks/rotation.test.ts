import { rotationProblems } from '../../../stacks/rotation';
import { canary, configuration, isSecret, opened, runProgram } from './program';
import type { Json, Registration, Run } from './program';

type Numbers = { readonly accepted: readonly number[]; readonly used: number };
const numbers = (accepted: readonly number[], used: number) => ({ accepted: [...accepted], used });
const problems = (before: Numbers, now: Numbers): readonly string[] =>
  rotationProblems({ store: numbers(before.accepted, before.used) }, { store: numbers(now.accepted, now.used) });

describe('a step', () => {
  test.each([
    ['nothing', numbers([1], 1), numbers([1], 1)],
    ['stage', numbers([1], 1), numbers([1, 2], 1)],
    ['switch', numbers([1, 2], 1), numbers([1, 2], 2)],
    ['retire', numbers([1, 2], 2), numbers([2], 2)],
    ['the next stage', numbers([2], 2), numbers([2, 3], 2)],
    ['retire and stage at once', numbers([1, 2], 2), numbers([2, 3], 2)],
    ['back from stage', numbers([1, 2], 1), numbers([1], 1)],
    ['back from switch', numbers([1, 2], 2), numbers([1, 2], 1)],
  ])('is allowed: %s', (_title, before, now) => expect(problems(before, now)).toEqual([]));

  test.each([
    [
      'switch without stage',
      numbers([1], 1),
      numbers([1, 2], 2),
      'used: must be a password that servers accept since the last deployment ([1]), got 2; deploy it as accepted first',
    ],
    [
      'switch and retire at once',
      numbers([1, 2], 1),
      numbers([2], 2),
      'accepted: must hold 1 as long as clients use it, got [2]; deploy used: 2 with accepted: [1, 2] before it is retired',
    ],
    [
      'a retired password again',
      numbers([2], 2),
      numbers([1, 2], 2),
      'accepted: must not go back to [1]: what follows 2 is 3',
    ],
  ])('is refused, with one problem: %s', (_title, before, now, expected) =>
    expect(problems(before, now)).toEqual([`trellis:store.password.${expected}`]),
  );

  test('is measured by the first password where the last deployment knew of no others', () => {
    const now = { store: numbers([1, 2], 2) };
    expect(rotationProblems({}, now)).toHaveLength(1);
    expect(rotationProblems(undefined, now)).toEqual([]);
  });
});

describe('the program', () => {
  const PASSWORD = 'random:index/randomPassword:RandomPassword';
  const store = (values: Json, system: string, name: string): Json =>
    (values[`trellis:${system}`] as Record<string, Json>)[name] as Json;
  const runs = new Map<string, Promise<Run>>();
  /** What the program comes to; tests that look at the same numbers look at one run. */
  const run = (accepted: readonly number[], used: number, before: Json = {}): Promise<Run> => {
    const key = JSON.stringify([accepted, used, before]);
    const known = runs.get(key) ?? program(accepted, used, before);
    runs.set(key, known);
    return known;
  };
  const program = (accepted: readonly number[], used: number, before: Json): Promise<Run> => {
    const values = structuredClone(configuration('dev'));
    for (const name of ['postgres', 'redis']) store(values, 'noodleCore', name).password = { accepted, used };
    return runProgram('dev', values, before);
  };
  const found = ({ resources }: Run, name: string): Registration | undefined =>
    resources.find((one) => one.name === name);
  const secret = (result: Run, path: string): Json => opened(found(result, path)?.inputs.stringData) as Json;
  const passwords = ({ resources }: Run): Json =>
    Object.fromEntries(
      resources
        .filter(({ type, name }) => type === PASSWORD && /^noodle-core-(postgres|redis)(-b)?$/.test(name))
        .map(({ name, inputs }) => [name, inputs.keepers]),
    );
  const deployed = (rotation: Json): Json => ({ rotation });

  test.each([
    ['before', [1], 1, [1]],
    ['stage', [1, 2], 1, [1, 2]],
    ['switch', [1, 2], 2, [1, 2]],
    ['retire', [2], 2, [2]],
    ['the next stage', [2, 3], 2, [2, 3]],
  ])(
    '%s: servers get all accepted passwords, clients the used one',
    async (_title, accepted, used, expected) => {
      const result = await run(accepted, used);
      expect(result.error).toBeUndefined();
      const slot = (number: number): string => (number % 2 === 1 ? '' : '-b');
      const role = (number: number): string => (number % 2 === 1 ? 'noodlecore' : 'noodlecore_b');
      const [sql, keys] = [secret(result, 'noodle-core/postgres/Secret'), secret(result, 'noodle-core/redis/Secret')];
      const sqlPassword = (number: number): string => canary(`noodle-core-postgres${slot(number)}`);
      const keysPassword = (number: number): string => canary(`noodle-core-redis${slot(number)}`);
      expect(sql['POSTGRES_LOGINS']).toBe(
        expected.map((number) => `${role(number)} ${sqlPassword(number)}\n`).join(''),
      );
      expect(sql['PGBOUNCER_USERS']).toBe(
        expected.map((number) => `"${role(number)}" "${sqlPassword(number)}"\n`).join(''),
      );
      expect(sql['POSTGRES_PASSWORD']).toBe(sqlPassword(used));
      expect(sql['DATABASE_URL']).toMatch(`postgres://${role(used)}:${sqlPassword(used)}@`);
      expect(keys['REDIS_PASSWORDS']).toBe(expected.map((number) => `${keysPassword(number)}\n`).join(''));
      expect(keys['REDIS_URL']).toMatch(`redis://:${keysPassword(used)}@`);
      expect(isSecret((found(result, 'noodle-core/redis/Secret')?.inputs.stringData as Json)['REDIS_PASSWORDS'])).toBe(
        true,
      );
    },
    120_000,
  );

  test('a password is made anew with its number, and the first one as it always was', async () => {
    expect(passwords(await run([1, 2], 1))).toEqual({
      'noodle-core-postgres': undefined,
      'noodle-core-postgres-b': { number: '2' },
      'noodle-core-redis': undefined,
      'noodle-core-redis-b': { number: '2' },
    });
    expect(passwords(await run([3], 3))).toEqual({
      'noodle-core-postgres': { number: '3' },
      'noodle-core-redis': { number: '3' },
    });
  }, 120_000);

  test('clients wait for the servers to accept what is new', async () => {
    const result = await run([1, 2], 2);
    const jobs = result.resources.filter(({ type }) => type === 'kubernetes:batch/v1:Job').map(({ name }) => name);
    expect(jobs.sort()).toEqual(['noodle-core/postgres/Logins/Job', 'noodle-core/redis/Logins/Job']);
    expect(found(result, 'noodle-core/noodle-runtime/Deployment')?.dependsOn).toEqual(expect.arrayContaining(jobs));
    const servers = ['noodle-core/postgres/StatefulSet', 'noodle-core/postgres/Pooler/Deployment'];
    expect(found(result, 'noodle-core/postgres/Logins/Job')?.dependsOn).toEqual(expect.arrayContaining(servers));
  }, 120_000);

  test('refuses a step whose deployment before is missing, before anything is registered', async () => {
    const { error, resources } = await run(
      [1, 2],
      2,
      deployed({ 'noodleCore.postgres': { accepted: [1, 2], used: 1 } }),
    );
    expect(error?.name).toBe('ConfigurationError');
    expect(error?.message.split('\n')).toEqual([
      'Pulumi.dev.yaml has a problem:',
      expect.stringContaining('trellis:noodleCore.redis.password.used: must be a password that servers accept'),
    ]);
    expect(resources.filter(({ type }) => type !== 'pulumi:pulumi:Stack')).toEqual([]);
  }, 60_000);
});
