import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import { composition } from '../../../../cli/compose/composition';
import type { ComposeOptions } from '../../../../cli/compose/composition';
import { chosenAddress } from '../../../../cli/compose/edge';
import type { Composition, KubeObject } from '../../../../cli/compose/model';
import { composeEnvironment, writeComposition, writeSecrets } from '../../../../cli/compose/write';
import { composeRunFolder, composeSecret, emptyRunFolder } from '../../../../local/index';
import { compositionOf, RELOAD, serviceOf } from './support';
import type { Service } from './support';

describe('the dev environment under Compose', () => {
  let made: Composition;
  beforeAll(async () => {
    made = await compositionOf('dev');
  });

  test('has a service for every container of every workload, and the base image', () => {
    const services = Object.keys(made.file.services);
    const workloads = ['noodle-runtime', 'noodle-ide', 'postgres', 'postgres-pooler', 'redis'].map(
      (n) => `noodle-core-${n}`,
    );
    const noa = ['ui', 'mcp', 'claude-flow', 'agentic-os', 'llama-cpp', 'postgres', 'postgres-pooler', 'redis'];
    expect(services).toEqual(
      expect.arrayContaining(['base', ...workloads, ...noa.map((name) => `noa-server-${name}`)]),
    );
    expect(services).toContain('noodle-core-postgres-exporter');
  });

  test('gives every service limits of CPU and memory, a read-only root and no capability', () => {
    for (const [name, service] of Object.entries(made.file.services)) {
      if (name === 'base') continue;
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      const { limits } = (service as unknown as Service).deploy.resources;
      expect(Object.keys(limits)).toEqual(['cpus', 'memory']);
    }
  });

  test('prepares before it starts, and starts after what it needs', () => {
    const postgres = serviceOf(made, 'noodle-core-postgres');
    expect(postgres.depends_on).toEqual({
      'noodle-core-postgres-derive-password': { condition: 'service_completed_successfully' },
    });
    expect(postgres.healthcheck?.test.slice(0, 2)).toEqual(['CMD', 'pg_isready']);
    expect(serviceOf(made, 'noodle-core-postgres-pooler').depends_on).toMatchObject({
      'noodle-core-postgres': { condition: 'service_healthy' },
    });
    expect(serviceOf(made, 'noodle-core-noodle-runtime').depends_on).toMatchObject({
      'noodle-core-redis': { condition: 'service_healthy' },
    });
  });

  test('gives each program folders in memory that it can write to', () => {
    const { tmpfs } = serviceOf(made, 'noodle-core-noodle-runtime');
    expect(tmpfs).toContainEqual(expect.stringMatching(/^\/app\/data:mode=1777,uid=10001,gid=10001,size=\d+$/));
    expect(tmpfs).toContainEqual(expect.stringMatching(/^\/tmp:mode=1777,uid=10001,/));
  });

  test('keeps what stands beside a container in its network', () => {
    expect(serviceOf(made, 'noodle-core-postgres-exporter').network_mode).toBe('service:noodle-core-postgres');
  });

  test('names ports of containers where the cluster names those of Services', () => {
    const url = serviceOf(made, 'noa-server-claude-flow').environment['LLAMA_CPP_URL'];
    expect(url).toBe('http://llama-cpp-service.noa-server-dev.svc:8080');
    expect(serviceOf(made, 'noa-server-llama-cpp').networks?.['noa-server']?.aliases).toContain(
      'llama-cpp-service.noa-server-dev.svc',
    );
  });

  test('publishes public addresses on loopback alone', () => {
    const published = Object.values(made.file.services).flatMap((one) => (one as unknown as Service).ports ?? []);
    expect(published).toHaveLength(5);
    for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:\$\{PORT_[A-Z_]+:-81\d\d\}:\d+$/);
    expect(new Set(published.map((port) => /:-(\d+)/.exec(port)?.[1])).size).toBe(5);
    expect(made.addresses.get('noodle.trellis.localhost')).toBe('http://localhost:8100/');
    expect(made.addresses.get('observability-prometheus')).toBe('http://localhost:8191/');
    expect(serviceOf(made, 'observability-prometheus').ports).toEqual([
      '127.0.0.1:${PORT_OBSERVABILITY_PROMETHEUS:-8191}:9090',
    ]);
  });

  test('says the port that the environment chooses', () => {
    const said = (environment: Readonly<Record<string, string>>): string =>
      chosenAddress('noodle.trellis.localhost', 'http://localhost:8100/', environment);
    expect(said({})).toBe('http://localhost:8100/');
    expect(said({ PORT_NOODLE_TRELLIS_LOCALHOST: '9000' })).toBe('http://localhost:9000/');
  });

  test('starts the reference service again when its bundle changes', () => {
    const { command, volumes } = serviceOf(made, 'noa-server-ui');
    expect(command).toEqual(RELOAD.command);
    expect(volumes).toContain('dist:/app/dist:ro');
  });

  test('builds each image once, from the base image', () => {
    const builds = Object.values(made.file.services).flatMap((one) => (one as unknown as Service).build ?? []);
    const contexts = builds.map(({ context }) => context);
    expect(new Set(contexts).size).toBe(contexts.length);
    expect(builds.find(({ context }) => context === 'images/postgres')?.args).toEqual({
      BASE: 'localhost:5000/trellis/base:dev',
    });
  });

  test('holds no secret: variables that Compose refuses to leave empty stand in their place', () => {
    const { environment } = serviceOf(made, 'noodle-core-noodle-runtime');
    expect(environment['DATABASE_URL']).toContain('postgres://noodlecore:${NOODLE_CORE_POSTGRES:?}@');
    expect(made.secrets.get('NOODLE_CORE_POSTGRES')).toBe('noodle-core-postgres');
  });
});

