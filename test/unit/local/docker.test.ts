import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { dockerLayout, ensureBaseImage, ensureDocker, stopDocker, usersEngine } from '../../../local/docker';
import { isAlive, ownProcesses, readRecord } from '../../../local/process';
import { silent } from '../../../local/report';

let directory: string;
let lines: string[];
const report = (line: string): void => void lines.push(line);
const at = (...parts: string[]): string => path.join(directory, ...parts);
const layout = () => dockerLayout(at('docker'), 'abc123');
const options = () => ({ layout: layout(), directories: [at('bin')], uid: 0 });

function executable(name: string, content: string): string {
  fs.mkdirSync(at('bin'), { recursive: true });
  fs.writeFileSync(at('bin', name), content, { mode: 0o755 });
  return at('bin', name);
}

/** A client that reaches an engine exactly where a socket is, or one of the user's at a host of its own. */
const CLIENT = `#!/bin/sh
case "$DOCKER_HOST" in
  tcp://users) echo 28.0.0 ;;
  unix://*) [ -S "\${DOCKER_HOST#unix://}" ] && echo 20.10.24 ;;
  *) exit 1 ;;
esac`;

/** An engine that reads its configuration, answers pings, and ends on SIGTERM; \`refuses\` is a driver it doesn't know. */
const daemon = (refuses: string, version = '20.10.24+dfsg1'): string => `#!${process.execPath}
const fs = require('fs');
if (process.argv[2] === '--version') return console.log('Docker version ${version}, build x');
const config = JSON.parse(fs.readFileSync(process.argv[2].replace('--config-file=', '')));
fs.appendFileSync(${JSON.stringify(at('configs'))}, JSON.stringify(config) + '\\n');
if (config['storage-driver'] === '${refuses}') {
  console.error('failed to start daemon: error initializing graphdriver: driver not supported');
  process.exit(1);
}
require('http').createServer((q, r) => r.end('OK')).listen(config.hosts[0].replace('unix://', ''));
`;

const configs = (): Record<string, unknown>[] =>
  fs
    .readFileSync(at('configs'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-docker-'));
  lines = [];
  delete process.env.DOCKER_HOST;
  executable('docker', CLIENT);
});
afterEach(async () => {
  await stopDocker(layout());
  fs.rmSync(directory, { recursive: true, force: true });
});

describe('an engine of the user’s', () => {
  test('wins, and nothing is started', async () => {
    process.env.DOCKER_HOST = 'tcp://users';
    await expect(ensureDocker(report, options())).resolves.toEqual({
      dockerHost: 'tcp://users',
      cli: at('bin', 'docker'),
    });
    expect(fs.existsSync(layout().recordFile)).toBe(false);
  });

  test('that does not answer is told, and a private one is used', async () => {
    process.env.DOCKER_HOST = 'tcp://gone';
    executable('dockerd', daemon('none'));
    const { dockerHost } = await ensureDocker(report, options());
    expect(dockerHost).toBe(`unix://${layout().socket}`);
    expect(lines[0]).toBe('no engine answers at DOCKER_HOST; using a private one');
  });

  test('is not confused with our own, which DOCKER_HOST names in a prepared shell', async () => {
    executable('dockerd', daemon('none'));
    const { dockerHost } = await ensureDocker(silent, options());
    process.env.DOCKER_HOST = dockerHost ?? '';
    await expect(usersEngine(options())).resolves.toBeUndefined();
    await expect(ensureDocker(report, options())).resolves.toMatchObject({ dockerHost });
    expect(lines).toEqual([]);
  });
});

