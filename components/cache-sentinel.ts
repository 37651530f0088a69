import { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import type { CacheMembers } from './cache-members';
import { memberEnv, memberMounts, memberServices, SENTINEL_PORT, sentinelName } from './cache-members';
import type { SentinelSettings } from './cache-topology';
import type { Labels, NetworkPolicyPeer, Probe } from './kube';
import type { WorkloadPolicy } from './network';
import { podsPeer } from './network';
import { compute, hardenedPod, startupProbe } from './pod';
import type { RemovalPolicy } from './release-options';
import { retain, statefulWorkload } from './stateful-workload';

/** What sentinels and router need to know of their store. */
export interface CacheHelpersInput extends CacheMembers {
  readonly user: number;
  readonly removalPolicy: RemovalPolicy;
  readonly startupDeadline: Duration;
  readonly maxClients: number;
}

/** The sentinels of a store: they watch the primary, and agree on the next one. Nobody but members and router reaches them. */
export class CacheSentinels extends Construct {
  public readonly peer: NetworkPolicyPeer;
  public readonly policy: WorkloadPolicy;

  public constructor(store: CacheHelpersInput, settings: SentinelSettings, image: string, labels: Labels) {
    super(store, 'Sentinels');
    const name = sentinelName(store.name);
    const selector = { 'app.kubernetes.io/name': name };
    const port = { name: 'sentinel', port: SENTINEL_PORT };
    const { removalPolicy, startupDeadline } = store;
    this.peer = podsPeer(this, selector);
    this.policy = statefulWorkload(this, {
      ...{ name, selector, labels, port, removalPolicy, startupDeadline },
      ...{ replicas: settings.sentinels, serves: false },
      pod: sentinelPod(store, settings, { name, image, selector }),
      ignored: { 'pod-probes-identical': 'it answers by itself or not at all; only the number of misses differs' },
    });
    const { sentinels: count } = settings;
    retain(removalPolicy, ...memberServices(this, { name, count, selector, labels, ports: [port] }));
    // After the members: an update of both at once would take away who has to agree on the next primary.
    this.node.findChild('StatefulSet').node.addDependency(store.node.findChild('StatefulSet'));
    this.policy.allowFrom(this.peer, SENTINEL_PORT);
    this.policy.allowTo(this.peer, SENTINEL_PORT);
  }
}

function sentinelPod(
  store: CacheHelpersInput,
  settings: SentinelSettings,
  pod: { readonly name: string; readonly image: string; readonly selector: Labels },
) {
  const ping: Probe = { exec: { command: ['redis-sentinel-ping'] } };
  const { mounts, volumes } = memberMounts(store);
  const timing = {
    REDIS_DOWN_AFTER_MS: settings.failureDetection.toMilliseconds(),
    REDIS_FAILOVER_TIMEOUT_MS: settings.failoverTimeout.toMilliseconds(),
    REDIS_QUORUM: settings.quorum,
  };
  return hardenedPod({
    labels: pod.selector,
    serviceAccount: pod.name,
    user: store.user,
    // It ends at once, and has nothing to hand over.
    grace: Duration.seconds(15),
    volumes,
    containers: [
      {
        name: 'sentinel',
        image: pod.image,
        args: ['redis-sentinel'],
        ports: [{ name: 'sentinel', port: SENTINEL_PORT }],
        env: [
          ...memberEnv(store),
          ...Object.entries(timing).map(([name, value]) => ({ name, value: String(value) })),
          { name: 'REDIS_PORT', value: String(store.port) },
        ],
        // It keeps a few connections and no data.
        resources: compute([20, 500], [32, 64]),
        probes: {
          startup: startupProbe(ping, store.startupDeadline),
          liveness: { ...ping, periodSeconds: 20, timeoutSeconds: 10, failureThreshold: 6 },
          readiness: { ...ping, periodSeconds: 10, timeoutSeconds: 6, failureThreshold: 3 },
        },
        mounts,
      },
    ],
  });
}
