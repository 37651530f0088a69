import { Duration, Size } from 'cdk8s';
import type { ApiObject } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { memberEnv, memberHosts, memberMounts, routerName, SENTINEL_PORT, sentinelHosts } from './cache-members';
import { routerConf } from './cache-router-configuration';
import type { CacheHelpersInput, CacheSentinels } from './cache-sentinel';
import type { SentinelSettings } from './cache-topology';
import type { Labels, NetworkPolicyPeer, PodSpec, Probe } from './kube';
import { kubeObject } from './kube';
import { podsPeer, WorkloadPolicy } from './network';
import { compute, hardenedPod, startupProbe } from './pod';
import { retain } from './stateful-workload';

/** Port of the router's own health. */
export const HEALTH_PORT = 8404;
// Endpoints are forgotten within a few seconds; the connections that are left are cut then, and come back through another router.
const DRAIN_SECONDS = 5;

/** What the router's objects are made from. */
interface RouterParts {
  readonly name: string;
  readonly image: string;
  readonly selector: Labels;
  readonly labels: Labels;
}

/**
 * The way to the primary: a proxy that asks members and sentinels, behind the Service that clients use. It needs no token of the API
 * server, and it cuts the connections to a former primary, which a Service whose endpoints change leaves open.
 */
export class CacheRouter extends Construct {
  public readonly peer: NetworkPolicyPeer;
  public readonly policy: WorkloadPolicy;
  /** Port of the way to the replicas. */
  public readonly readOnlyPort: number;

  public constructor(
    store: CacheHelpersInput,
    settings: SentinelSettings,
    image: string,
    more: Labels,
    sentinels: CacheSentinels,
  ) {
    super(store, 'Router');
    this.readOnlyPort = store.port + 1;
    const name = routerName(store.name);
    const selector = { 'app.kubernetes.io/name': name };
    const parts: RouterParts = { name, image, selector, labels: { ...more, ...selector } };
    this.peer = podsPeer(this, selector);
    this.policy = new WorkloadPolicy(this, name, selector);
    const objects = [
      this.policy.object,
      this.addConfiguration(store, parts),
      ...this.addServices(store, parts),
      ...this.addDeployment(store, settings, parts),
    ];
    retain(store.removalPolicy, ...objects);
    // Last of all: until then it leads to nobody, and an update leaves one thing at a time to agree on.
    this.node.findChild('Deployment').node.addDependency(sentinels.node.findChild('StatefulSet'));
  }

  private addConfiguration(store: CacheHelpersInput, { name, labels }: RouterParts): ApiObject {
    const { port, maxClients } = store;
    const text = routerConf({
      ...{ port, maxClients, readOnlyPort: this.readOnlyPort, healthPort: HEALTH_PORT },
      ...{ members: memberHosts(store), sentinels: sentinelHosts(store) },
      ...{ sentinelPort: SENTINEL_PORT, primaryName: store.name },
    });
    const metadata = { name: `${name}-config`, labels };
    return kubeObject(this, 'Config', 'v1/ConfigMap', metadata, { data: { 'router.cfg': text } });
  }

  private addServices(store: CacheHelpersInput, { selector, labels }: RouterParts): readonly ApiObject[] {
    const service = (id: string, name: string, targetPort: string): ApiObject =>
      kubeObject(this, id, 'v1/Service', { name, labels }, () => ({
        spec: {
          type: 'ClusterIP',
          selector,
          ports: [{ name: 'redis', port: store.port, targetPort, protocol: 'TCP' }],
        },
      }));
    return [
      service('Service', `${store.name}-service`, 'redis'),
      service('ReadOnly', `${store.name}-readonly-service`, 'read-only'),
    ];
  }

  private addDeployment(
    store: CacheHelpersInput,
    settings: SentinelSettings,
    parts: RouterParts,
  ): readonly ApiObject[] {
    const { name, selector, labels } = parts;
    // Clients of the store wait for it, and it for the first primary.
    const annotations = { 'pulumi.com/timeoutSeconds': String(2 * store.startupDeadline.toSeconds() + 300) };
    return [
      kubeObject(
        this,
        'ServiceAccount',
        'v1/ServiceAccount',
        { name, labels },
        { automountServiceAccountToken: false },
      ),
      kubeObject(this, 'PodDisruptionBudget', 'policy/v1/PodDisruptionBudget', { name, labels }, () => ({
        spec: { maxUnavailable: 1, selector: { matchLabels: selector }, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
      })),
      kubeObject(this, 'Deployment', 'apps/v1/Deployment', { name, labels, annotations }, () => ({
        spec: {
          replicas: settings.routers,
          revisionHistoryLimit: 10,
          progressDeadlineSeconds: 2 * store.startupDeadline.toSeconds() + 240,
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          selector: { matchLabels: selector },
          template: { metadata: { labels }, spec: routerPod(store, parts, this.readOnlyPort) },
        },
      })),
    ];
  }
}

// A connection that is busy holds two buffers of 16 KiB, and the kernel's.
const routerResources = (maxClients: number): ContainerResources => ({
  ...compute([50, 500], [64, 64]),
  memory: { request: Size.mebibytes(48), limit: Size.mebibytes(64 + Math.ceil((maxClients * 40) / 1024)) },
});

function routerPod(store: CacheHelpersInput, { name, image, selector }: RouterParts, readOnlyPort: number): PodSpec {
  const health = (path: string): Probe => ({ httpGet: { path, port: 'health' } });
  const { mounts, volumes } = memberMounts(store);
  return hardenedPod({
    labels: selector,
    serviceAccount: name,
    user: store.user,
    grace: Duration.seconds(DRAIN_SECONDS + 10),
    volumes: [...volumes, { name: 'config', configMap: { name: `${name}-config` } }],
    containers: [
      {
        name: 'router',
        image,
        args: ['redis-router'],
        ports: [
          { name: 'redis', port: store.port },
          { name: 'read-only', port: readOnlyPort },
          { name: 'health', port: HEALTH_PORT },
        ],
        env: [...memberEnv(store), { name: 'REDIS_PORT', value: String(store.port) }],
        resources: routerResources(store.maxClients),
        probes: {
          startup: startupProbe(health('/alive'), Duration.minutes(3), 2),
          liveness: { ...health('/alive'), periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 },
          // Without a primary there is nothing to lead to. Before its first round of questions the proxy takes every member for one.
          readiness: {
            ...health('/ready'),
            initialDelaySeconds: 5,
            periodSeconds: 2,
            timeoutSeconds: 2,
            failureThreshold: 3,
          },
        },
        mounts: [
          ...mounts,
          { name: 'config', mountPath: '/etc/redis/router.cfg', subPath: 'router.cfg', readOnly: true },
        ],
        drainSeconds: DRAIN_SECONDS,
      },
    ],
  });
}