describe('the private engine', () => {
  test('has all its own, changes nothing of the host, is started once and ended without a trace', async () => {
    executable('dockerd', daemon('none'));
    await Promise.all([ensureDocker(report, options()), ensureDocker(report, options())]);
    expect(lines.filter((line) => line === 'starting a private Docker engine')).toHaveLength(1);
    const [config] = configs();
    expect(config).toMatchObject({ 'storage-driver': 'overlay2', bridge: 'none', iptables: false, ip6tables: false });
    for (const key of ['data-root', 'exec-root', 'pidfile', 'deprecated-key-path']) {
      expect(config?.[key]).toMatch(new RegExp(`^${directory}/docker/`));
    }
    const record = readRecord(layout().recordFile);
    if (record === undefined) throw new TypeError('the engine has no record');
    expect(isAlive(record)).toBe(true);
    await expect(stopDocker(layout())).resolves.toBe(true);
    expect(isAlive(record)).toBe(false);
    expect(fs.existsSync(layout().run)).toBe(false);
    expect(ownProcesses().filter((each) => each.argv.join(' ').includes(directory))).toEqual([]);
    await expect(stopDocker(layout())).resolves.toBe(false);
  });

  test('later than 20.10 is not told where to write a key that it does not know', async () => {
    executable('dockerd', daemon('none', '28.2.2'));
    await ensureDocker(report, options());
    expect(configs()[0]).not.toHaveProperty('deprecated-key-path');
  });

  test('takes vfs where overlay2 does not work, and keeps to it', async () => {
    executable('dockerd', daemon('overlay2'));
    await ensureDocker(report, options());
    expect(configs().map((config) => config['storage-driver'])).toEqual(['overlay2', 'vfs']);
    expect(lines).toContain('overlay2 does not work on this file system; using vfs, which is slow and takes more disk');
    await stopDocker(layout());
    fs.mkdirSync(path.join(layout().data, 'vfs'));
    await ensureDocker(report, options());
    expect(configs().map((config) => config['storage-driver'])).toEqual(['overlay2', 'vfs', 'vfs']);
  });

  test('that was killed is started anew', async () => {
    executable('dockerd', daemon('none'));
    await ensureDocker(report, options());
    process.kill(readRecord(layout().recordFile)?.pid ?? 0, 'SIGKILL');
    await ensureDocker(report, options());
    expect(configs()).toHaveLength(2);
  });

  test('that ends at once is an error with its last lines', async () => {
    executable('dockerd', '#!/bin/sh\n[ "$1" = --version ] || { echo "no space left on device" >&2; exit 1; }');
    await expect(ensureDocker(report, options())).rejects.toThrow(
      /The Docker engine ended while it started:\nno space left on device\n {2}To mend it: look at .*dockerd\.log/,
    );
    expect(fs.existsSync(layout().recordFile)).toBe(false);
  });

  test('needs dockerd, and root', async () => {
    await expect(ensureDocker(report, options())).rejects.toThrow(
      /No Docker engine answers, and there is no dockerd on this machine\.\n {2}To mend it: apt-get install .*docker\.io/,
    );
    await expect(ensureDocker(report, { ...options(), uid: 1000 })).rejects.toThrow(
      /only root can start one[\s\S]*sudo/,
    );
  });

  test('keeps its sockets short enough for the kernel, however deep the clone lies', () => {
    expect(dockerLayout('/work/.trellis/docker', 'abc123').socket).toBe('/work/.trellis/docker/run/docker.sock');
    const deep = dockerLayout(`/${'deep/'.repeat(20)}.trellis/docker`, 'abc123');
    expect(deep.socket).toBe('/run/trellis-abc123/docker/docker.sock');
    expect(deep.data).toMatch(/deep\/\.trellis\/docker\/data$/);
  });
});

describe('the base image', () => {
  /** Has the image once it was pulled or imported; \`pull\` is what pulling does. */
  const client = (pull: string): { cli: string; dockerHost: string } => ({
    cli: executable(
      'docker',
      `#!/bin/sh
echo "$@" >> ${at('calls')}
case "$1" in
  image) [ -f ${at('has')} ] && echo 74492547 ;;
  pull) ${pull} ;;
esac`,
    ),
    dockerHost: 'unix:///nowhere',
  });

  test('is left alone where the engine has it', async () => {
    fs.writeFileSync(at('has'), '');
    await expect(ensureBaseImage(client('exit 1'), report)).resolves.toBe(74492547);
    expect(fs.readFileSync(at('calls'), 'utf8')).toBe('image inspect --format {{.Size}} debian:bookworm-slim\n');
    expect(lines).toEqual([]);
  });

  test('is pulled where a registry answers', async () => {
    const docker = client(`echo "bookworm-slim: Pulling from library/debian"; touch ${at('has')}`);
    await expect(ensureBaseImage(docker, report)).resolves.toBe(74492547);
    expect(lines[0]).toBe('bookworm-slim: Pulling from library/debian');
    expect(lines[1]).toMatch(/^debian:bookworm-slim: 74 MB, ready in \d+\.\d s$/);
  });
});
