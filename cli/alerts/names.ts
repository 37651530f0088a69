import * as fs from 'node:fs';
import * as path from 'node:path';
import { loadConfig } from '../../images/reference-service/src/config';
import { createLogger } from '../../images/reference-service/src/log';
import { startService } from '../../images/reference-service/src/service';
import { version } from '../../images/reference-service/src/version';
import { installPackages, METRICS_PACKAGES, root, runOrThrow, typescript } from '../../local/index';
import type { MetricNames } from './exposition';
import { namesOf, writeNames } from './exposition';
import { Programs } from './programs';

/** Of the programs below; nobody else is expected on them. */
const PORT = 17_300;
const LOOPBACK = '127.0.0.1';

const versionOf = async (name: string): Promise<string> =>
  `${name} ${(await runOrThrow(['dpkg-query', '--show', '--showformat=${Version}', name])).stdout.trim()}`;
const psql = (bin: string, port: number, ...statements: readonly string[]): readonly string[] => [
  ...[path.join(bin, 'psql'), '-X', '-h', LOOPBACK, '-p', String(port), '-U', 'postgres', '-v', 'ON_ERROR_STOP=1'],
  ...statements.flatMap((statement) => ['-c', statement]),
];

/** The exporter beside a primary, beside its replica, and beside a member of a cluster, with the options of our image. */
async function redis(programs: Programs): Promise<MetricNames> {
  const [primary, replica, member] = [PORT, PORT + 1, PORT + 2];
  const server = (port: number, ...options: readonly string[]): void => {
    const dir = fs.mkdtempSync(path.join(programs.folder, 'redis-'));
    programs.start([
      'redis-server',
      '--port',
      String(port),
      '--bind',
      LOOPBACK,
      '--dir',
      dir,
      '--appendonly',
      'yes',
      ...options,
    ]);
  };
  server(primary, '--maxmemory', '100mb');
  server(replica, '--replicaof', LOOPBACK, String(primary));
  server(member, '--cluster-enabled', 'yes');
  const ask = (port: number): Promise<string> => {
    const own = port + 10;
    const listen = ['-web.listen-address', `${LOOPBACK}:${own}`];
    programs.start([
      'prometheus-redis-exporter',
      '-config-command=-',
      '-redis.addr',
      `redis://${LOOPBACK}:${port}`,
      ...listen,
    ]);
    return programs.ask(
      `http://${LOOPBACK}:${own}/metrics`,
      port === replica ? /^redis_master_link_up\S* 1/m : /^redis_up 1/m,
    );
  };
  const answers = [await ask(replica), await ask(primary), await ask(member)];
  const source = `${await versionOf('prometheus-redis-exporter')} beside ${await versionOf('redis-server')}: a primary, its replica, a member of a cluster`;
  return { source, names: namesOf(...answers) };
}

/** The exporter beside a primary and beside its replica, asking as the role of our image does. */
async function postgres(programs: Programs): Promise<MetricNames> {
  const bin = '/usr/lib/postgresql/15/bin';
  const [primary, replica] = [PORT + 30, PORT + 31];
  const folder = fs.mkdtempSync(path.join(programs.folder, 'postgres-'));
  const [first, second] = [path.join(folder, 'primary'), path.join(folder, 'replica')];
  // It refuses to run as root.
  const as = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'];
  await runOrThrow(['chown', '-R', 'postgres', folder]);
  fs.chmodSync(programs.folder, 0o755);
  const server = (port: number, data: string): void =>
    programs.start([
      ...as,
      path.join(bin, 'postgres'),
      '-D',
      data,
      '-p',
      String(port),
      '-k',
      folder,
      '-c',
      `listen_addresses=${LOOPBACK}`,
    ]);
  const ask = (port: number): Promise<string> => {
    const own = port + 10;
    const env = { DATA_SOURCE_URI: `${LOOPBACK}:${port}/postgres?sslmode=disable`, DATA_SOURCE_USER: 'monitoring' };
    programs.start(['prometheus-postgres-exporter', `--web.listen-address=${LOOPBACK}:${own}`], { env });
    return programs.ask(`http://${LOOPBACK}:${own}/metrics`, /^pg_up 1/m);
  };
  await runOrThrow([...as, path.join(bin, 'initdb'), '-D', first, '-A', 'trust']);
  server(primary, first);
  await ready(bin, primary);
  const role = [
    'create role monitoring login in role pg_monitor',
    "select pg_create_physical_replication_slot('replica')",
  ];
  await runOrThrow(psql(bin, primary, ...role));
  const copy = ['-h', LOOPBACK, '-p', String(primary), '-U', 'postgres', '-D', second, '-R', '-S', 'replica'];
  await runOrThrow([...as, path.join(bin, 'pg_basebackup'), ...copy]);
  server(replica, second);
  await ready(bin, replica);
  const answers = [await ask(replica), await ask(primary)];
  const source = `${await versionOf('prometheus-postgres-exporter')} beside ${await versionOf('postgresql-15')}: a primary and its replica`;
  return { source, names: namesOf(...answers) };
}

