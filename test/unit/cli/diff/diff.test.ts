import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import type { Comparison } from '../../../../cli/diff/compare';

const ROOT = path.resolve(__dirname, '../../../..');

function diff(...args: readonly string[]) {
  const argv = ['--require', 'tsx/cjs', 'cli/main.ts', 'diff', ...args];
  const result = spawnSync(process.execPath, argv, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}

test('dev..prod: namespaces stand for each other, and prod has what dev has not', () => {
  const { code, stdout, stderr } = diff('dev..prod', '--format', 'json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { namespaces, objects, equal } = JSON.parse(stdout) as Comparison;
  expect(namespaces).toContainEqual({ left: 'noodle-core-dev', right: 'noodle-core' });
  const runtime = objects.find(({ path: at }) => at === 'noodle-core/noodle-runtime/Deployment');
  expect(runtime?.change).toBe('changed');
  expect(runtime?.fields.map(({ field }) => field)).toContain(
    'spec.template.spec.containers[noodle-runtime].env[NOODLE_ENV].value',
  );
  // No object is new only because its namespace has another name.
  expect(objects.filter(({ change }) => change === 'removed').map(({ path: at }) => at)).not.toContain(
    'noodle-core/postgres/StatefulSet',
  );
  expect(equal).toBeGreaterThan(10);
}, 120_000);

test('an environment does not differ from itself', () => {
  const { code, stdout } = diff('staging..staging');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^staging and staging are the same, \d+ of \d+ objects\n$/);
}, 120_000);

test.each([
  ['nowhere', "'nowhere' is not a range such as dev..prod or main..HEAD."],
  ['dev..HEAD', 'dev is an environment and the other side is none'],
  ['no-such-revision..HEAD', "'no-such-revision' is neither an environment (dev, staging, prod) nor a revision"],
])(
  '%s ends with 2 and says why',
  (range, message) => {
    const { code, stdout, stderr } = diff(range);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
  },
  60_000,
);
