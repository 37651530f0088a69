import type { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import type { EnvMap } from './connections';
import { addBudget, addDeployment, scoreIgnored } from './http-objects';
import type { DeploymentShape } from './http-pod';
import type { HttpSettings } from './http-settings';
import { kubeObject } from './kube';
import { setReleaseOptions } from './release-options';
import type { Scaling } from './scaling';
import { autoscalerSpec } from './scaling';

/** What two versions of a service may have differently. */
export type PodsShape = Pick<DeploymentShape, 'env' | 'container' | 'pod'>;

/** Adds one set of pods that scales by itself: Deployment, disruption budget, and an autoscaler unless the count is fixed. */
export function addScaledPods(
  scope: Construct,
  settings: HttpSettings,
  env: EnvMap,
  scaling: Scaling,
  shape: PodsShape = {},
): void {
  const { minReplicas, fixed, minAvailable } = scaling;
  const deployment = addDeployment(scope, settings, env, {
    ...shape,
    ...(fixed ? { replicas: minReplicas } : {}),
    waves: minReplicas,
    strategy: { maxSurge: 1, maxUnavailable: 0 },
    ...(fixed && minReplicas === 1
      ? { ignored: { 'deployment-replicas': 'one pod was asked for, so an outage of its node is accepted' } }
      : {}),
  });
  addBudget(scope, settings, minReplicas, minAvailable);
  if (!fixed) addAutoscaler(scope, settings, scaling, deployment);
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
  kubeObject(
    scope,
    'HorizontalPodAutoscaler',
    'autoscaling/v2/HorizontalPodAutoscaler',
    { name, labels, annotations },
    { spec: autoscalerSpec({ kind: 'Deployment', name }, scaling, lifecycle) },
  );
}