describe('the staging environment under Compose', () => {
  test('has proxies with TLS, one of each store, and no port of a service itself', async () => {
    const made = await compositionOf('staging');
    const edges = Object.keys(made.file.services).filter((name) => name.startsWith('edge-'));
    expect(edges).toHaveLength(made.hosts.length);
    expect(made.hosts.length).toBeGreaterThanOrEqual(3);
    expect(Object.keys(made.file.services).filter((name) => name.startsWith('observability'))).toEqual([]);
    for (const [name, service] of Object.entries(made.file.services)) {
      const { ports, environment } = service as unknown as Service;
      if (name.startsWith('edge-')) expect(environment).toMatchObject({ NGINX_TLS_REQUIRED: 'true' });
      else expect(ports).toBeUndefined();
    }
    expect(Object.keys(made.file.services).filter((name) => /sentinel|replica|router/.test(name))).toEqual([]);
  });
});

describe('files of a composition', () => {
  let folder: string;
  const runtime = process.env.XDG_RUNTIME_DIR;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-compose-'));
    process.env.XDG_RUNTIME_DIR = folder;
  });
  afterEach(() => {
    emptyRunFolder(composeRunFolder('dev'));
    if (runtime === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = runtime;
    fs.rmSync(folder, { recursive: true, force: true });
  });

  test('hold no value of a secret beside the Compose file, and each one in memory', async () => {
    const made = await compositionOf('dev');
    const out = path.join(folder, 'out');
    writeComposition(out, 'dev', made);
    await writeSecrets('dev', made);
    const values = [...made.secrets.values()].map((name) => composeSecret('dev', name));
    const written = fs
      .readdirSync(out, { recursive: true, encoding: 'utf8' })
      .filter((name) => fs.statSync(path.join(out, name)).isFile())
      .map((name) => fs.readFileSync(path.join(out, name), 'utf8'))
      .join('\n');
    for (const value of values) expect(written).not.toContain(value);
    const logins = path.join(composeRunFolder('dev'), 'noodle-core-postgres', 'password', 'logins');
    expect(fs.readFileSync(logins, 'utf8')).toBe(`noodlecore ${composeSecret('dev', 'noodle-core-postgres')}\n`);
    expect(fs.statSync(composeRunFolder('dev')).mode & 0o777).toBe(0o700);
    expect(parse(fs.readFileSync(path.join(out, 'compose.yaml'), 'utf8'))).toMatchObject({ name: 'trellis-dev' });
  });

  test('are written in place, since containers see the folders that were mounted, and old ones go', async () => {
    const made = await compositionOf('dev');
    const [name = ''] = [...made.configs.keys()];
    const out = path.join(folder, 'out');
    writeComposition(out, 'dev', { ...made, configs: new Map([...made.configs, ['config/gone/old.conf', 'old']]) });
    const inodes = (): readonly number[] =>
      [name, path.dirname(name)].map((one) => fs.statSync(path.join(out, one)).ino);
    const before = inodes();
    writeComposition(out, 'dev', { ...made, configs: new Map([...made.configs, [name, 'changed']]) });
    expect(inodes()).toEqual(before);
    expect(fs.readFileSync(path.join(out, name), 'utf8')).toBe('changed');
    expect(fs.existsSync(path.join(out, 'config/gone/old.conf'))).toBe(false);
  });

  test('have the same secrets each time, others for each environment', async () => {
    const made = await compositionOf('dev');
    expect(composeEnvironment('dev', made)).toEqual(composeEnvironment('dev', made));
    expect(composeSecret('dev', 'a')).not.toBe(composeSecret('staging', 'a'));
  });
});

describe('what Compose can’t do', () => {
  const labels = { 'app.kubernetes.io/part-of': 'shop' };
  const options: ComposeOptions = {
    environment: 'dev',
    systems: ['shop'],
    contexts: new Map(),
    base: { image: 'base', context: 'base', from: 'debian' },
  };
  const deployment = (container: object, volumes: readonly object[] = []): KubeObject => ({
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'shop', labels },
    spec: {
      template: {
        metadata: { labels: { app: 'api' } },
        spec: { containers: [{ name: 'api', image: 'api', ...container }], volumes },
      },
    },
  });

  test('is told all at once', () => {
    const object = deployment(
      {
        env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
        volumeMounts: [
          { name: 'host', mountPath: '/host' },
          { name: 'token', mountPath: '/token' },
        ],
      },
      [
        { name: 'host', hostPath: { path: '/' } },
        { name: 'token', secret: { secretName: 'somebody-elses' } },
      ],
    );
    expect(() => composition([object], options)).toThrow(
      /volume 'host' is of a kind that Compose has not[\s\S]*somebody-elses[\s\S]*variable NODE/,
    );
  });

  test('a public host whose root leads nowhere is one of it', () => {
    const spec = { rules: [{ host: 'shop.example.com', http: { paths: [] } }] };
    const ingress = { kind: 'Ingress', metadata: { name: 'web', namespace: 'shop', labels }, spec };
    expect(() => composition([ingress], options)).toThrow("shop.example.com: its path '/' leads to no service");
  });

  test('dollar signs of the definition reach the container as they are', () => {
    const made = composition([deployment({ args: ['echo "$HOME"'], env: [{ name: 'A', value: 'b$c' }] })], options);
    expect(serviceOf(made, 'shop-api')).toMatchObject({ command: ['echo "$$HOME"'], environment: { A: 'b$$c' } });
  });
});
