import type { PropertyMap } from './values';

/** Severity of a line for the person who runs the update. `debug` is shown only on demand. */
export type Severity = 'debug' | 'info' | 'warning' | 'error';

/** What every operation gets beside its request. */
export interface Context {
  readonly urn: string;
  /** Type token, for instance `random:index/randomPassword:RandomPassword`. Empty for the provider's own configuration. */
  readonly type: string;
  /** The resource's name in the program. */
  readonly name: string;
  /** Aborted when the user cancels, or when the engine is gone. */
  readonly signal: AbortSignal;
  /**
   * Shows a line beside the resource. An ephemeral line is replaced by the next one and never kept.
   * Lines of one operation arrive in order. Never throws: a lost line is no reason to fail.
   */
  log(severity: Severity, message: string, options?: { readonly ephemeral?: boolean }): void;
}

export interface CheckFailure {
  /** Path of the property, or empty where the failure is of no single one. It is shown; its value never is. */
  readonly property: string;
  readonly reason: string;
}
export interface CheckRequest {
  /** Inputs of the last update; empty for a new resource. */
  readonly olds: PropertyMap;
  readonly news: PropertyMap;
  /** The engine's seed for names, so that a preview and its update choose the same ones. */
  readonly randomSeed: Uint8Array;
}
export interface CheckResponse {
  readonly inputs: PropertyMap;
  readonly failures?: readonly CheckFailure[];
}

export type DiffKind = 'add' | 'add-replace' | 'delete' | 'delete-replace' | 'update' | 'update-replace';
export interface DiffRequest {
  readonly id: string;
  /** State of the last update or refresh: outputs. */
  readonly olds: PropertyMap;
  readonly oldInputs: PropertyMap;
  readonly news: PropertyMap;
  readonly ignoreChanges: readonly string[];
}
export interface DiffResponse {
  readonly changes: boolean;
  /** Top-level properties that force a replacement. */
  readonly replaces?: readonly string[];
  /** Outputs that an update leaves as they are. All others may be unknown to dependents in a preview. */
  readonly stables?: readonly string[];
  readonly deleteBeforeReplace?: boolean;
  /** Property path → what happens to it. `inputDiff`: the path is one of inputs, not of state. */
  readonly detailed?: Readonly<Record<string, DiffKind | { readonly kind: DiffKind; readonly inputDiff: boolean }>>;
}

export interface CreateRequest {
  readonly inputs: PropertyMap;
  /** Seconds; 0 where the user set none. */
  readonly timeout: number;
  readonly preview: boolean;
}
export interface CreateResponse {
  /** May be empty in a preview. */
  readonly id: string;
  readonly outputs: PropertyMap;
}
export interface ReadRequest {
  readonly id: string;
  /** Last known state and inputs; both empty in an import. */
  readonly state: PropertyMap;
  readonly inputs: PropertyMap;
}
export interface ReadResponse {
  /** Empty: the object is gone. */
  readonly id: string;
  readonly outputs: PropertyMap;
  readonly inputs: PropertyMap;
}
export interface UpdateRequest {
  readonly id: string;
  readonly olds: PropertyMap;
  readonly oldInputs: PropertyMap;
  readonly news: PropertyMap;
  readonly ignoreChanges: readonly string[];
  /** Seconds; 0 where the user set none. */
  readonly timeout: number;
  readonly preview: boolean;
}
export interface UpdateResponse {
  readonly outputs: PropertyMap;
}
export interface DeleteRequest {
  readonly id: string;
  readonly state: PropertyMap;
  readonly oldInputs: PropertyMap;
  /** Seconds; 0 where the user set none. */
  readonly timeout: number;
}
export interface InvokeRequest {
  readonly token: string;
  readonly args: PropertyMap;
}
export interface InvokeResponse {
  readonly outputs: PropertyMap;
  readonly failures?: readonly CheckFailure[];
}
export interface ConfigureRequest {
  readonly args: PropertyMap;
  /** Configuration as `provider:config:key` → text; used by providers that take no structured arguments. */
  readonly variables: ReadonlyMap<string, string>;
}

/** A resource provider. What is left out is answered with `UNIMPLEMENTED`, which the engine takes for the default. */
export interface Provider {
  /** The package's name, for instance `random`. */
  readonly name: string;
  /** The vendor's version that this provider follows, without `v`. */
  readonly version: string;
  /**
   * Whether inputs arrive with their secrets marked. Otherwise the engine reveals them on the way in and marks what has the
   * same name on the way out.
   * @default false
   */
  readonly acceptSecrets?: boolean;
  checkConfig?(request: CheckRequest, context: Context): Promise<CheckResponse> | CheckResponse;
  diffConfig?(request: DiffRequest, context: Context): Promise<DiffResponse> | DiffResponse;
  configure?(request: ConfigureRequest, context: Context): Promise<void> | void;
  check?(request: CheckRequest, context: Context): Promise<CheckResponse> | CheckResponse;
  diff?(request: DiffRequest, context: Context): Promise<DiffResponse> | DiffResponse;
  create?(request: CreateRequest, context: Context): Promise<CreateResponse> | CreateResponse;
  read?(request: ReadRequest, context: Context): Promise<ReadResponse> | ReadResponse;
  update?(request: UpdateRequest, context: Context): Promise<UpdateResponse> | UpdateResponse;
  delete?(request: DeleteRequest, context: Context): Promise<void> | void;
  invoke?(request: InvokeRequest, context: Context): Promise<InvokeResponse> | InvokeResponse;
  /** Called once when the user cancels; operations see it through their context's signal as well. */
  cancel?(): void;
}

/** The call was refused: what is wrong, and with which resource, stands in the message. */
export class ProviderError extends Error {
  public constructor(message: string, options: { readonly fix?: string; readonly cause?: unknown } = {}) {
    super(options.fix === undefined ? message : `${message}\n  To mend it: ${options.fix}`, { cause: options.cause });
    this.name = 'ProviderError';
  }
}

/**
 * The object exists but did not become what was asked for. The engine keeps it in state, shows the reasons, and tries an
 * update on the next run instead of creating it again.
 */
export class InitializationError extends Error {
  public constructor(
    public readonly id: string,
    public readonly outputs: PropertyMap,
    public readonly inputs: PropertyMap,
    public readonly reasons: readonly string[],
  ) {
    super(`resource ${id} was created but did not become ready`);
    this.name = 'InitializationError';
  }
}
