import { Metadata, status } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import { PluginInfo } from '@pulumi/pulumi/proto/plugin_pb';
import type { PluginAttach } from '@pulumi/pulumi/proto/plugin_pb';
import { Status } from '@pulumi/pulumi/proto/status_pb';
import { Any } from 'google-protobuf/google/protobuf/any_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';

import type { Engine } from './engine';
import { InitializationError } from './provider';
import type { CheckFailure, CheckResponse, Context, DiffKind, DiffRequest, DiffResponse, Provider } from './provider';
import { decode, encode } from './values';

const kinds: Readonly<Record<DiffKind, proto.PropertyDiff.Kind>> = {
  add: proto.PropertyDiff.Kind.ADD,
  'add-replace': proto.PropertyDiff.Kind.ADD_REPLACE,
  delete: proto.PropertyDiff.Kind.DELETE,
  'delete-replace': proto.PropertyDiff.Kind.DELETE_REPLACE,
  update: proto.PropertyDiff.Kind.UPDATE,
  'update-replace': proto.PropertyDiff.Kind.UPDATE_REPLACE,
};

/** Turns an error into what the engine understands; an {@link InitializationError} carries the object's state along. */
function refusal(error: unknown): { code: status; details: string; metadata?: Metadata } {
  if (!(error instanceof InitializationError)) {
    const code = (error as { code?: unknown } | undefined)?.code;
    const details = error instanceof Error ? error.message : String(error);
    return { code: code === status.UNIMPLEMENTED ? code : status.UNKNOWN, details };
  }
  const detail = new proto.ErrorResourceInitFailed();
  detail.setId(error.id);
  detail.setProperties(encode(error.outputs));
  detail.setInputs(encode(error.inputs));
  detail.setReasonsList([...error.reasons]);
  const packed = new Any();
  packed.pack(detail.serializeBinary(), 'pulumirpc.ErrorResourceInitFailed');
  const report = new Status();
  report.setCode(status.UNKNOWN);
  report.setMessage(error.message);
  report.addDetails(packed);
  const metadata = new Metadata();
  metadata.add('grpc-status-details-bin', Buffer.from(report.serializeBinary()));
  return { code: status.UNKNOWN, details: error.message, metadata };
}

/** An answer of `undefined` means that the provider has no such method. */
type Handler<Request, Response> = (request: Request) => Promise<Response | undefined> | Response | undefined;

function unary<Request, Response>(name: string, engine: Engine, handler: Handler<Request, Response>) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    void (async () => {
      try {
        const response = await handler(call.request);
        // What an operation said must be seen before its result.
        await engine.flush();
        if (response === undefined) callback({ code: status.UNIMPLEMENTED, details: `${name} is not implemented` });
        else callback(null, response);
      } catch (error) {
        await engine.flush();
        callback(refusal(error));
      }
    })();
  };
}

function checkResponse(result: CheckResponse): proto.CheckResponse {
  const response = new proto.CheckResponse();
  response.setInputs(encode(result.inputs));
  response.setFailuresList(failures(result.failures));
  return response;
}

/**
 * The engine prints the value of the property that a failure names, secret or not. So none is named to it: its path stands in
 * the reason alone.
 */
function failures(list: readonly CheckFailure[] = []): proto.CheckFailure[] {
  return list.map(({ property, reason }) => {
    const failure = new proto.CheckFailure();
    failure.setReason(reason.includes(property) ? reason : `${property}: ${reason}`);
    return failure;
  });
}

function diffRequest(request: proto.DiffRequest): DiffRequest {
  return {
    id: request.getId(),
    olds: decode(request.getOlds()),
    oldInputs: decode(request.getOldInputs()),
    news: decode(request.getNews()),
    ignoreChanges: request.getIgnorechangesList(),
  };
}

function diffResponse(result: DiffResponse): proto.DiffResponse {
  const response = new proto.DiffResponse();
  const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
  response.setChanges(result.changes ? DIFF_SOME : DIFF_NONE);
  response.setReplacesList([...(result.replaces ?? [])]);
  response.setStablesList([...(result.stables ?? [])]);
  response.setDeletebeforereplace(result.deleteBeforeReplace ?? false);
  if (result.detailed === undefined) return response;
  response.setHasdetaileddiff(true);
  const detailed = response.getDetaileddiffMap();
  for (const [path, entry] of Object.entries(result.detailed)) {
    const diff = new proto.PropertyDiff();
    diff.setKind(kinds[typeof entry === 'string' ? entry : entry.kind]);
    diff.setInputdiff(typeof entry === 'string' ? true : entry.inputDiff);
    detailed.set(path, diff);
  }
  response.setDiffsList([...new Set(Object.keys(result.detailed).map((path) => path.split(/[.[]/, 1)[0] ?? path))]);
  return response;
}

interface Named {
  getUrn(): string | undefined;
  getType?(): string | undefined;
  getName?(): string | undefined;
}

/** The gRPC service of one provider. `cancellation` is aborted when the engine cancels. */
export function providerService(
  provider: Provider,
  engine: Engine,
  cancellation: AbortController,
): UntypedServiceImplementation {
  const context = (request: Named): Context => {
    const urn = request.getUrn() ?? '';
    // urn:pulumi:stack::project::parent$type::name
    const [, , qualified = '', ...name] = urn.split('::');
    return {
      urn,
      type: request.getType?.() || (qualified.split('$').pop() ?? ''),
      name: request.getName?.() || name.join('::'),
      signal: cancellation.signal,
      log: (severity, message, options) => engine.log(severity, message, urn, options?.ephemeral),
    };
  };
  return {
    ...lifecycle(provider, engine, cancellation),
    ...configuration(provider, engine, context),
    ...operations(provider, engine, context),
  };
}

function lifecycle(provider: Provider, engine: Engine, cancellation: AbortController): UntypedServiceImplementation {
  return {
    handshake: unary('Handshake', engine, (request: proto.ProviderHandshakeRequest) => {
      engine.attach(request.getEngineAddress());
      const response = new proto.ProviderHandshakeResponse();
      response.setAcceptSecrets(provider.acceptSecrets ?? false);
      return response;
    }),
    attach: unary('Attach', engine, (request: PluginAttach) => {
      engine.attach(request.getAddress());
      return new Empty();
    }),
    getPluginInfo: unary('GetPluginInfo', engine, () => {
      const info = new PluginInfo();
      info.setVersion(provider.version);
      return info;
    }),
    getSchema: unary('GetSchema', engine, () => {
      const response = new proto.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name: provider.name, version: provider.version }));
      return response;
    }),
    cancel: unary('Cancel', engine, () => {
      cancellation.abort();
      provider.cancel?.();
      return new Empty();
    }),
  };
}

