import type { Chart } from 'cdk8s';
import { ApiObject } from 'cdk8s';

/** Any object of a manifest. */
export type Json = Record<string, unknown>;

/** One API object named by its id. */
export const object = (chart: Chart, id: string, apiVersion: string, kind: string, rest: Json): ApiObject =>
  new ApiObject(chart, id, { apiVersion, kind, metadata: { name: id }, ...rest });

/** A container that a Deployment takes. */
export const container = (rest: Json = {}): Json => ({
  name: 'c',
  image: 'web',
  ports: [{ name: 'http', containerPort: 8080 }],
  ...rest,
});

/** A Deployment of one container. */
export const deployment = (
  chart: Chart,
  id: string,
  c: Json = container(),
  pod: Json = {},
  spec: Json = {},
): ApiObject =>
  object(chart, id, 'apps/v1', 'Deployment', {
    spec: {
      selector: { matchLabels: { app: id } },
      template: { metadata: { labels: { app: id } }, spec: { containers: [c], ...pod } },
      ...spec,
    },
  });

/** A Service. */
export const service = (chart: Chart, id: string, spec: Json): ApiObject =>
  object(chart, id, 'v1', 'Service', { spec });

/** A CronJob. */
export function cronJob(chart: Chart, id: string, schedule: string): ApiObject {
  const template = { metadata: { labels: { app: id.slice(0, 20) } }, spec: { containers: [container()] } };
  return object(chart, id, 'batch/v1', 'CronJob', { spec: { schedule, jobTemplate: { spec: { template } } } });
}

/** An Ingress with one backend. */
export function ingress(chart: Chart, host: string, name: string, number: number): ApiObject {
  const paths = [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { number } } } }];
  return object(chart, 'i', 'networking.k8s.io/v1', 'Ingress', { spec: { rules: [{ host, http: { paths } }] } });
}

/** A HorizontalPodAutoscaler of a Deployment. */
export function scaler(chart: Chart, name: string, rest: Json = {}): ApiObject {
  const spec = {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    minReplicas: 1,
    maxReplicas: 3,
    ...rest,
  };
  return object(chart, 'h', 'autoscaling/v2', 'HorizontalPodAutoscaler', { spec });
}
