import * as fs from 'node:fs';
import * as path from 'node:path';

import { status } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import * as proto from '@pulumi/pulumi/proto/language_pb';
import {
  PackageDependency,
  PackageParameterization,
  PluginDependency,
  PluginInfo,
} from '@pulumi/pulumi/proto/plugin_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';

import { decode } from '../shared/values';
import type { Children, Ending } from './children';
import { installedPackages, requiredPlugins } from './packages';
import type { PluginRequirement } from './packages';
import { runProgram, runtimeOptions, sdkEntry } from './program';

/** The CLI version that this host was written against. */
const VERSION = '3.250.0';

function unary<Request, Response>(handler: (request: Request) => Promise<Response> | Response) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    Promise.resolve(call.request)
      .then(handler)
      .then(
        (response) => callback(null, response),
        (error: unknown) =>
          callback({ code: status.UNKNOWN, details: error instanceof Error ? error.message : 'failed' }),
      );
  };
}

/** Runs a command whose output goes out as a stream of messages, and ends the stream. The caller may hang up: then it ends too. */
function streaming<Request, Response>(
  handler: (request: Request, write: (response: Response) => void, signal: AbortSignal) => Promise<void>,
) {
  return (call: ServerWritableStream<Request, Response>): void => {
    const hangUp = new AbortController();
    call.on('cancelled', () => hangUp.abort());
    handler(call.request, (response) => call.write(response), hangUp.signal).then(
      () => call.end(),
      (error: unknown) => {
        const details = error instanceof Error ? error.message : 'failed';
        call.emit('error', { code: status.UNKNOWN, details });
      },
    );
  };
}

const refused =
  (what: string) =>
  (_call: unknown, callback: sendUnaryData<unknown>): void =>
    callback({
      code: status.UNIMPLEMENTED,
      details: `${what} needs the vendor's language host (pulumi-language-nodejs of the Pulumi release)`,
    });

function packageDependency(plugin: PluginRequirement): PackageDependency {
  const dependency = new PackageDependency();
  dependency.setName(plugin.name).setKind('resource').setVersion(plugin.version).setServer(plugin.server);
  if (plugin.parameterization !== undefined) {
    const { name, version, value } = plugin.parameterization;
    dependency.setParameterization(new PackageParameterization().setName(name).setVersion(version).setValue(value));
  }
  return dependency;
}

const directoryOf = (request: { getInfo(): proto.ProgramInfo | undefined }, fallback = process.cwd()): string =>
  request.getInfo()?.getProgramDirectory() || fallback;

/** The language runtime for programs on Node.js. `engine` is the engine's address. */
export function languageHost(children: Children, engine: string | undefined): UntypedServiceImplementation {
  const address = { engine };
  return {
    handshake: unary((request: proto.LanguageHandshakeRequest) => {
      address.engine = request.getEngineAddress() || address.engine;
      return new proto.LanguageHandshakeResponse();
    }),
    getPluginInfo: unary(() => new PluginInfo().setVersion(VERSION)),
    run: unary(async (request: proto.RunRequest) => {
      const { error, bail } = await runProgram(request, address.engine, children);
      return new proto.RunResponse().setError(error).setBail(bail);
    }),
    cancel: unary(() => {
      children.stop();
      return new Empty();
    }),
    ...questions(),
    ...commands(children),
    generateProgram: refused('Generating a program'),
    generateProject: refused('Generating a project'),
    generatePackage: refused('Generating an SDK'),
    pack: refused('Packing an SDK'),
    link: refused('Linking an SDK'),
  };
}

