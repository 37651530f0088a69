import type { Construct } from 'constructs';
import type { ApiObject } from 'cdk8s';
import { Chart } from 'cdk8s';
import type { Labels, NetworkPolicyPeer } from './kube';
import { kubeObject } from './kube';

/** One direction of traffic that a policy lets through. */
interface Edge {
  readonly peer: NetworkPolicyPeer;
  readonly port: number;
}

// Where cluster DNS runs on every common distribution, CoreDNS and kube-dns alike.
const DNS_PEER: NetworkPolicyPeer = {
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
  podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
};

/** What a policy selects pods by. */
export type PodSelector = NonNullable<NetworkPolicyPeer['podSelector']>;

const selecting = (labels: Labels): PodSelector => ({ matchLabels: labels });

/** Where a chart's pods are, as a peer of somebody else's policy. */
export function podsPeer(scope: Construct, labels: Labels, selector = selecting(labels)): NetworkPolicyPeer {
  const namespace = Chart.of(scope).namespace;
  return {
    ...(namespace === undefined
      ? {}
      : { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } }),
    podSelector: selector,
  };
}

/**
 * One workload's NetworkPolicy: nothing comes in or goes out but the edges added here, and DNS.
 * It is rendered at synth, so every later `connects()` counts.
 */
export class WorkloadPolicy {
  private readonly ingress: Edge[] = [];
  private readonly egress: Edge[] = [];
  public readonly object: ApiObject;

  /** @param selector the pods that it holds for; those with the labels, where it is left out */
  public constructor(scope: Construct, name: string, labels: Labels, selector = selecting(labels)) {
    this.object = kubeObject(scope, 'NetworkPolicy', 'networking.k8s.io/v1/NetworkPolicy', { name, labels }, () => ({
      spec: {
        podSelector: selector,
        policyTypes: ['Ingress', 'Egress'],
        // Left out when empty, which means the same: the API server drops an empty list and would see a change at every apply.
        ...(this.ingress.length === 0
          ? {}
          : {
              ingress: rules(this.ingress).map(({ port, peers }) => ({
                from: peers,
                ports: [{ protocol: 'TCP', port }],
              })),
            }),
        egress: [
          { to: [DNS_PEER], ports: ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 })) },
          ...rules(this.egress).map(({ port, peers }) => ({ to: peers, ports: [{ protocol: 'TCP', port }] })),
        ],
      },
    }));
  }

  /** Lets `peer` connect to these pods on `port`. */
  public allowFrom(peer: NetworkPolicyPeer, port: number): void {
    this.ingress.push({ peer, port });
  }

  /** Lets these pods connect to `peer` on `port`. */
  public allowTo(peer: NetworkPolicyPeer, port: number): void {
    this.egress.push({ peer, port });
  }
}

/** One rule a port, each peer once. */
function rules(edges: readonly Edge[]): { port: number; peers: NetworkPolicyPeer[] }[] {
  const byPort = new Map<number, Map<string, NetworkPolicyPeer>>();
  for (const { peer, port } of edges) {
    const peers = byPort.get(port) ?? new Map<string, NetworkPolicyPeer>();
    byPort.set(port, peers.set(JSON.stringify(peer), peer));
  }
  return [...byPort].map(([port, peers]) => ({ port, peers: [...peers.values()] }));
}
