import type { EnvValue } from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';
import { Construct } from 'constructs';
import type { ConnectOptions, IBackend, IClient } from './connections';
import { mergeEnv } from './connections';
import { ValidationError } from './errors';
import { addConfigFiles, addService, addServiceAccount } from './http-objects';
import type { CanaryRoute } from './canary';
import type { HttpWorkloadProps } from './http-props';
import { ServiceType } from './http-props';
import type { HttpDefaults, HttpSettings } from './http-settings';
import { checkHttp, httpSettings } from './http-settings';
import type { NetworkPolicyPeer } from './kube';
import type { Late } from './late';
import type { Lifecycle } from './lifecycle';
import { WorkloadPolicy, podsPeer } from './network';
import { serviceHost } from './stateful-workload';
import { Problems } from './validation';

/** Something behind a Service that answers HTTP: an ingress leads to it, and other services connect to it. */
export interface IHttpService extends IBackend {
  readonly serviceName: string;
  /** Longest request that it answers, in seconds. */
  readonly longestRequestSeconds: number;
  /** How long a proxy in front should wait for an answer, in seconds: longer than the longest request. */
  readonly proxyTimeoutSeconds: number;
  /** A second version of it, which routes pass some of the requests to. @default - none */
  readonly canary?: CanaryRoute | undefined;
}

/** Everyone: behind a load balancer clients come with their own addresses. */
const ANYWHERE = ['0.0.0.0/0', '::/0'];

/**
 * What the HTTP workloads share: Service, ServiceAccount without a token, NetworkPolicy, configuration files, and `connects`.
 * Everything is validated before the first object exists.
 */
export abstract class HttpWorkload extends Construct implements IHttpService, IClient {
  /** Name of the Deployment and of all beside it but the Service. */
  public readonly name: string;
  public readonly serviceName: string;
  /** Name under which clients in any namespace reach the Service. */
  public readonly host: string;
  /** Port of the Service, which clients use. */
  public readonly port: number;
  /** Port that the container listens on. */
  public readonly targetPort: number;
  public readonly peer: NetworkPolicyPeer;
  /** The times that drain, probes and waiting were derived from. */
  public readonly lifecycle: Lifecycle;

  /** @internal */
  protected readonly _settings: HttpSettings;
  /** @internal */
  protected readonly _env: Record<string, Late | EnvValue>;
  private readonly connected = new Map<IBackend, Set<string>>();
  /** @internal */
  protected readonly _policy: WorkloadPolicy;

  protected constructor(
    scope: Construct,
    id: string,
    props: HttpWorkloadProps,
    defaults: HttpDefaults,
    check: (problems: Problems, settings: HttpSettings) => void,
  ) {
    super(scope, id);
    const settings = httpSettings(this, id, props, defaults);
    const problems = new Problems(this);
    checkHttp(problems, settings, props);
    check(problems, settings);
    problems.raise();

    this._settings = settings;
    this._env = { ...props.env };
    this.name = settings.name;
    this.serviceName = settings.serviceName;
    this.port = settings.servicePort;
    this.targetPort = settings.targetPort;
    this.lifecycle = settings.lifecycle;
    this.host = serviceHost(this, settings.serviceName);
    this.peer = podsPeer(this, settings.selector, settings.podSelector);
    addServiceAccount(this, settings);
    addService(this, settings);
    addConfigFiles(this, settings);
    this._policy = new WorkloadPolicy(this, settings.name, settings.selector, settings.podSelector);
    if (settings.serviceType === ServiceType.LOAD_BALANCER) this.allowAddresses(settings.sourceRanges);
  }

  public get longestRequestSeconds(): number {
    return this.lifecycle.longestRequestSeconds;
  }

  public get proxyTimeoutSeconds(): number {
    return this.lifecycle.proxyTimeoutSeconds;
  }

  /**
   * Wires backends, and is the only way to: their environment comes in, both NetworkPolicies open for exactly this edge,
   * and this workload starts after them. Connecting twice changes nothing.
   * @throws ValidationError where two backends bring the same variable, or where each would have to start after the other.
   */
  public connects(...backends: readonly IBackend[]): this;
  public connects(backend: IBackend, options: ConnectOptions): this;
  public connects(...args: readonly (IBackend | ConnectOptions)[]): this {
    const isBackend = (arg: IBackend | ConnectOptions): arg is IBackend => Construct.isConstruct(arg);
    const options = args.find((arg): arg is ConnectOptions => !isBackend(arg));
    for (const backend of args.filter(isBackend)) this.connect(backend, options?.prefix ?? '');
    return this;
  }

  /** Sets one environment variable. @throws ValidationError where it is set to something else already. */
  public addEnv(name: string, value: Late | EnvValue): this {
    new Problems(this).environment('env', { [name]: value }).raise();
    mergeEnv(this, this._env, { [name]: value });
    return this;
  }

  /** Lets clients in; `connects` on their side does it by itself. */
  public allowFrom(...clients: readonly IClient[]): void {
    for (const client of clients) this._policy.allowFrom(client.peer, this.targetPort);
  }

  /** What a client needs to find this service: `<NAME>_URL`. */
  public connectionEnv(prefix = ''): Readonly<Record<string, Late | EnvValue>> {
    const name = this.name.toUpperCase().replaceAll('-', '_');
    return { [`${prefix}${name}_URL`]: `http://${this.host}:${this.port}` };
  }

  private allowAddresses(ranges: readonly string[]): void {
    for (const cidr of ranges.length > 0 ? ranges : ANYWHERE) {
      this._policy.allowFrom({ ipBlock: { cidr } }, this.targetPort);
    }
  }

  private connect(backend: IBackend, prefix: string): void {
    const known = this.connected.get(backend) ?? new Set<string>();
    if (known.has(prefix)) return;
    if (startsAfter(backend, this)) {
      throw new ValidationError(this, [
        `cannot connect to ${backend.node.path}, which starts after this workload already: each would wait for the other`,
      ]);
    }
    const env = backend.connectionEnv(prefix);
    new Problems(this).environment('connection', env).raise();
    mergeEnv(this, this._env, env);
    this.connected.set(backend, known.add(prefix));
    this._policy.allowTo(backend.peer, backend.targetPort ?? backend.port);
    backend.allowFrom(this);
    this.node.addDependency(backend);
  }
}

/** Whether `one` is `other` or waits for it, directly or through others. */
function startsAfter(one: IConstruct, other: IConstruct, seen = new Set<IConstruct>()): boolean {
  if (one === other) return true;
  if (seen.has(one)) return false;
  seen.add(one);
  return one.node.dependencies.some((next) => startsAfter(next, other, seen));
}
