import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import { builtImages } from '../../../cli/github/images';

const ROOT = path.resolve(__dirname, '../../..');
const TOKEN = 'canary-token-51f0';

interface Call {
  readonly method: string;
  readonly url: string;
  readonly body: { readonly title?: string; readonly body?: string };
}

/** What a job sees of GitHub: lists of comments and issues, and an identity. */
class FakeGithub {
  public readonly calls: Call[] = [];
  public lists: Readonly<Record<string, readonly object[]>> = {};
  public status = 200;
  readonly #server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const text = Buffer.concat(chunks).toString();
      if (headers.authorization !== `Bearer ${TOKEN}`) this.status = 401;
      if (method !== 'GET') this.calls.push({ method, url, body: JSON.parse(text) as Call['body'] });
      response.writeHead(this.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(this.status === 200 ? this.#answer(url) : { message: 'not allowed' }));
    });
  });

  public async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  public get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  public stop(): Promise<unknown> {
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(url: string): unknown {
    const { pathname, searchParams } = new URL(url, this.url);
    if (pathname === '/identity') {
      const claims = Buffer.from(JSON.stringify({ exp: 1_900_000_000 })).toString('base64url');
      return { value: `header.${claims}.${searchParams.get('audience') ?? ''}` };
    }
    const page = Number(searchParams.get('page'));
    return (this.lists[pathname] ?? []).slice((page - 1) * 100, page * 100);
  }
}

interface Step {
  readonly name?: string;
  readonly run?: string;
}
/** The very command of a step of a workflow. */
function commandOf(workflow: string, name: string): string {
  const text = fs.readFileSync(path.join(ROOT, '.github', 'workflows', `${workflow}.yml`), 'utf8');
  const { jobs } = parse(text) as { jobs: Record<string, { steps: readonly Step[] }> };
  const found = Object.values(jobs).flatMap(({ steps }) => steps.filter((step) => step.name === name));
  return found[0]?.run ?? '';
}

