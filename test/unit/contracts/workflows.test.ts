import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { commandsIn, refusalOf } from '../docs/commands';

const FOLDER = path.resolve(__dirname, '../../../.github/workflows');

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly 'timeout-minutes'?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly if?: string;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: unknown;
  readonly permissions?: unknown;
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': boolean };
  readonly jobs: Readonly<Record<string, Job>>;
}

const files = fs.readdirSync(FOLDER);
const workflows = files.map((file) => {
  const text = fs.readFileSync(path.join(FOLDER, file), 'utf8');
  return { file, text, workflow: parse(text) as Workflow };
});
const jobs = workflows.flatMap(({ file, workflow }) =>
  Object.entries(workflow.jobs).map(([name, job]) => ({ where: `${file}: ${name}`, job })),
);
const runs = jobs.flatMap(({ where, job }) =>
  job.steps.flatMap(({ run }) => (run === undefined ? [] : [{ where, run }])),
);

test('there are three', () => {
  expect(files.sort()).toEqual(['deploy.yml', 'drift.yml', 'pull-request.yml']);
});

describe.each(workflows)('$file', ({ text, workflow }) => {
  test('gives no permission to all of its jobs, and runs once at a time for what it is about', () => {
    expect(workflow.permissions).toEqual({});
    expect(workflow.concurrency?.group).toBeTruthy();
  });

  test('never runs a stranger’s change with our secrets', () => {
    expect(JSON.stringify(workflow.on)).not.toMatch(/pull_request_target|workflow_run|issue_comment/);
  });

  test('takes each action by its full commit, with the version beside it', () => {
    const uses = [...text.matchAll(/^.*\buses: (.*)$/gm)].map(([, action = '']) => action);
    expect(uses.length).toBeGreaterThan(3);
    expect(uses.filter((action) => !/^[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$/.test(action))).toEqual([]);
  });
});

describe.each(jobs)('$where', ({ job }) => {
  test('says what it may do, and may write no code', () => {
    expect(job.permissions).toMatchObject({ contents: 'read' });
    const written = Object.entries(job.permissions ?? {}).flatMap(([name, access]) =>
      access === 'read' ? [] : [name],
    );
    expect(['id-token', 'issues', 'packages', 'pull-requests']).toEqual(expect.arrayContaining(written));
  });

  test('ends in time', () => expect(job['timeout-minutes']).toBeLessThanOrEqual(60));

  test('leaves no token in the checkout', () => {
    const checkouts = job.steps.filter(({ uses = '' }) => uses.startsWith('actions/checkout@'));
    expect(checkouts.map((step) => step.with?.['persist-credentials'])).toEqual([false]);
  });

  test('gets secrets only through an environment that can be protected', () => {
    if (JSON.stringify(job).includes('secrets.')) expect(job.environment).toBeTruthy();
    else expect(job.permissions).toEqual({ contents: 'read' });
  });
});

test('a change from a fork gets neither an identity nor a secret', () => {
  const { job } = jobs.find(({ where }) => where === 'pull-request.yml: review') ?? { job: undefined };
  expect(job?.if).toBe('github.event.pull_request.head.repo.full_name == github.repository');
});

test('a deployment is never ended in the middle, and drift is not looked for while one runs', () => {
  const of = (file: string) => workflows.find((each) => each.file === file)?.workflow.concurrency;
  expect(of('deploy.yml')).toEqual({ group: 'deploy', 'cancel-in-progress': false });
  expect(of('drift.yml')).toEqual(of('deploy.yml'));
});

describe('what the jobs run', () => {
  test.each(runs)('holds no expression, which would be put into the shell as it is: $where', ({ run }) => {
    expect(run).not.toContain('${{');
  });

  const ours = runs.flatMap(({ where, run }) =>
    commandsIn(`\`\`\`sh\n${run}\n\`\`\``).map((command) => ({ where, command })),
  );

  test.each(ours)('is what the command line takes: $where: ./trellis $command', ({ command }) => {
    expect(refusalOf(command)).toBeUndefined();
  });

  test('names the commands of a review', () => {
    expect(ours.map(({ command }) => command)).toEqual(
      expect.arrayContaining([
        'test --suite static,unit,manifests',
        'diff $BASE..HEAD --format markdown --limit 30000 -o .trellis/diff.md',
        'preview --all --format markdown --limit 30000 -o .trellis/preview.md',
        'preview --all --refresh --expect-no-changes --format markdown -o .trellis/drift.md',
      ]),
    );
  });
});
