import type { EnvValue } from 'cdk8s-plus-28';
import { Construct, Dependable } from 'constructs';
import type { IBackend, IClient } from './connections';
import type { NetworkPolicyPeer } from './kube';
import type { Late } from './late';
import type { WorkloadPolicy } from './network';

/** Where a further way into a store leads. */
export interface EndpointTarget {
  readonly host: string;
  readonly port: number;
  readonly targetPort: number;
  readonly peer: NetworkPolicyPeer;
  /** Policy of the pods that it leads to. */
  readonly policy: WorkloadPolicy;
  /** Environment of its clients, without a prefix. */
  readonly env: Readonly<Record<string, Late | EnvValue>>;
}

/** A further way into a store, which services connect to instead of the store itself: another user, or the replicas. */
export class CacheEndpoint extends Construct implements IBackend {
  public readonly host: string;
  public readonly port: number;
  public readonly targetPort: number;
  public readonly peer: NetworkPolicyPeer;

  public constructor(
    scope: Construct,
    id: string,
    private readonly target: EndpointTarget,
  ) {
    super(scope, id);
    this.host = target.host;
    this.port = target.port;
    this.targetPort = target.targetPort;
    this.peer = target.peer;
    // It holds no object of its own: who depends on it means the store's.
    Dependable.implement(this, {
      get dependencyRoots() {
        return scope.node.children.filter((child) => !(child instanceof CacheEndpoint));
      },
    });
  }

  /** What the store gives its clients, read from its Secret. */
  public connectionEnv(prefix = ''): Readonly<Record<string, Late | EnvValue>> {
    return Object.fromEntries(Object.entries(this.target.env).map(([name, value]) => [`${prefix}${name}`, value]));
  }

  public allowFrom(...clients: readonly IClient[]): void {
    for (const client of clients) this.target.policy.allowFrom(client.peer, this.targetPort);
  }
}
