import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../images/reference-service/src/config';
import { ConfigError } from '../../../images/reference-service/src/errors';

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the configuration of the reference service', () => {
  test('an empty environment gives the documented defaults', () => {
    expect(loadConfig({})).toEqual({
      serviceName: 'reference-service',
      tracing: { endpoint: undefined, sampleRatio: 0 },
      port: 8080,
      logLevel: 'info',
      environment: 'development',
      databaseUrl: undefined,
      databaseAuthority: undefined,
      redisUrl: undefined,
      secretKey: undefined,
      dataDir: undefined,
      configDir: undefined,
      completion: undefined,
      completionTimeoutSeconds: 120,
      databasePoolMax: 10,
      checkTimeoutMs: 1500,
      shutdownDelaySeconds: 5,
      shutdownGraceSeconds: 20,
    });
  });

  test('either name of a setting works, in any case of the level', () => {
    expect(loadConfig({ NOODLE_PORT: '9000', NOODLE_LOG_LEVEL: 'debug' })).toMatchObject({
      port: 9000,
      logLevel: 'debug',
    });
    expect(loadConfig({ PORT: '9000', LOG_LEVEL: 'WARNING' })).toMatchObject({ port: 9000, logLevel: 'warn' });
    expect(problemsOf({ PORT: '9000', NOODLE_PORT: '9001' })).toEqual([
      expect.stringMatching(/PORT and NOODLE_PORT differ/),
    ]);
  });

  test('an empty variable counts as unset', () => {
    expect(loadConfig({ DATABASE_URL: '', SECRET_KEY: '' })).toMatchObject({
      databaseUrl: undefined,
      secretKey: undefined,
    });
  });

  test('all problems come in one error, with what was found and what is allowed', () => {
    const environment = {
      NOODLE_PORT: 'tcp://10.0.0.1:80',
      LOG_LEVEL: 'LOUD',
      DATABASE_POOL_MAX: '21',
      SERVICE_NAME: 'A b',
    };
    expect(problemsOf(environment)).toEqual([
      expect.stringMatching(/^SERVICE_NAME: found "A b"; allowed is lower case/),
      'NOODLE_PORT: found "tcp://10.0.0.1:80"; allowed is a whole number from 0 to 65535',
      expect.stringMatching(/^LOG_LEVEL: found "LOUD"; allowed is one of TRACE, DEBUG, INFO/),
      'DATABASE_POOL_MAX: found "21"; allowed is a whole number from 1 to 20',
    ]);
  });

  test('a secret is told by its length, never by its value', () => {
    const canary = 'canary7';
    const problems = problemsOf({
      DATABASE_URL: `mysql://u:${canary}@h/d`,
      REDIS_URL: `http://:${canary}@h`,
      SECRET_KEY: canary,
    });
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain(canary);
    expect(problems[2]).toBe(
      'SECRET_KEY: found a value of 7 characters (not shown); allowed is at least 16 characters',
    );
  });

  test.each(['80x', '-1', '65536', '1e3', ' 80'])('port %j is refused', (port) => {
    expect(problemsOf({ PORT: port })).toHaveLength(1);
  });

  test('folders must exist and be writable; the drain delay must be within the grace', () => {
    const folder = mkdtempSync(join(tmpdir(), 'service-'));
    try {
      expect(loadConfig({ NOODLE_DATA_DIR: folder }).dataDir).toBe(folder);
      expect(problemsOf({ NOODLE_DATA_DIR: join(folder, 'missing') })).toHaveLength(1);
      expect(problemsOf({ SHUTDOWN_DELAY_SECONDS: '30', SHUTDOWN_GRACE_SECONDS: '20' })).toEqual([
        'SHUTDOWN_DELAY_SECONDS: found 30; allowed is less than SHUTDOWN_GRACE_SECONDS (20)',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
