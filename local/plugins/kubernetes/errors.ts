/** A refusal or failure of this plugin, told so that a person can act on it. Never holds a secret. */
export class KubernetesError extends Error {
  public constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'KubernetesError';
  }
}

/** One field that the API server refused. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  /** Path as the API server writes it: `.spec.replicas`. */
  readonly field?: string;
}

/** The part of a `meta/v1` Status that this plugin reads. */
export interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly kind?: string; readonly name?: string; readonly causes?: readonly StatusCause[] };
}

/** An answer of the API server with a status of 400 or more. */
export class ApiError extends KubernetesError {
  public constructor(
    public readonly code: number,
    public readonly status: Status,
  ) {
    super(status.message ?? `the API server answered ${code}`);
    this.name = 'ApiError';
  }

  public get reason(): string {
    return this.status.reason ?? '';
  }

  /** The object's namespace does not exist, as opposed to the object itself. */
  public get namespaceMissing(): boolean {
    return this.code === 404 && this.status.details?.kind === 'namespaces';
  }
}

/** No answer: the API server is not there, or gave up for longer than the retries last. */
export class UnreachableError extends KubernetesError {
  public constructor(
    public readonly server: string,
    public readonly waitedSeconds: number,
    reason: string,
  ) {
    const tried = waitedSeconds > 1 ? ` (tried for ${Math.round(waitedSeconds)} s)` : '';
    super(server === '' ? reason : `Kubernetes API server ${server} can't be reached: ${reason}${tried}`);
    this.name = 'UnreachableError';
  }
}

/** There is no kubeconfig at all: the cluster may still come. Anything wrong within one is a plain error. */
export class NoKubeconfigError extends KubernetesError {
  public constructor(message: string) {
    super(message);
    this.name = 'NoKubeconfigError';
  }
}

/** The kind isn't served: a CustomResourceDefinition that is not there (yet), or a version that was removed. */
export class NoSuchKindError extends KubernetesError {
  public constructor(apiVersion: string, kind: string) {
    super(`the API server serves no ${apiVersion}/${kind}; is its CustomResourceDefinition installed?`);
    this.name = 'NoSuchKindError';
  }
}

/** The operation was stopped by the user or the engine. */
export class CanceledError extends KubernetesError {
  public constructor(message = 'canceled') {
    super(message);
    this.name = 'CanceledError';
  }
}

/** The object exists but did not become ready. `problems` hold what the cluster says about it. */
export class NotReadyError extends KubernetesError {
  public constructor(
    message: string,
    public readonly problems: readonly string[],
  ) {
    super([message, ...problems.map((problem) => `  - ${problem}`)].join('\n'));
    this.name = 'NotReadyError';
  }
}

/** The text of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