let github: FakeGithub;
let folder: string;
beforeEach(async () => {
  github = await new FakeGithub().start();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-github-'));
  // Where a job has the repository: the reports are in a folder of the test's own.
  for (const name of ['cli', 'node_modules', 'local', 'components', 'package.json', 'tsconfig.json'])
    fs.symlinkSync(path.join(ROOT, name), path.join(folder, name));
  fs.mkdirSync(path.join(folder, '.trellis'));
});
afterEach(async () => {
  await github.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Runs a step's command as a job does. */
async function step(command: string, more: Record<string, string> = {}, input = '') {
  const env = {
    ...{ PATH: process.env.PATH ?? '', HOME: folder, NODE_NO_WARNINGS: '1' },
    ...{ GITHUB_API_URL: github.url, GITHUB_REPOSITORY: 'team/platform', GITHUB_TOKEN: TOKEN },
    ...more,
  };
  const child = spawn('bash', ['-e', '-c', command], { cwd: folder, env });
  child.stdin.on('error', () => undefined); // EPIPE where the command ends without reading
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(input);
  const code = await new Promise<number>((resolve) => child.on('close', (exit) => resolve(exit ?? -1)));
  return { code, output };
}
const write = (name: string, text: string): void => fs.writeFileSync(path.join(folder, '.trellis', name), text);
const bot = (id: number, body: string, more: object = {}): object => ({ id, body, user: { type: 'Bot' }, ...more });

describe('the comment of a pull request', () => {
  const command = commandOf('pull-request', 'One comment, written anew in its place');
  const comments = '/repos/team/platform/issues/7/comments';

  test('is made of both reports where there is none', async () => {
    write('preview.md', '## Preview\n');
    write('diff.md', '## Diff\n');
    expect(await step(command, { PULL_REQUEST: '7' })).toEqual({ code: 0, output: 'created\n' });
    expect(github.calls).toEqual([
      { method: 'POST', url: comments, body: { body: '<!-- trellis: review -->\n## Preview\n\n## Diff\n' } },
    ]);
  });

  test('is written anew in its place, however many comments came before; never one that a person wrote', async () => {
    const others = Array.from({ length: 150 }, (_, id) => bot(id, 'other'));
    const person = { id: 500, body: '<!-- trellis: review -->\nmine', user: { type: 'User' } };
    github.lists = { [comments]: [person, ...others, bot(900, '<!-- trellis: review -->\nold')] };
    write('diff.md', 'new');
    expect(await step(command, { PULL_REQUEST: '7' })).toEqual({ code: 0, output: 'updated\n' });
    expect(github.calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'PATCH /repos/team/platform/issues/comments/900',
    ]);
  });

  test('never has more than GitHub takes', async () => {
    write('preview.md', 'x'.repeat(70_000));
    await step(command, { PULL_REQUEST: '7' });
    expect(github.calls[0]?.body.body?.length).toBe(65_536);
  });

  test('that is refused ends with GitHub’s words and without the token', async () => {
    github.status = 403;
    const { code, output } = await step(command, { PULL_REQUEST: '7' });
    expect(code).toBe(1);
    expect(output).toContain('403 {"message":"not allowed"}');
    expect(output).not.toContain(TOKEN);
  });

  test('outside of a job says what is missing', async () => {
    const { code, output } = await step(command, { PULL_REQUEST: '7', GITHUB_TOKEN: '' });
    expect({ code, output }).toEqual({ code: 1, output: 'GITHUB_TOKEN is not set: this runs in a job of GitHub.\n' });
  });
});

describe('the issue about drift', () => {
  const command = commandOf('drift', 'Say so in one issue');
  const issues = '/repos/team/platform/issues';

  test('is opened once, and written anew as long as it is open', async () => {
    write('drift.md', '## Drift\n');
    expect((await step(command)).output).toBe('created\n');
    expect(github.calls[0]).toMatchObject({
      method: 'POST',
      body: { title: 'The clusters differ from the definition' },
    });
    const marked = '<!-- trellis: drift -->\nold';
    github.lists = { [issues]: [bot(1, marked, { number: 3, pull_request: {} }), bot(2, marked, { number: 4 })] };
    expect((await step(command)).output).toBe('updated\n');
    expect(github.calls[1]).toMatchObject({ method: 'PATCH', url: `${issues}/4` });
  });
});

describe('access to the clusters', () => {
  test('is a kubeconfig without a secret, readable by its owner alone', async () => {
    const content = 'apiVersion: v1\nkind: Config\n# $HOME `id`';
    for (const workflow of ['pull-request', 'drift', 'deploy']) {
      expect((await step(commandOf(workflow, 'Kubeconfig'), { CONTENT: content })).code).toBe(0);
      const file = path.join(folder, '.trellis', 'kubeconfig');
      expect(fs.readFileSync(file, 'utf8')).toBe(`${content}\n`);
      expect(fs.statSync(file).mode & 0o777).toBe(0o600);
      fs.rmSync(file);
    }
  });

  const command = 'node --require ./local/register-typescript.js cli/github/main.ts cluster-credential my-clusters';

  test('is the identity of the job, in the form that a kubeconfig’s exec needs', async () => {
    const { code, output } = await step(command, {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url}/identity?v=2`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: TOKEN,
    });
    expect(code).toBe(0);
    const found = JSON.parse(output) as { readonly status: { readonly token: string } };
    expect(found).toMatchObject({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { expirationTimestamp: '2030-03-17T17:46:40Z' },
    });
    expect(found.status.token.split('.')[2]).toBe('my-clusters');
  });

  test('without the permission, or refused, ends with one message', async () => {
    expect(await step(command)).toEqual({
      code: 1,
      output: 'This job may not ask for an identity: it needs `permissions: id-token: write`.\n',
    });
    const { code, output } = await step(command, {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url}/identity?v=2`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'canary-wrong',
    });
    expect({ code, output }).toEqual({ code: 1, output: 'GitHub gave no identity: 401.\n' });
  });
});

describe('images to sign', () => {
  const digest = (digit: string): string => `@sha256:${digit.repeat(64)}`;
  const outputs = JSON.stringify({
    noodleCore: { images: { runtime: `ghcr.io/team/web${digest('a')}`, redis: `docker.io/redis${digest('b')}` } },
    noaServer: {
      images: {
        ui: `ghcr.io/team/web${digest('a')}`,
        mcp: `ghcr.io/team/mcp:1`,
        api: `ghcr.io/team/api${digest('c')}`,
      },
    },
  });

  test('are those that the stack built, each once, by digest', async () => {
    const expected = [`ghcr.io/team/api${digest('c')}`, `ghcr.io/team/web${digest('a')}`];
    expect(builtImages(outputs, 'ghcr.io/team')).toEqual(expected);
    const lines = commandOf('deploy', 'What was built, by digest').trim().split('\n');
    const last = lines.at(-1) ?? '';
    expect(last).toContain('cli/github/main.ts images');
    write('outputs.json', outputs);
    expect((await step(last, { REGISTRY: 'ghcr.io/team' })).code).toBe(0);
    expect(fs.readFileSync(path.join(folder, '.trellis', 'images'), 'utf8')).toBe(`${expected.join('\n')}\n`);
  });
});
