import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { credentials, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { EngineService } from '@pulumi/pulumi/proto/engine_grpc_pb';
import type { LogRequest } from '@pulumi/pulumi/proto/engine_pb';
import { ResourceProviderClient, ResourceProviderService } from '@pulumi/pulumi/proto/provider_grpc_pb';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import { Status } from '@pulumi/pulumi/proto/status_pb';
import { buildSync } from 'esbuild';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { Engine, engineAddress } from '../../../../local/plugins/shared/engine';
import { InitializationError } from '../../../../local/plugins/shared/provider';
import type { Provider } from '../../../../local/plugins/shared/provider';
import { providerService } from '../../../../local/plugins/shared/service';
import { decode, encode, Secret, unknown } from '../../../../local/plugins/shared/values';

const URN = 'urn:pulumi:dev::p::parent:x:Y$test:index:Thing::the::name';
const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );

interface Line {
  readonly severity: number;
  readonly message: string;
  readonly urn: string;
  readonly ephemeral: boolean;
}

describe('a served provider', () => {
  const lines: Line[] = [];
  const servers: Server[] = [];
  const cancellation = new AbortController();
  let client: ResourceProviderClient;
  const provider: Provider = {
    name: 'test',
    version: '1.2.3',
    acceptSecrets: true,
    check: ({ news }) => ({ inputs: news, failures: [{ property: 'a.b', reason: 'is wrong' }] }),
    diff: () => ({ changes: true, replaces: ['a'], deleteBeforeReplace: true, detailed: { 'a.b': 'update-replace' } }),
    create({ inputs, preview }, context) {
      context.log('info', 'first', { ephemeral: true });
      context.log('warning', `second ${context.type} ${context.name}`);
      return { id: preview ? '' : 'id-1', outputs: { ...inputs, late: unknown, key: new Secret('canary') } };
    },
    update() {
      throw new InitializationError('id-1', { a: 1 }, { b: 2 }, ['not ready']);
    },
  };

  beforeAll(async () => {
    const engineServer = new Server();
    engineServer.addService(EngineService, {
      log: (call: { request: LogRequest }, callback: (error: null, response: Empty) => void) => {
        const { request } = call;
        lines.push({
          severity: request.getSeverity(),
          message: request.getMessage(),
          urn: request.getUrn(),
          ephemeral: request.getEphemeral(),
        });
        callback(null, new Empty());
      },
    });
    const enginePort = await listen(engineServer);
    const server = new Server();
    server.addService(ResourceProviderService, providerService(provider, new Engine(undefined), cancellation));
    client = new ResourceProviderClient(`127.0.0.1:${await listen(server)}`, credentials.createInsecure());
    servers.push(engineServer, server);
    const handshake = new proto.ProviderHandshakeRequest().setEngineAddress(`127.0.0.1:${enginePort}`);
    await call<proto.ProviderHandshakeResponse>((done) => client.handshake(handshake, done));
  });
  afterAll(() => {
    client.close();
    for (const server of servers) server.forceShutdown();
  });

  const call = <T>(run: (done: (error: ServiceError | null, response: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => run((error, response) => (error ? reject(error) : resolve(response))));

  test('tells its version and that it takes secrets', async () => {
    expect((await call<{ getVersion(): string }>((done) => client.getPluginInfo(new Empty(), done))).getVersion()).toBe(
      '1.2.3',
    );
    const configured = await call<proto.ConfigureResponse>((done) =>
      client.configure(new proto.ConfigureRequest(), done),
    );
    expect([configured.getAcceptsecrets(), configured.getSupportspreview()]).toEqual([true, true]);
  });

  test('reports failures of a check in words alone: of a named property the engine would print the value', async () => {
    const request = new proto.CheckRequest().setUrn(URN).setNews(encode({ a: { b: 1 } }));
    const response = await call<proto.CheckResponse>((done) => client.check(request, done));
    expect(response.getFailuresList().map((item) => item.toObject())).toEqual([
      { property: '', reason: 'a.b: is wrong' },
    ]);
  });

  test('answers a diff with replacements and details', async () => {
    const response = await call<proto.DiffResponse>((done) => client.diff(new proto.DiffRequest().setUrn(URN), done));
    expect([response.getReplacesList(), response.getDeletebeforereplace(), response.getDiffsList()]).toEqual([
      ['a'],
      true,
      ['a'],
    ]);
    expect(response.getDetaileddiffMap().get('a.b')?.getKind()).toBe(proto.PropertyDiff.Kind.UPDATE_REPLACE);
  });

  test('keeps secrets and unknowns marked, and sends its lines before the result, in order', async () => {
    const request = new proto.CreateRequest().setUrn(URN).setProperties(encode({ given: new Secret('s') }));
    const response = await call<proto.CreateResponse>((done) => client.create(request, done));
    const outputs = decode(response.getProperties());
    expect(outputs['late']).toBe(unknown);
    expect([outputs['given'], outputs['key']].every((value) => value instanceof Secret)).toBe(true);
    expect(lines).toEqual([
      { severity: 1, message: 'first', urn: URN, ephemeral: true },
      { severity: 2, message: 'second test:index:Thing the::name', urn: URN, ephemeral: false },
    ]);
  });

  test('hands over the state of an object that exists but is not ready', async () => {
    const error = (await call((done) => client.update(new proto.UpdateRequest().setUrn(URN), done)).catch(
      (e: unknown) => e,
    )) as ServiceError;
    const packed = Status.deserializeBinary(
      error.metadata.get('grpc-status-details-bin')[0] as Buffer,
    ).getDetailsList()[0];
    const detail = packed?.unpack(
      (bytes) => proto.ErrorResourceInitFailed.deserializeBinary(bytes),
      'pulumirpc.ErrorResourceInitFailed',
    );
    expect([detail?.getId(), detail?.getReasonsList()]).toEqual(['id-1', ['not ready']]);
    expect([decode(detail?.getProperties()), decode(detail?.getInputs())]).toEqual([{ a: 1 }, { b: 2 }]);
  });

  test('says UNIMPLEMENTED where it has no method', async () => {
    const refused = (await call((done) => client.read(new proto.ReadRequest().setUrn(URN), done)).catch(
      (e: unknown) => e,
    )) as ServiceError;
    expect(refused.code).toBe(status.UNIMPLEMENTED);
  });

  test('aborts what runs when the engine cancels', async () => {
    await call((done) => client.cancel(new Empty(), done));
    expect(cancellation.signal.aborted).toBe(true);
  });
});

test('the engine address is the first argument that is no option', () => {
  expect(engineAddress(['--logtostderr', '-v=9', '--tracing', 'file:/t', '127.0.0.1:5', 'x'])).toBe('127.0.0.1:5');
  expect(engineAddress([])).toBeUndefined();
});

test('a plugin starts quickly and does not outlive a killed engine', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-serve-'));
  const outfile = path.join(folder, 'plugin.js');
  const contents = `import { serveProvider } from '${path.resolve('local/plugins/shared/serve')}'; void serveProvider({ name: 'x', version: '1.0.0' });`;
  buildSync({
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    platform: 'node',
    outfile,
    logLevel: 'silent',
  });
  // The parent plays the engine: it starts the plugin, tells its process, and dies without a word.
  const engine = `const c = require('child_process').spawn(process.execPath, [${JSON.stringify(outfile)}], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    c.stdout.once('data', (port) => { console.log(c.pid + ' ' + port); });`;
  const parent = spawn(process.execPath, ['-e', engine], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve) =>
    parent.stdout.once('data', (data: Buffer) => resolve(data.toString())),
  );
  const [pid, port] = line.split(' ').map(Number) as [number, number];
  expect(port).toBeGreaterThan(0);
  parent.kill('SIGKILL');
  const alive = (): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  const deadline = Date.now() + 10_000;
  while (alive() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  expect(alive()).toBe(false);
  fs.rmSync(folder, { recursive: true, force: true });
}, 30_000);
