import type { EnvValue } from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';
import { Construct, Dependable } from 'constructs';
import type { IClient } from './connections';
import type { IStatefulDatabase } from './database-connection';
import { databaseEnv } from './database-connection';
import type { SecretKey } from './database-tls';
import type { NetworkPolicyPeer } from './kube';
import type { WorkloadPolicy } from './network';

/** What a way into a database is made of. */
export interface DatabaseEndpointInput {
  readonly host: string;
  readonly port: number;
  readonly databaseName: string;
  readonly secretName: string;
  readonly urlKey: string;
  /** @default - clients verify no certificate */
  readonly authority: SecretKey | undefined;
  readonly peer: NetworkPolicyPeer;
  /** Of the pods that listen. */
  readonly policy: WorkloadPolicy;
  /** What has to be there before a client starts; asked at synth. */
  readonly needs: () => readonly IConstruct[];
}

/** One way into a database that is made elsewhere in the tree. */
export class DatabaseEndpoint extends Construct implements IStatefulDatabase {
  public readonly host: string;
  public readonly port: number;
  public readonly databaseName: string;
  public readonly secretName: string;
  public readonly urlKey: string;
  public readonly peer: NetworkPolicyPeer;

  public constructor(
    scope: Construct,
    id: string,
    private readonly input: DatabaseEndpointInput,
  ) {
    super(scope, id);
    this.host = input.host;
    this.port = input.port;
    this.databaseName = input.databaseName;
    this.secretName = input.secretName;
    this.urlKey = input.urlKey;
    this.peer = input.peer;
    // It holds no object of its own, so who depends on it means those behind it.
    Dependable.implement(this, {
      get dependencyRoots() {
        return [...input.needs()];
      },
    });
  }

  public connectionEnv(prefix?: string): Readonly<Record<string, EnvValue>> {
    const { secretName, urlKey } = this;
    return databaseEnv({ secretName, key: urlKey }, prefix, this.input.authority);
  }

  public allowFrom(...clients: readonly IClient[]): void {
    for (const client of clients) this.input.policy.allowFrom(client.peer, this.port);
  }
}
