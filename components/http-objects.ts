import type { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import type { EnvMap } from './connections';
import { envVars } from './connections';
import type { DeploymentShape, PodShape } from './http-pod';
import { PORT_NAME, httpPod } from './http-pod';
import { ServiceType } from './http-props';
import type { HttpSettings } from './http-settings';
import { HEADLESS_SUFFIX } from './http-settings';
import type { Labels, PodTemplate } from './kube';
import { kubeObject } from './kube';
import { LateTokens } from './late';
import { setReleaseOptions } from './release-options';
import { scoreIgnored } from './score';
import { claimTemplate } from './stateful-workload';
import type { VolumeClaim } from './volume-claim';

export { scoreIgnored } from './score';

/** Adds the ServiceAccount, which has no token and no rights, so that each workload is somebody of its own. */
export function addServiceAccount(scope: Construct, { name, labels }: HttpSettings): ApiObject {
  const body = { automountServiceAccountToken: false };
  return kubeObject(scope, 'ServiceAccount', 'v1/ServiceAccount', { name, labels }, body);
}

export function addService(scope: Construct, settings: HttpSettings): ApiObject {
  const { serviceName, labels, selector, serviceType, servicePort, sourceRanges } = settings;
  const external = serviceType === ServiceType.LOAD_BALANCER;
  return kubeObject(
    scope,
    'Service',
    'v1/Service',
    { name: serviceName, labels },
    {
      spec: {
        type: serviceType,
        selector,
        ports: [{ name: PORT_NAME, port: servicePort, targetPort: PORT_NAME, protocol: 'TCP' }],
        // Local keeps the client's address, by which the NetworkPolicy judges it.
        ...(external ? { externalTrafficPolicy: 'Local' } : {}),
        ...(sourceRanges.length > 0 ? { loadBalancerSourceRanges: sourceRanges } : {}),
      },
    },
  );
}

/** Adds the ConfigMap of the configuration files, if there are any. */
export function addConfigFiles(scope: Construct, { configFiles, configName, labels }: HttpSettings): void {
  if (configFiles === undefined) return;
  const tokens = LateTokens.of(scope);
  const files = Object.entries(configFiles.files);
  const data = Object.fromEntries(files.map(([file, content]) => [file, tokens.asString(scope, content)]));
  kubeObject(scope, 'ConfigMap', 'v1/ConfigMap', { name: configName, labels }, { data });
}

/** Adds the Deployment. Its pods are rendered at synth, so that environment added until then counts. */
export function addDeployment(
  scope: Construct,
  settings: HttpSettings,
  env: EnvMap,
  shape: DeploymentShape,
): ApiObject {
  const { name, selector, labels, lifecycle } = settings;
  const metadata = { name, labels, annotations: rolloutAnnotations(settings, shape, shape.strategy === undefined) };
  return kubeObject(scope, 'Deployment', 'apps/v1/Deployment', metadata, () => ({
    spec: {
      ...(shape.replicas === undefined ? {} : { replicas: shape.replicas }),
      selector: { matchLabels: selector },
      strategy:
        shape.strategy === undefined ? { type: 'Recreate' } : { type: 'RollingUpdate', rollingUpdate: shape.strategy },
      revisionHistoryLimit: 5,
      minReadySeconds: lifecycle.minReadySeconds,
      progressDeadlineSeconds: lifecycle.progressDeadlineSeconds,
      template: template(scope, settings, env, shape),
    },
  }));
}

/**
 * Adds a StatefulSet instead, for pods that each have a volume of their own, and the headless Service that it wants.
 * A pod ends before its successor starts, since both have the same name and volume.
 */
export function addStatefulSet(
  scope: Construct,
  settings: HttpSettings,
  env: EnvMap,
  shape: Omit<DeploymentShape, 'strategy'>,
  claim: VolumeClaim,
): ApiObject {
  const { name, selector, labels, lifecycle } = settings;
  const headless = `${name}${HEADLESS_SUFFIX}`;
  const ports = [{ name: PORT_NAME, port: settings.targetPort, targetPort: PORT_NAME, protocol: 'TCP' }];
  const headlessSpec = { type: 'ClusterIP', clusterIP: 'None', selector, ports };
  kubeObject(scope, 'Headless', 'v1/Service', { name: headless, labels }, { spec: headlessSpec });
  const metadata = { name, labels, annotations: rolloutAnnotations(settings, shape, true) };
  const object = kubeObject(scope, 'StatefulSet', 'apps/v1/StatefulSet', metadata, () => ({
    spec: {
      ...(shape.replicas === undefined ? {} : { replicas: shape.replicas }),
      serviceName: headless,
      selector: { matchLabels: selector },
      // Nothing orders them: each serves for itself.
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate' },
      minReadySeconds: lifecycle.minReadySeconds,
      revisionHistoryLimit: 5,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      template: template(scope, settings, env, shape),
      volumeClaimTemplates: [claimTemplate(scope, selector, claim)],
    },
  }));
  // A new template would need a new object, and that starts with one pod: claims that are there grow by themselves.
  setReleaseOptions(object, { ignoreChanges: ['spec.volumeClaimTemplates[0].spec'] });
  return object;
}

const template = (scope: Construct, settings: HttpSettings, env: EnvMap, shape: PodShape): PodTemplate => ({
  metadata: { labels: settings.labels },
  spec: httpPod(settings, envVars(scope, { ...env, ...shape.env }), shape),
});

const rolloutAnnotations = ({ lifecycle }: HttpSettings, shape: PodShape, inPlace: boolean): Labels => ({
  // The engine's own ten minutes have nothing to do with how long this rollout may take.
  'pulumi.com/timeoutSeconds': String(lifecycle.awaitSeconds(shape.waves, inPlace)),
  ...scoreIgnored(shape.ignored),
});

/** Adds the disruption budget: a single pod may go, or no node could ever be drained. */
export function addBudget(
  scope: Construct,
  { name, selector, labels }: HttpSettings,
  replicas: number,
  minAvailable: number,
): ApiObject {
  const bound = replicas === 1 ? { maxUnavailable: 1 } : { minAvailable };
  // A pod that does not run well is no reason to keep a node from being drained.
  const spec = { ...bound, selector: { matchLabels: selector }, unhealthyPodEvictionPolicy: 'AlwaysAllow' };
  return kubeObject(scope, 'PodDisruptionBudget', 'policy/v1/PodDisruptionBudget', { name, labels }, { spec });
}
