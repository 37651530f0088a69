import type { EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { IBackend, IClient } from './connections';
import type { NetworkPolicyPeer } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import { Problems } from './validation';

/** A collector of traces that somebody else runs. */
export interface TraceCollectorProps {
  /** Name under which services reach it. */
  readonly host: Late;
  /** Port for OTLP over HTTP. @default 4318 */
  readonly port?: number;
  /** Namespace of its pods. @default - it is outside of the cluster, at any address */
  readonly namespace?: string;
}

/**
 * What services send their spans to, as OTLP over HTTP. It makes no object: `connects` opens the NetworkPolicy of a service for it and
 * sets `OTEL_EXPORTER_OTLP_ENDPOINT`. Services start without it, and no request waits for it.
 */
export class TraceCollector extends Construct implements IBackend {
  public readonly host: string;
  public readonly port: number;
  public readonly peer: NetworkPolicyPeer;

  /** @throws ValidationError with every wrong prop */
  public constructor(scope: Construct, id: string, props: TraceCollectorProps) {
    super(scope, id);
    const { port = 4318, namespace } = props;
    const host = LateTokens.of(this).asString(this, props.host);
    new Problems(this).dnsSubdomain('host', host).port('port', port).dnsLabel('namespace', namespace).raise();
    this.host = host;
    this.port = port;
    this.peer =
      namespace === undefined
        ? { ipBlock: { cidr: '0.0.0.0/0' } }
        : { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
  }

  public connectionEnv(prefix = ''): Readonly<Record<string, Late | EnvValue>> {
    return { [`${prefix}OTEL_EXPORTER_OTLP_ENDPOINT`]: `http://${this.host}:${this.port}` };
  }

  /** Does nothing: who may send is decided where the collector runs. */
  public allowFrom(..._clients: readonly IClient[]): void {}
}
