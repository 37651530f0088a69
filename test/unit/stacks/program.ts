import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import type * as Pulumi from '@pulumi/pulumi';
import { parse } from 'yaml';

export const ROOT = path.resolve(__dirname, '../../..');
export type Json = Record<string, unknown>;

/** A resource as the program asked the engine for it; secrets are still wrapped. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly inputs: Json;
  readonly custom: boolean;
  /** Name of the parent; empty for the stack itself. */
  readonly parent: string;
  /** Name of the provider; empty where the default one is used. */
  readonly provider: string;
  readonly dependsOn: readonly string[];
  readonly retain: boolean;
  readonly secretOutputs: readonly string[];
}

/** What one run of the program came to. */
export interface Run {
  readonly resources: readonly Registration[];
  /** Outputs of the stack; secrets are still wrapped. */
  readonly outputs: Json;
  readonly error: Error | undefined;
}

/** What the mocked RandomPasswords are: text that nobody else writes. */
export const canary = (name: string): string => `CANARY-${name}-value`;
export const digestOf = (name: string): string => `example.test/${name}@sha256:${name.padEnd(64, '0').slice(0, 64)}`;

const SIGNATURE = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';

export const isSecret = (value: unknown): value is { readonly value: unknown } =>
  value !== null && typeof value === 'object' && (value as Json)[SIGNATURE] === SECRET;

/** The value with every secret in it replaced by `[secret]`. */
export function withoutSecrets(value: unknown): unknown {
  if (isSecret(value)) return '[secret]';
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
}

/** The value with every secret in it opened. */
export function opened(value: unknown): unknown {
  if (isSecret(value)) return opened(value.value);
  if (Array.isArray(value)) return value.map(opened);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, opened(inner)]));
}

/** The configuration of one environment, as its file has it. */
export function configuration(environment: string): Json {
  const text = readFileSync(path.join(ROOT, `Pulumi.${environment}.yaml`), 'utf8');
  return (parse(text) as { readonly config: Json }).config;
}

interface Request {
  getType(): string;
  getName(): string;
  getObject(): { toJavaScript(): Json };
  getCustom(): boolean;
  getParent(): string;
  getProvider(): string;
  getDependenciesList(): string[];
  getRetainondelete(): boolean;
  getAdditionalsecretoutputsList(): string[];
}
type Call = (request: Request, callback: unknown) => unknown;
interface Monitor {
  registerResource: Call;
  registerResourceOutputs: (
    request: { getUrn(): string; getOutputs(): { toJavaScript(): Json } },
    callback: unknown,
  ) => unknown;
}

const nameOf = (urn: string): string => urn.split('::').at(3) ?? '';

const registration = (request: Request): Registration => ({
  type: request.getType(),
  name: request.getName(),
  inputs: request.getObject().toJavaScript(),
  custom: request.getCustom(),
  parent: nameOf(request.getParent()),
  provider: nameOf(request.getProvider()),
  dependsOn: request.getDependenciesList().map(nameOf),
  retain: request.getRetainondelete(),
  secretOutputs: request.getAdditionalsecretoutputsList(),
});

/** What a provider would answer. */
function answer(pulumi: typeof Pulumi, { type, name, inputs }: Pulumi.runtime.MockResourceArgs) {
  const known = inputs as Json;
  const id = `${name}-id`;
  if (type === 'random:index/randomPassword:RandomPassword')
    return { id, state: { ...known, result: pulumi.secret(canary(name)) } };
  if (type === 'docker:index/image:Image') return { id, state: { ...known, repoDigest: digestOf(name) } };
  return { id, state: known };
}

/**
 * Runs the whole program as the engine does, in a module registry of its own; structured configuration arrives as JSON.
 * @param before outputs of the last deployment; none before the first one
 */
export async function runProgram(environment: string, config: Json, before: Json = {}): Promise<Run> {
  const resources: Registration[] = [];
  let outputs: Json = {};
  let failure: Error | undefined;
  // The SDK makes a stack trace for each promise and jest maps each: a third of the time. What a program throws is told by its message here.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const load = async (): Promise<void> => {
    const pulumi = jest.requireActual<typeof Pulumi>('@pulumi/pulumi');
    await pulumi.runtime.setMocks(
      {
        newResource: (args) => answer(pulumi, args),
        call: ({ token, inputs }) =>
          token === 'pulumi:pulumi:readStackOutputs' ? { name: (inputs as Json).name, outputs: before } : {},
      },
      'trellis',
      environment,
      false,
      'organization',
    );
    pulumi.runtime.setAllConfig(
      Object.fromEntries(
        Object.entries(config).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
      ),
    );
    const settings = jest.requireActual<{ getMonitor(): Monitor; waitForRPCs(): Promise<void> }>(
      '@pulumi/pulumi/runtime/settings',
    );
    const monitor = settings.getMonitor();
    const { registerResource, registerResourceOutputs } = monitor;
    monitor.registerResource = (request, callback) => {
      resources.push(registration(request));
      return registerResource.call(monitor, request, callback);
    };
    monitor.registerResourceOutputs = (request, callback) => {
      if (request.getUrn().includes('pulumi:pulumi:Stack')) outputs = request.getOutputs().toJavaScript();
      return registerResourceOutputs.call(monitor, request, callback);
    };
    // Both have a test of their own, and make files that suites in parallel would write at once.
    jest.doMock('../../../images/reference-service/bundle', () => ({
      bundleReferenceService: () => Promise.resolve(),
    }));
    jest.doMock('../../../images/llama-cpp/model/tiny', () => ({ makeTinyModel: () => '' }));
    // Mocks first: the program's modules read them when they are loaded.
    const stack = jest.requireActual<() => Promise<Pulumi.Inputs>>('../../../stacks/index');
    await pulumi.runtime.runInPulumiStack(() =>
      stack().catch((error: unknown) => {
        failure = error as Error;
        return {};
      }),
    );
    await settings.waitForRPCs();
  };
  try {
    await jest.isolateModulesAsync(load);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return { resources, outputs, error: failure };
}
