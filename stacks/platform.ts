import { App } from 'cdk8s';
import type { NoodleCoreValues } from '../charts/noodle-core';
import { NoodleCore } from '../charts/noodle-core';
import { Certificate } from '../components/certificate';
import { ServiceType } from '../components/http-props';
import { RemovalPolicy } from '../components/release-options';
import type { NoodleCoreSettings, Settings } from './schema';

/** Images and secrets of every system: Outputs in a deployment, references in a render. */
export interface PlatformValues {
  readonly noodleCore: Pick<NoodleCoreValues, 'images' | 'secrets'>;
}

/** The whole definition of one environment, as a function of its settings and late values. */
export function buildPlatform(settings: Settings, values: PlatformValues): App {
  const app = new App();
  new NoodleCore(app, 'noodle-core', { ...noodleCoreValues(settings), ...values.noodleCore });
  return app;
}

function noodleCoreValues(settings: Settings): Omit<NoodleCoreValues, 'images' | 'secrets'> {
  const { namespace, host, tls, runtime, postgres, redis } = settings.noodleCore;
  return {
    namespace,
    host,
    environment: settings.environment,
    certificate: certificate(tls),
    tlsSecretName: tls.source === 'issuer' ? tls.secretName : undefined,
    ingressNamespace: settings.cluster.ingressNamespace,
    removalPolicy: settings.state.removal === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    runtime: {
      ...runtime,
      resources: resources(runtime),
      cpuTarget: runtime.cpu.target,
      serviceType: runtime.serviceType === 'LoadBalancer' ? ServiceType.LOAD_BALANCER : ServiceType.CLUSTER_IP,
    },
    postgres: { ...postgres, resources: resources(postgres), storageClass: postgres.storageClass || undefined },
    redis: { ...redis, resources: resources(redis), storageClass: redis.storageClass || undefined },
  };
}

function certificate(tls: NoodleCoreSettings['tls']): Certificate {
  switch (tls.source) {
    case 'controller':
      return Certificate.ofController();
    case 'issuer':
      return Certificate.issuedBy(tls.issuer);
    case 'secret':
      return Certificate.fromSecret(tls.secretName);
  }
}

type Amounts = Pick<NoodleCoreSettings['postgres'], 'cpu' | 'memory'>;

const resources = ({ cpu, memory }: Amounts) => ({
  cpu: { request: cpu.request, limit: cpu.limit },
  memory: { request: memory.request, limit: memory.limit },
});
