import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Comparison } from '../../../../cli/diff/compare';
import { typescript } from '../../../../local/paths';

const ROOT = path.resolve(__dirname, '../../../..');

const diff = (...args: readonly string[]) => diffWith({}, ...args);

function diffWith(environment: Record<string, string>, ...args: readonly string[]) {
  const argv = [...typescript, 'cli/main.ts', 'diff', ...args];
  const result = spawnSync(process.execPath, argv, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NODE_NO_WARNINGS: '1', ...environment },
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

describe('a branch that changes one memory limit', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-branch-'));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  const git = (args: readonly string[], environment: Record<string, string> = {}, input?: string): string =>
    execFileSync('git', args, {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, ...environment },
      ...(input === undefined ? {} : { input }),
    }).trim();

  /** Makes a commit beside HEAD whose objects lie in a folder of their own: the repository stays as it is. */
  function branch(): { readonly commit: string; readonly environment: Record<string, string> } {
    const objects = path.join(folder, 'objects');
    fs.mkdirSync(objects);
    const environment = {
      GIT_INDEX_FILE: path.join(folder, 'index'),
      GIT_OBJECT_DIRECTORY: objects,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: path.resolve(ROOT, git(['rev-parse', '--git-path', 'objects'])),
      ...{ GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' },
    };
    git(['read-tree', 'HEAD'], environment);
    for (const stack of ['dev', 'staging', 'prod']) {
      const file = `Pulumi.${stack}.yaml`;
      const text = git(['show', `HEAD:${file}`]);
      const changed = text.replace(/(\n {4}runtime:[\s\S]*?memory: \{ request: \w+, limit: )\w+/, '$13Gi');
      expect(changed).not.toBe(text);
      const blob = git(['hash-object', '-w', '--stdin'], environment, `${changed}\n`);
      git(['update-index', '--cacheinfo', `100644,${blob},${file}`], environment);
    }
    const tree = git(['write-tree'], environment);
    return { commit: git(['commit-tree', tree, '-p', 'HEAD', '-m', 'more memory'], environment), environment };
  }

  test('names that one field in that one object, in each environment', () => {
    const { commit, environment } = branch();
    const { code, stdout, stderr } = diffWith(environment, `HEAD..${commit}`, '-f', 'json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const found = JSON.parse(stdout) as readonly Comparison[];
    expect(found.map(({ environment: name }) => name)).toEqual(['dev', 'staging', 'prod']);
    for (const { objects, following } of found) {
      expect(objects).toEqual([
        {
          change: 'changed',
          path: 'noodle-core/noodle-runtime/Deployment',
          kind: 'Deployment',
          name: 'noodle-runtime',
          fields: [
            {
              field: 'spec.template.spec.containers[noodle-runtime].resources.limits.memory',
              left: expect.any(String) as string,
              right: '3Gi',
            },
          ],
        },
      ]);
      expect(following.map(({ kind }) => kind)).toEqual(['ResourceQuota']);
    }
  }, 180_000);
});

test('a price file that is not there ends with 2', () => {
  const { code, stderr } = diff('dev..prod', '-f', 'markdown', '--prices', 'no-such-file.yaml');
  expect(code).toBe(2);
  expect(stderr).toContain('There is no file no-such-file.yaml.');
});
