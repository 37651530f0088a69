import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { checks, thisMachine } from '../../../local/doctor';
import type { CheckOptions, CheckResult, Machine } from '../../../local/doctor';
import { missingCgroups } from '../../../local/doctor/machine';

const GIB = 2 ** 30;

/** A machine that lacks nothing. */
const whole: Machine = {
  platform: 'linux',
  uid: 0,
  nodeVersion: '20.20.2',
  go: () => Promise.resolve({ command: '/usr/local/go/bin/go', version: '1.26.8' }),
  missingTools: () => Promise.resolve(['pulumi', 'kubelet']),
  freeSpace: () => ({ bytes: 100 * GIB, device: 1 }),
  memoryBytes: 24 * GIB,
  portHolder: () => Promise.resolve(undefined),
  missingCgroups: () => [],
  namespaceProblem: () => Promise.resolve(undefined),
  dockerAnswers: () => Promise.resolve(false),
  which: (program) => `/usr/sbin/${program}`,
  missingPackages: () => [],
  packageRegistries: () => Promise.resolve([{ name: 'npm', answers: true }]),
};

async function look(changes: Partial<Machine>, options: CheckOptions = {}): Promise<ReadonlyMap<string, CheckResult>> {
  const all = checks({ ...options, machine: { ...whole, ...changes } });
  return new Map(await Promise.all(all.map(async (check) => [check.title, await check.run()] as const)));
}

const bad = (results: ReadonlyMap<string, CheckResult>): readonly string[] =>
  [...results].filter(([, result]) => !result.ok).map(([title]) => title);

test('a machine that lacks nothing passes, and no check is left out', async () => {
  const results = await look({});
  expect(bad(results)).toEqual([]);
  expect([...results.keys()]).toEqual([
    'Operating system',
    'Node',
    'Go',
    'Disk',
    'Memory',
    'Package registries',
    'User',
    'Control groups',
    'Network namespaces',
    'Docker',
    'System packages',
    'Port 5000',
    'Port 6443',
    'Port 443',
    'Port 80',
  ]);
});

test.each<[string, Partial<Machine>, string, RegExp, string | RegExp]>([
  [
    'not Linux',
    { platform: 'darwin' },
    'Operating system',
    /^darwin: the local cluster needs Linux/,
    'kind create cluster',
  ],
  ['not root', { uid: 1000 }, 'User', /^user 1000: .* needs root$/, 'sudo ./trellis up'],
  ['an old Node', { nodeVersion: '18.20.4' }, 'Node', /^Node 18\.20\.4; 20\.19\.0 or newer/, 'nvm install 20'],
  [
    'no Go',
    { go: () => Promise.resolve(undefined) },
    'Go',
    /^no Go; it builds pulumi, kubelet$/,
    /tar -xz -C \/usr\/local$/,
  ],
  [
    'an old Go',
    { go: () => Promise.resolve({ command: '/usr/bin/go', version: '1.19.8' }) },
    'Go',
    /^Go 1\.19\.8 is older than 1\.21\.0; it builds pulumi, kubelet$/,
    /tar -xz -C \/usr\/local$/,
  ],
  ['little memory', { memoryBytes: 2 * GIB }, 'Memory', /^2\.0 GiB; 4 GiB are needed$/, /swapon/],
  [
    'no registry',
    { packageRegistries: () => Promise.resolve([{ name: 'npm', answers: false }]) },
    'Package registries',
    /^no answer from npm$/,
    /HTTPS_PROXY/,
  ],
  [
    'no cgroups',
    { missingCgroups: () => ['memory'] },
    'Control groups',
    /no control group for memory/,
    /mount -t cgroup2/,
  ],
  [
    'no namespaces',
    { namespaceProblem: () => Promise.resolve('unshare failed: Operation not permitted') },
    'Network namespaces',
    /Operation not permitted$/,
    /privileged/,
  ],
  [
    'no Docker',
    { which: () => undefined },
    'Docker',
    /^no engine answers, and there is no dockerd/,
    'apt-get install --no-install-recommends docker.io',
  ],
  [
    'packages missing',
    { missingPackages: () => ['etcd-server', 'runc'] },
    'System packages',
    /^missing: etcd-server, runc/,
    'apt-get install --no-install-recommends etcd-server runc',
  ],
])('%s is told with the command that mends it', async (_, changes, title, detail, fix) => {
  const results = await look(changes);
  expect(bad(results)).toEqual([title]);
  const result = results.get(title);
  expect(result?.detail).toMatch(detail);
  if (typeof fix === 'string') expect(result?.fix).toBe(fix);
  else expect(result?.fix).toMatch(fix);
});

