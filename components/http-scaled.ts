import type { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import type { EnvMap } from './connections';
import { addBudget, addDeployment, addStatefulSet, scoreIgnored } from './http-objects';
import type { PodShape } from './http-pod';
import type { HttpSettings } from './http-settings';
import { kubeObject } from './kube';
import { setReleaseOptions } from './release-options';
import type { Scaling } from './scaling';
import { autoscalerSpec } from './scaling';
import type { ServiceVolume } from './service-volume';

/** What one version of a service has that another may not have. */
export interface ScaledShape {
  readonly volume: ServiceVolume | undefined;
  /** Whether the pods get a token for the API server. */
  readonly apiToken: boolean;
  /** Set over the environment of the service. @default - nothing */
  readonly env?: EnvMap;
}

/** One pod more than the count runs for a moment, so that none is taken away before its successor is ready. */
const SURGE = { maxSurge: 1, maxUnavailable: 0 } as const;

/**
 * Adds one set of pods that scales by itself: Deployment or StatefulSet, disruption budget, and an autoscaler unless the count is fixed.
 * @returns what makes the pods
 */
export function addScaledPods(
  scope: Construct,
  settings: HttpSettings,
  env: EnvMap,
  scaling: Scaling,
  scaled: ScaledShape,
): ApiObject {
  const { volume } = scaled;
  const shape = podShape(settings, scaling, scaled);
  const object =
    volume?._perReplica === true
      ? addStatefulSet(scope, settings, env, shape, volume._claim)
      : addDeployment(scope, settings, env, { ...shape, strategy: volume?._exclusive === true ? undefined : SURGE });
  addBudget(scope, settings, scaling.minReplicas, scaling.minAvailable);
  if (!scaling.fixed) addAutoscaler(scope, settings, scaling, object);
  return object;
}

function podShape(settings: HttpSettings, scaling: Scaling, { volume, apiToken, env }: ScaledShape): PodShape {
  const { minReplicas, fixed, zones } = scaling;
  const ignored = {
    ...(fixed && minReplicas === 1 && volume?._perReplica !== true
      ? { 'deployment-replicas': 'one pod was asked for, so an outage of its node is accepted' }
      : {}),
    ...(volume?._exclusive === true
      ? { 'deployment-strategy': 'two pods cannot have its volume, so the old one ends before the new one starts' }
      : {}),
  };
  return {
    ...(fixed ? { replicas: minReplicas } : {}),
    ...(env === undefined ? {} : { env }),
    waves: minReplicas,
    ignored,
    ...(volume === undefined ? {} : { container: { mounts: volume._mounts } }),
    pod: {
      apiToken,
      // Each pod of a StatefulSet comes back to where its volume is, so that its revisions cannot be spread anew.
      ...(zones > 1 ? { evenZones: volume?._perReplica === true ? 'pods' : 'revision' } : {}),
      // Of the service's name, which the claim has too, also for a canary.
      ...(volume === undefined ? {} : { volumes: volume._volumes(settings.account) }),
      ...(volume?._oneNode === true ? { nodeOf: settings.podSelector } : {}),
    },
  };
}

/** The count of pods belongs to the autoscaler alone: nobody else sets it or puts it back. */
function addAutoscaler(scope: Construct, settings: HttpSettings, scaling: Scaling, scaled: ApiObject): void {
  setReleaseOptions(scaled, { ignoreChanges: ['spec.replicas'] });
  const { name, labels, lifecycle } = settings;
  const annotations = scoreIgnored(
    scaling.minReplicas === 1
      ? { 'horizontalpodautoscaler-replicas': 'one pod was asked for at rest, so an outage of its node is accepted' }
      : {},
  );
  const kind = scaled.kind === 'StatefulSet' ? 'StatefulSet' : 'Deployment';
  kubeObject(
    scope,
    'HorizontalPodAutoscaler',
    'autoscaling/v2/HorizontalPodAutoscaler',
    { name, labels, annotations },
    { spec: autoscalerSpec({ kind, name }, scaling, lifecycle) },
  );
}
