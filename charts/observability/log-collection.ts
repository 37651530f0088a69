import type { App } from 'cdk8s';
import { Chart, Duration, Yaml } from 'cdk8s';
import { Construct } from 'constructs';
import type { IClient } from '../../components/connections';
import type { Labels, NetworkPolicyPeer, PodSpec, Volume } from '../../components/kube';
import { kubeObject } from '../../components/kube';
import type { Late } from '../../components/late';
import { LateTokens } from '../../components/late';
import { NamespaceBaseline } from '../../components/namespace-baseline';
import { MOST_NODES_ANNOTATION } from '../../components/namespace-quota';
import { podsPeer, WorkloadPolicy } from '../../components/network';
import { hardenedPod, startupProbe } from '../../components/pod';
import { scoreIgnored } from '../../components/score';
import { collectorConfiguration, HTTP_PORT, LOG_FOLDERS, STATE } from './log-configuration';
import type { Loki } from './loki';
import type { LogValues, ObservabilityValues } from './values';

const NAME = 'fluent-bit';
/** Its own, which nothing on the node belongs to; the image has none. */
const USER = 10_079;
const FOLDER = '/fluent-bit/etc/trellis';
const FILE = 'fluent-bit.yaml';
const PORT_NAME = 'http';

/** What collects the logs, and where they go. */
export interface LogCollectionValues extends Pick<ObservabilityValues, 'removalPolicy' | 'largestNode'> {
  readonly image: Late;
  readonly logs: LogValues;
  readonly loki: Loki;
  /** Namespaces whose logs are collected. */
  readonly namespaces: readonly string[];
}

/**
 * Fluent Bit on every node, in a namespace of its own: it reads the node's files, which Pod Security `restricted` and `baseline` refuse, and
 * so nothing else runs here. The rest of its pod is as closed as any other: non-root, nothing writable but its own scratch, no token.
 */
export class LogCollection extends Chart implements IClient {
  public readonly peer: NetworkPolicyPeer;

  public constructor(scope: App, id: string, values: LogCollectionValues) {
    super(scope, id, {
      namespace: values.logs.namespace,
      labels: { 'app.kubernetes.io/part-of': 'observability' },
    });
    const { removalPolicy, largestNode, loki } = values;
    const baseline = new NamespaceBaseline(this, 'baseline', {
      ...{ removalPolicy, largestNode },
      podSecurityException: {
        level: 'privileged',
        reason: `${NAME} reads ${LOG_FOLDERS.join(' and ')} of the node, which only this level admits`,
      },
    });
    const selector = { 'app.kubernetes.io/name': NAME };
    this.peer = podsPeer(this, selector);
    const collector = new Collector(this, NAME, values, selector);
    collector.node.addDependency(baseline, loki);
    loki.allowFrom(this);
  }
}

/** The DaemonSet and what its pods need. */
class Collector extends Construct {
  public constructor(
    scope: Construct,
    id: string,
    private readonly values: LogCollectionValues,
    private readonly selector: Labels,
  ) {
    super(scope, id);
    const { logs, loki, namespaces } = values;
    const labels = selector;
    const policy = new WorkloadPolicy(this, NAME, selector);
    policy.allowTo(loki.peer, loki.port);
    kubeObject(
      this,
      'ServiceAccount',
      'v1/ServiceAccount',
      { name: NAME, labels },
      { automountServiceAccountToken: false },
    );
    const data = { [FILE]: Yaml.stringify(collectorConfiguration(loki, namespaces)) };
    kubeObject(this, 'Config', 'v1/ConfigMap', { name: `${NAME}-config`, labels }, { data });
    const annotations = {
      [MOST_NODES_ANNOTATION]: String(logs.nodes),
      ...scoreIgnored({
        'pod-probes-identical': 'both ask whether it answers; what it could not send yet waits on the node',
      }),
    };
    kubeObject(this, 'DaemonSet', 'apps/v1/DaemonSet', { name: NAME, labels, annotations }, () => ({
      spec: {
        selector: { matchLabels: selector },
        // Half of the nodes at once: each has its own logs, which wait in their files.
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '50%' } },
        template: { metadata: { labels }, spec: this.pod() },
      },
    }));
  }

  private pod(): PodSpec {
    const { image, logs } = this.values;
    const ready = { httpGet: { path: '/api/v1/uptime', port: PORT_NAME } };
    const pod = hardenedPod({
      labels: this.selector,
      serviceAccount: NAME,
      user: USER,
      grace: Duration.seconds(30),
      // On each node, whatever else it refuses.
      tolerations: [{ operator: 'Exists' }],
      volumes: [
        { name: 'config', configMap: { name: `${NAME}-config` } },
        { name: 'state', emptyDir: { sizeLimit: '16Mi' } },
        ...LOG_FOLDERS.map((path, index): Volume => ({ name: `logs-${index}`, hostPath: { path, type: 'Directory' } })),
      ],
      containers: [
        {
          name: NAME,
          image: LateTokens.of(this).asString(this, image),
          command: ['/fluent-bit/bin/fluent-bit', '-c', `${FOLDER}/${FILE}`],
          ports: [{ name: PORT_NAME, port: HTTP_PORT }],
          resources: logs.resources,
          probes: {
            startup: startupProbe(ready, Duration.minutes(1)),
            liveness: { ...ready, periodSeconds: 20, timeoutSeconds: 5, failureThreshold: 3 },
            readiness: { ...ready, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
          },
          mounts: [
            { name: 'config', mountPath: FOLDER, readOnly: true },
            { name: 'state', mountPath: STATE },
            ...LOG_FOLDERS.map((mountPath, index) => ({ name: `logs-${index}`, mountPath, readOnly: true })),
          ],
        },
      ],
    });
    // The container runtime writes logs for root and its group; as a member of the group it reads them, and needs no right of root's.
    return { ...pod, securityContext: { ...pod.securityContext, supplementalGroups: [0] } };
  }
}