describe('disk', () => {
  const freeSpace = (cacheGib: number) => (place: string) =>
    place === '/cache' ? { bytes: cacheGib * GIB, device: 2 } : { bytes: 50 * GIB, device: 1 };
  const places = { stateDir: '/state', cacheDir: '/cache' };

  test('nearly full is refused, naming the place', async () => {
    const results = await look({ freeSpace: freeSpace(2) }, places);
    expect(results.get('Disk')).toMatchObject({ ok: false, detail: '2.0 GiB free at /cache; 20 GiB are needed' });
    expect(results.get('Disk')?.fix).toMatch(/^du .*TRELLIS_CACHE_DIR/);
  });

  test('needs less once the tools are there, and each file system is told once', async () => {
    const missingTools = (): Promise<readonly string[]> => Promise.resolve([]);
    const enough = await look({ freeSpace: freeSpace(6), missingTools }, places);
    expect(enough.get('Disk')).toEqual({ ok: true, detail: '50.0 GiB free at /state, 6.0 GiB free at /cache' });
    const one = await look({}, places);
    expect(one.get('Disk')?.detail).toBe('100.0 GiB free at /cache');
  });
});

test('without Go, tools that are there are enough', async () => {
  const results = await look({ go: () => Promise.resolve(undefined), missingTools: () => Promise.resolve([]) });
  expect(results.get('Go')).toEqual({ ok: true, detail: 'no Go; every tool is there without it' });
});

test('not Linux: nothing is asked that only Linux has', async () => {
  const results = await look({ platform: 'darwin', uid: 501 });
  expect([...results.keys()]).not.toContain('Control groups');
});

describe('a port in use', () => {
  let server: net.Server;
  let port: number;
  beforeEach(async () => {
    server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as net.AddressInfo).port;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const portHolder = (at: number) => thisMachine().portHolder(at);

  test('is told with its holder; one that must be free fails with the command that frees it', async () => {
    const uses = { ports: [{ port, purpose: 'the API server', required: true }] };
    const result = (await look({ portHolder }, uses)).get(`Port ${port}`);
    expect(result?.ok).toBe(false);
    expect(result?.detail).toMatch(new RegExp(`^held by \\S+ \\(process ${process.pid}\\); the API server needs it$`));
    expect(result?.fix).toBe(`kill ${process.pid}`);
  });

  test('is told, but is no fault where another one is chosen', async () => {
    const uses = { ports: [{ port, purpose: 'the registry' }] };
    const result = (await look({ portHolder }, uses)).get(`Port ${port}`);
    expect(result?.ok).toBe(true);
    expect(result?.detail).toMatch(/another port is chosen for the registry$/);
  });

  test('by this clone itself is fine', async () => {
    const own = (): Promise<{ name: string; pid: number; own: boolean }> =>
      Promise.resolve({ name: 'node (process 7)', pid: 7, own: true });
    const results = await look({ portHolder: own }, { ports: [{ port, purpose: 'the API server', required: true }] });
    expect(results.get(`Port ${port}`)).toEqual({ ok: true, detail: 'the API server of this clone' });
  });
});

describe('this machine', () => {
  test('tells the free space of the file system that would hold a path', () => {
    const machine = thisMachine();
    const there = machine.freeSpace(os.tmpdir());
    expect(machine.freeSpace(path.join(os.tmpdir(), 'not', 'yet', 'there')).device).toBe(there.device);
    expect(there.bytes).toBeGreaterThan(0);
  });

  test('knows both versions of control groups', () => {
    const base = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-cgroup-'));
    expect(missingCgroups(base)).toHaveLength(8);
    for (const name of ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids', 'devices', 'freezer'])
      fs.mkdirSync(path.join(base, name));
    expect(missingCgroups(base)).toEqual(['blkio']);
    fs.writeFileSync(path.join(base, 'cgroup.controllers'), 'cpuset cpu io memory\n');
    expect(missingCgroups(base)).toEqual(['pids']);
    fs.rmSync(base, { recursive: true });
  });
});