const ready = (bin: string, port: number): Promise<unknown> =>
  runOrThrow([
    'sh',
    '-c',
    `for i in $(seq 60); do "$0" -h ${LOOPBACK} -p ${port} -U postgres && exit 0; sleep 0.5; done; exit 1`,
    path.join(bin, 'pg_isready'),
  ]);

/** llama.cpp's server, collected as our image collects it, once it has answered a completion. */
async function llamaCpp(programs: Programs): Promise<MetricNames> {
  const image = path.join(root, 'images', 'llama-cpp');
  const dest = path.join(programs.folder, 'llama');
  await runOrThrow(['sh', path.join(image, 'build', 'collect-server'), 'forky', dest]);
  await runOrThrow([process.execPath, ...typescript, path.join(image, 'model', 'tiny.ts')], { cwd: root });
  const home = path.join(dest, 'usr', 'lib', 'llama.cpp');
  const [library = ''] = fs.readdirSync(path.join(dest, 'usr', 'lib')).filter((name) => name.endsWith('-linux-gnu'));
  const ggml = path.join(dest, 'usr', 'lib', library, 'ggml');
  const backends = path.join(ggml, fs.readdirSync(ggml)[0] ?? '');
  const server = [path.join(home, 'ld.so'), '--library-path', home, path.join(home, 'llama-server')];
  const options = [
    '--host',
    LOOPBACK,
    '--port',
    String(PORT + 50),
    '--metrics',
    '--no-ui',
    '--model',
    path.join(image, 'dist', 'tiny.gguf'),
  ];
  // Where the library looks for the processor's own code, as it does at the compiled-in path of the image.
  programs.start([...server, ...options], { cwd: backends });
  const base = `http://${LOOPBACK}:${PORT + 50}`;
  await programs.ask(`${base}/health`, /ok/);
  await fetch(`${base}/completion`, { method: 'POST', body: JSON.stringify({ prompt: 'one', n_predict: 4 }) });
  const record = fs.readFileSync(path.join(dest, 'var', 'lib', 'dpkg', 'status.d', 'llama.cpp-tools'), 'utf8');
  const source = `llama.cpp-tools ${/^Version: (.*)$/m.exec(record)?.[1] ?? ''} of Debian forky`;
  return { source, names: namesOf(await programs.ask(`${base}/metrics`, /llamacpp:/)) };
}

/** The reference service after one request, its back ends away. */
export async function referenceService(): Promise<MetricNames> {
  const nobody = `${LOOPBACK}:9`;
  const config = loadConfig({
    ...{ PORT: '0', SHUTDOWN_DELAY_SECONDS: '0', SHUTDOWN_GRACE_SECONDS: '1' },
    ...{ DATABASE_URL: `postgres://nobody@${nobody}/none`, REDIS_URL: `redis://${nobody}` },
  });
  const service = await startService(config, createLogger(config, { write: () => undefined }));
  try {
    const base = `http://${LOOPBACK}:${service.port}`;
    await fetch(`${base}/health`);
    const text = await (await fetch(`${base}/metrics`)).text();
    return { source: `reference service ${version}`, names: namesOf(text) };
  } finally {
    await service.drain();
  }
}

/** Asks every exporter that runs here, and writes the catalogue. What needs an operator or a device keeps its file. */
async function main(): Promise<void> {
  await installPackages((line) => process.stderr.write(`${line}\n`), { packages: METRICS_PACKAGES });
  const ask = {
    'redis-exporter': redis,
    'postgres-exporter': postgres,
    'llama-cpp': llamaCpp,
    'reference-service': referenceService,
  };
  for (const [exporter, names] of Object.entries(ask)) {
    const programs = new Programs();
    try {
      const found = await names(programs);
      writeNames(exporter, found);
      process.stdout.write(`${exporter}: ${found.names.length} names (${found.source})\n`);
    } finally {
      await programs.end();
    }
  }
}

if (require.main === module) void main();
