import type { Chart } from 'cdk8s';
import { Size } from 'cdk8s';
import { AutoscaledService } from '../../components/autoscaled-service';
import { CacheStore } from '../../components/cache-store';
import { Canary } from '../../components/canary';
import { Certificate } from '../../components/certificate';
import { declareExternal } from '../../components/external';
import { GpuInferenceDeployment } from '../../components/gpu-inference-deployment';
import { GpuRequest } from '../../components/gpu-request';
import { IngressBackend } from '../../components/ingress-backend';
import { RateLimit, SecurityHeaders } from '../../components/ingress-options';
import { ModelSource } from '../../components/model-source';
import { StatefulDatabase } from '../../components/stateful-database';
import type { TlsIngressProps } from '../../components/tls-ingress';
import { TlsIngress } from '../../components/tls-ingress';
import type { ComponentCase } from './props';
import { minimalCache, minimalDatabase } from './props';
import { IMAGE, allServiceProps } from './service-props';

const service = (chart: Chart): AutoscaledService => new AutoscaledService(chart, 'web', { image: IMAGE });

const ingress = (chart: Chart, certificate: Certificate, props: Partial<TlsIngressProps> = {}): void => {
  const canary = Canary.ofImage(IMAGE, { weight: 10 });
  const to = new AutoscaledService(chart, 'web', { image: IMAGE, canary });
  const routes = [{ host: 'shop.example.com', path: '/v1', to }];
  new TlsIngress(chart, 'edge', { certificate, routes, ...props });
};
const gateway = { gatewayClass: 'traefik', controller: { namespace: 'ingress' } };
const nginx = { gzip: true, allowedResponseHeaders: ['X-Content-Type-Options', 'X-Frame-Options', 'Referrer-Policy'] };

/** Both ends of what each component for services may be built with. */
export const serviceCases: readonly ComponentCase[] = [
  { name: 'AutoscaledService, minimal', build: (chart) => void service(chart) },
  { name: 'AutoscaledService, full', build: (chart) => void new AutoscaledService(chart, 'web', allServiceProps) },
  {
    name: 'AutoscaledService, connected to a database and a cache',
    build: (chart) => {
      const database = new StatefulDatabase(chart, 'postgres', minimalDatabase);
      service(chart).connects(
        database,
        new CacheStore(chart, 'redis', { ...minimalCache, password: 'battery-staple' }),
      );
    },
  },
  { name: 'TlsIngress, certificate of the controller', build: (chart) => ingress(chart, Certificate.ofController()) },
  {
    name: 'TlsIngress, certificate in a Secret, with all that ingress-nginx can do',
    build: (chart) =>
      ingress(chart, Certificate.fromSecret('given-tls'), {
        backend: IngressBackend.nginx(nginx),
        securityHeaders: SecurityHeaders.recommended(),
        gzip: true,
        rateLimit: RateLimit.perClient({ requestsPerSecond: 10, connections: 5 }),
        streaming: true,
        maxBodySize: Size.mebibytes(4),
      }),
  },
  {
    name: 'TlsIngress on both back ends, certificate from an issuer',
    build: (chart) => ingress(chart, Certificate.issuedBy('letsencrypt'), { backend: IngressBackend.both(gateway) }),
  },
  {
    name: 'TlsIngress on a Gateway of its own, certificate of another namespace',
    build: (chart) =>
      ingress(chart, Certificate.fromSecret('wildcard', { namespace: 'default' }), {
        backend: IngressBackend.gateway(gateway),
        securityHeaders: SecurityHeaders.recommended(),
        redirectHttp: false,
      }),
  },
  {
    name: 'TlsIngress on a shared Gateway',
    build: (chart) =>
      ingress(chart, Certificate.ofController(), {
        backend: IngressBackend.sharedGateway({ gatewayName: 'public', controller: gateway.controller }),
      }),
  },
  {
    name: 'GpuInferenceDeployment, on CPU',
    build: (chart) =>
      void new GpuInferenceDeployment(chart, 'llama', {
        image: IMAGE,
        gpu: GpuRequest.none(),
        model: ModelSource.baked('/models/tiny.gguf'),
        modelSize: Size.mebibytes(64),
      }),
  },
  {
    name: 'GpuInferenceDeployment, on a GPU with a model from a volume',
    build: (chart) => {
      declareExternal(chart, 'PersistentVolumeClaim', 'weights');
      new GpuInferenceDeployment(chart, 'llama', {
        image: IMAGE,
        gpu: GpuRequest.nvidia(1),
        model: ModelSource.fromVolume({ name: 'weights' }, 'model.gguf'),
        modelSize: Size.gibibytes(4),
        apiKey: 'canary-0123456789',
        runtimeClass: 'nvidia',
      });
    },
  },
];
