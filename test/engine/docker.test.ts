import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dockerLayout, ensureDocker, stopDocker } from '../../local/docker';
import { silent } from '../../local/report';
import { Engine } from '../support/engine';
import type { Step } from '../support/engine';

jest.setTimeout(300_000);

const IMAGE = 'docker:index/image:Image';
/** What the engine writes for a value that is not known yet. */
const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

/** A loopback port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('the embedded docker plugin under the real engine', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-images-'));
  const layout = dockerLayout(path.join(folder, 'docker'), `test${process.pid}`);
  let registry: ChildProcess;
  let address: string;
  let dockerHost: string | undefined;
  let engine: Engine;

  beforeAll(async () => {
    const port = await freePort();
    address = `localhost:${port}`;
    const config = path.join(folder, 'registry.yml');
    const storage = `storage: {filesystem: {rootdirectory: ${folder}/registry}, delete: {enabled: true}}`;
    fs.writeFileSync(config, `version: 0.1\nlog: {level: error}\n${storage}\nhttp: {addr: "127.0.0.1:${port}"}\n`);
    registry = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
    dockerHost = (await ensureDocker(silent, { layout })).dockerHost;
    for (let left = 100; left > 0; left--) {
      if (
        await fetch(`http://${address}/v2/`).then(
          (response) => response.ok,
          () => false,
        )
      )
        return;
      await sleep(100);
    }
  });
  afterAll(async () => {
    registry?.kill();
    await stopDocker(layout);
    fs.rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    engine = await Engine.create({ env: dockerHost === undefined ? {} : { DOCKER_HOST: dockerHost } });
    fs.mkdirSync(path.join(engine.folder, 'app'));
    write('app/Dockerfile', 'FROM scratch\nARG TOKEN=none\nLABEL token=$TOKEN\nCOPY . /\n');
    write('app/.dockerignore', '*.log\n');
    program();
  });
  afterEach(() => engine?.dispose());

  const write = (file: string, content: string): void => fs.writeFileSync(path.join(engine.folder, file), content);
  const program = (build = '', more = ''): void =>
    write(
      'index.js',
      `const pulumi = require('@pulumi/pulumi'); const docker = require('@pulumi/docker'); const random = require('@pulumi/random');
       const image = new docker.Image('image', { imageName: '${address}/test/app:dev', build: { context: 'app', ${build} } ${more} });
       new random.RandomId('follower', { byteLength: 2, keepers: { image: image.repoDigest } });
       exports.digest = image.repoDigest;`,
    );
  const digest = async (): Promise<string> => (await engine.ok('stack', 'output', 'digest')).stdout.trim();
  /** The digest as something that depends on the image sees it in a preview. */
  const seenByFollower = (steps: readonly Step[]): unknown =>
    (
      steps.find(({ urn }) => urn.endsWith('::follower'))?.newState?.inputs?.['keepers'] as
        { image?: unknown } | undefined
    )?.image;
  const manifest = (reference: string, method: string): Promise<Response> =>
    fetch(`http://${address}/v2/test/app/manifests/${reference}`, {
      method,
      headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
    });

  test('builds when the context changed and only then, never in a preview, and again when the registry lost it', async () => {
    expect(seenByFollower(await engine.steps())).toBe(UNKNOWN);
    expect((await manifest('dev', 'HEAD')).status).toBe(404);

    const up = await engine.up();
    expect(up.output).toContain('[step 4/4] COPY . /');
    const first = await digest();
    expect(first).toMatch(new RegExp(`^${address}/test/app@sha256:[0-9a-f]{64}$`));
    expect((await manifest(first.split('@')[1] ?? '', 'HEAD')).status).toBe(200);

    write('app/noise.log', 'ignored');
    expect(await engine.steps()).toEqual([]);
    expect((await engine.up()).output).not.toContain('[step');

    write('app/file', 'new');
    const steps = await engine.steps();
    expect(steps.find(({ urn }) => urn.includes(IMAGE))).toMatchObject({
      op: 'update',
      detailedDiff: { 'build.contextDigest': { kind: 'update' } },
    });
    expect(seenByFollower(steps)).toBe(UNKNOWN);
    expect((await manifest('dev', 'HEAD')).headers.get('docker-content-digest')).toBe(first.split('@')[1]);
    await engine.up();
    const second = await digest();
    expect(second).not.toBe(first);

    expect((await engine.ok('refresh', '--yes')).output).toContain('unchanged');
    expect((await manifest(second.split('@')[1] ?? '', 'DELETE')).status).toBe(202);
    await engine.ok('refresh', '--yes');
    expect((await engine.resources()).some((resource) => resource.type === IMAGE)).toBe(false);
    await engine.up();
    expect(await digest()).toBe(second);
    expect((await manifest(second.split('@')[1] ?? '', 'HEAD')).status).toBe(200);
    await engine.ok('destroy', '--yes');
  });

  test('a failed build tells its step and its last lines, and no secret', async () => {
    program(
      `args: { TOKEN: pulumi.secret('canary-token') }`,
      `, registry: { password: pulumi.secret('canary-password') }`,
    );
    const up = await engine.up();
    expect(up.output).toContain('build.args.TOKEN is secret');
    write('app/Dockerfile', 'FROM scratch\nARG TOKEN\nCOPY missing-canary-token /x\n');
    const failed = await engine.run('up', '--yes', '--skip-preview');
    expect(failed.code).not.toBe(0);
    expect(failed.output).toMatch(/Building \S+ failed at step 3\/3: COPY missing-\[secret\] \/x/);
    expect(failed.output).toMatch(/COPY failed: .*missing-\[secret\]/);
    expect(up.output + failed.output).not.toMatch(/canary-(token|password)/);
    expect(engine.filesWith('canary-password')).toEqual([]);
    expect(engine.filesWith('canary-token')).toEqual([path.join('app', 'Dockerfile')]);
  });

  test('without an engine there is one clear error', async () => {
    const nowhere = path.join(folder, 'no-engine.sock');
    const { exited } = engine.start(['up', '--yes', '--skip-preview'], { DOCKER_HOST: `unix://${nowhere}` });
    const { code, output } = await exited;
    expect(code).not.toBe(0);
    expect(output).toContain(`No Docker engine answers at unix://${nowhere}`);
    expect(output).toContain('To mend it: start it');
  });
});
