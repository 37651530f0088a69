import * as fs from 'node:fs';

import { composeRunFolder, composeSecret } from '../../local/index';
import { endCommands, request, startTrellis, trellis, until } from '../support/cluster';

jest.setTimeout(300_000);

/** Ports on loopback that dev publishes: in the order of its Ingresses, then what watches. */
const [RUNTIME, UI] = ['http://localhost:8100', 'http://localhost:8102'] as const;
const PROMETHEUS = 'http://localhost:8191';

/** Jobs of Prometheus and how their targets are. */
async function targetHealth(): Promise<Readonly<Record<string, string>>> {
  const { status, body } = await request(`${PROMETHEUS}/api/v1/targets`);
  if (status !== 200) return {};
  const { data } = JSON.parse(body) as {
    readonly data: { readonly activeTargets: readonly { readonly scrapePool: string; readonly health: string }[] };
  };
  return Object.fromEntries(data.activeTargets.map(({ scrapePool, health }) => [scrapePool, health]));
}

describe('the systems under Docker Compose', () => {
  afterAll(async () => {
    await endCommands();
    await startTrellis(['compose', 'dev', 'down', '--volumes', '--timeout', '1']).exited;
  });

  test.each(['dev', 'staging'])('the file of %s is accepted by Compose', async (environment) => {
    const { stdout } = await trellis('compose', environment, 'config', '--services');
    const { stdout: whole } = await trellis('compose', environment, 'config');
    expect(whole).toContain('${NOODLE_CORE_POSTGRES:?}');
    expect(whole).toMatch(/^ +BASE: \S+\/base:\S+-compose$/m);
    expect(whole).not.toContain(composeSecret(environment, 'noodle-core-postgres'));
    expect(fs.existsSync(composeRunFolder(environment))).toBe(false);
    expect(stdout.trim().split('\n')).toEqual(expect.arrayContaining(['noodle-core-noodle-runtime', 'noa-server-ui']));
  });

  test('dev starts, each service checks its stores for real, and no secret is shown', async () => {
    const { output } = await trellis('compose', 'dev', 'up', '--detach');
    const ready = await until('the runtime', async () => {
      const answer = await request(`${RUNTIME}/ready`);
      return answer.status === 200 && answer;
    });
    expect(ready.body).toMatch(/postgres/);
    expect(ready.body).toMatch(/redis/);
    await until('the dashboard', async () => (await request(`${UI}/health/ready`)).status === 200);
    const { output: logs } = await trellis('compose', 'dev', 'logs', '--no-color');
    const password = composeSecret('dev', 'noodle-core-postgres');
    expect(fs.readFileSync(`${composeRunFolder('dev')}/noodle-core-postgres/password/logins`, 'utf8')).toContain(
      password,
    );
    expect(output + logs).not.toContain(password);
  });

  test('Prometheus has the metrics of every service and store', async () => {
    const health = await until('every target', async () => {
      const now = await targetHealth();
      return Object.keys(now).length >= 13 && Object.values(now).every((one) => one === 'up') && now;
    });
    expect(Object.keys(health)).toEqual(
      expect.arrayContaining([
        'noodle-core-dev/postgres',
        'noa-server-dev/llama-cpp',
        'observability-dev/alertmanager',
      ]),
    );
    const query = 'sum by (namespace) (pg_up) + sum by (namespace) (redis_up)';
    const { body } = await request(`${PROMETHEUS}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = JSON.parse(body) as {
      readonly data: {
        readonly result: readonly { readonly metric: object; readonly value: readonly [number, string] }[];
      };
    };
    expect(data.result.map(({ metric, value }) => [metric, value[1]])).toEqual(
      expect.arrayContaining([
        [{ namespace: 'noodle-core-dev' }, '2'],
        [{ namespace: 'noa-server-dev' }, '2'],
      ]),
    );
  });

  test('down takes containers, data and secrets away', async () => {
    await trellis('compose', 'dev', 'down', '--volumes', '--timeout', '1');
    const { stdout } = await trellis('compose', 'dev', 'ps', '--all', '--quiet');
    expect(stdout.trim()).toBe('');
    await trellis('compose', 'dev', 'down');
    expect(fs.existsSync(composeRunFolder('dev'))).toBe(false);
  });
});
