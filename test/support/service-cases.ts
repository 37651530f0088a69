import type { Chart } from 'cdk8s';
import { Size } from 'cdk8s';
import { AutoscaledService } from '../../components/autoscaled-service';
import { CacheStore } from '../../components/cache-store';
import { Certificate } from '../../components/certificate';
import { declareExternal } from '../../components/external';
import { GpuInferenceDeployment } from '../../components/gpu-inference-deployment';
import { GpuRequest } from '../../components/gpu-request';
import { ModelSource } from '../../components/model-source';
import { StatefulDatabase } from '../../components/stateful-database';
import { TlsIngress } from '../../components/tls-ingress';
import type { ComponentCase } from './props';
import { minimalCache, minimalDatabase } from './props';
import { IMAGE, allServiceProps } from './service-props';

const service = (chart: Chart): AutoscaledService => new AutoscaledService(chart, 'web', { image: IMAGE });

const ingress = (chart: Chart, certificate: Certificate): void => {
  const routes = [{ host: 'shop.example.com', path: '/v1', to: service(chart) }];
  new TlsIngress(chart, 'edge', { certificate, routes, maxBodySize: Size.mebibytes(4) });
};

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
    name: 'TlsIngress, certificate from an issuer',
    build: (chart) => ingress(chart, Certificate.issuedBy('letsencrypt')),
  },
  {
    name: 'TlsIngress, certificate in a Secret',
    build: (chart) => ingress(chart, Certificate.fromSecret('given-tls')),
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