type ContextOf = (request: Named) => Context;

function configuration(provider: Provider, engine: Engine, context: ContextOf): UntypedServiceImplementation {
  return {
    checkConfig: unary('CheckConfig', engine, async (request: proto.CheckRequest) => {
      const news = decode(request.getNews());
      const olds = decode(request.getOlds());
      const result = await provider.checkConfig?.({ news, olds, randomSeed: new Uint8Array() }, context(request));
      return checkResponse(result ?? { inputs: news });
    }),
    diffConfig: unary('DiffConfig', engine, async (request: proto.DiffRequest) => {
      const result = await provider.diffConfig?.(diffRequest(request), context(request));
      return result && diffResponse(result);
    }),
    configure: unary('Configure', engine, async (request: proto.ConfigureRequest) => {
      const variables = new Map<string, string>();
      request.getVariablesMap().forEach((value, key) => variables.set(key, value));
      await provider.configure?.({ args: decode(request.getArgs()), variables }, context(request));
      const response = new proto.ConfigureResponse();
      response.setAcceptsecrets(provider.acceptSecrets ?? false);
      response.setSupportspreview(true);
      return response;
    }),
    invoke: unary('Invoke', engine, async (request: proto.InvokeRequest) => {
      const token = request.getTok();
      const result = await provider.invoke?.({ token, args: decode(request.getArgs()) }, context({ getUrn: () => '' }));
      if (result === undefined) return undefined;
      const response = new proto.InvokeResponse();
      response.setReturn(encode(result.outputs));
      response.setFailuresList(failures(result.failures));
      return response;
    }),
  };
}

function operations(provider: Provider, engine: Engine, context: ContextOf): UntypedServiceImplementation {
  return {
    check: unary('Check', engine, async (request: proto.CheckRequest) => {
      const news = decode(request.getNews());
      const randomSeed = request.getRandomseed_asU8();
      const result = await provider.check?.({ news, olds: decode(request.getOlds()), randomSeed }, context(request));
      return checkResponse(result ?? { inputs: news });
    }),
    diff: unary('Diff', engine, async (request: proto.DiffRequest) => {
      const result = await provider.diff?.(diffRequest(request), context(request));
      return result && diffResponse(result);
    }),
    create: unary('Create', engine, async (request: proto.CreateRequest) => {
      const inputs = decode(request.getProperties());
      const options = { timeout: request.getTimeout(), preview: request.getPreview() };
      const result = await provider.create?.({ inputs, ...options }, context(request));
      return result && new proto.CreateResponse().setId(result.id).setProperties(encode(result.outputs));
    }),
    read: unary('Read', engine, async (request: proto.ReadRequest) => {
      const state = decode(request.getProperties());
      const inputs = decode(request.getInputs());
      const result = await provider.read?.({ id: request.getId(), state, inputs }, context(request));
      if (result === undefined) return undefined;
      const response = new proto.ReadResponse().setId(result.id).setProperties(encode(result.outputs));
      return response.setInputs(encode(result.inputs));
    }),
    update: unary('Update', engine, async (request: proto.UpdateRequest) => {
      const properties = {
        id: request.getId(),
        olds: decode(request.getOlds()),
        oldInputs: decode(request.getOldInputs()),
        news: decode(request.getNews()),
        ignoreChanges: request.getIgnorechangesList(),
      };
      const options = { timeout: request.getTimeout(), preview: request.getPreview() };
      const result = await provider.update?.({ ...properties, ...options }, context(request));
      return result && new proto.UpdateResponse().setProperties(encode(result.outputs));
    }),
    delete: unary('Delete', engine, async (request: proto.DeleteRequest) => {
      const state = decode(request.getProperties());
      const oldInputs = decode(request.getOldInputs());
      const options = { id: request.getId(), state, oldInputs, timeout: request.getTimeout() };
      if (provider.delete === undefined) return undefined;
      await provider.delete(options, context(request));
      return new Empty();
    }),
  };
}