/** What the CLI asks about a program without running it. */
function questions(): UntypedServiceImplementation {
  return {
    getRequiredPackages: unary((request: proto.GetRequiredPackagesRequest) => {
      const packages = requiredPlugins(directoryOf(request)).map(packageDependency);
      return new proto.GetRequiredPackagesResponse().setPackagesList(packages);
    }),
    getRequiredPlugins: unary((request: proto.GetRequiredPluginsRequest) => {
      const plugins = requiredPlugins(directoryOf(request, request.getPwd())).map(({ name, version, server }) =>
        new PluginDependency().setName(name).setKind('resource').setVersion(version).setServer(server),
      );
      return new proto.GetRequiredPluginsResponse().setPluginsList(plugins);
    }),
    about: unary((request: proto.AboutRequest) => {
      const response = new proto.AboutResponse().setExecutable(process.execPath).setVersion(process.version);
      const { packagemanager, typescript } = runtimeOptions(decode(request.getInfo()?.getOptions()));
      response.getMetadataMap().set('packagemanager', packagemanager).set('typescript', String(typescript));
      return response;
    }),
    getProgramDependencies: unary((request: proto.GetProgramDependenciesRequest) => {
      const dependencies = installedPackages(directoryOf(request, request.getPwd()))
        .filter((item) => item.direct || request.getTransitivedependencies())
        .map((item) => new proto.DependencyInfo().setName(item.name).setVersion(item.version));
      return new proto.GetProgramDependenciesResponse().setDependenciesList(dependencies);
    }),
    runtimeOptionsPrompts: unary(() => new proto.RuntimeOptionsResponse()),
    template: unary(() => new proto.TemplateResponse()),
  };
}

/** What the CLI has run for it: an installation, another plugin, a policy pack. */
function commands(children: Children): UntypedServiceImplementation {
  return {
    installDependencies: streaming<proto.InstallDependenciesRequest, proto.InstallDependenciesResponse>(
      async (request, write, signal) => {
        const cwd = request.getDirectory() || directoryOf(request);
        const { packagemanager } = runtimeOptions(decode(request.getInfo()?.getOptions()));
        const locked = packagemanager === 'npm' && fs.existsSync(path.join(cwd, 'package-lock.json'));
        const ending = await children.run(packagemanager, [locked ? 'ci' : 'install'], {
          cwd,
          env: process.env,
          signal,
          onStdout: (chunk) => write(new proto.InstallDependenciesResponse().setStdout(chunk)),
          onStderr: (chunk) => write(new proto.InstallDependenciesResponse().setStderr(chunk)),
        });
        failed(`${packagemanager} ${locked ? 'ci' : 'install'}`, ending);
      },
    ),
    runPlugin: streaming<proto.RunPluginRequest, proto.RunPluginResponse>(async (request, write, signal) => {
      const program = directoryOf(request, request.getProgram());
      const analyzer = request.getKind() === 'analyzer';
      const entry = sdkEntry(program, analyzer ? 'run-policy-pack' : 'run-plugin');
      if (entry === undefined)
        throw new HostError(`The Pulumi SDK is not installed in ${program}: run npm install there`);
      const args = analyzer ? [...request.getArgsList(), program] : [program, ...request.getArgsList()];
      const { nodeargs } = runtimeOptions(decode(request.getInfo()?.getOptions()));
      const ending = await children.run(process.execPath, [...nodeargs, entry, ...args], {
        cwd: request.getPwd() || program,
        env: environment(request.getEnvList()),
        signal,
        onStdout: (chunk) => write(new proto.RunPluginResponse().setStdout(chunk)),
        onStderr: (chunk) => write(new proto.RunPluginResponse().setStderr(chunk)),
      });
      write(new proto.RunPluginResponse().setExitcode(ending.code ?? 1));
    }),
  };
}

/** The language host could not do what the CLI asked for. */
class HostError extends Error {
  public override readonly name = 'HostError';
}

function failed(command: string, { code, signal }: Ending): void {
  if (code !== 0)
    throw new HostError(`${command} ${signal === null ? `exited with code ${code}` : `was ended by ${signal}`}`);
}

function environment(list: readonly string[]): NodeJS.ProcessEnv {
  const entries = list.map(
    (entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const,
  );
  return list.length === 0 ? process.env : Object.fromEntries(entries);
}
