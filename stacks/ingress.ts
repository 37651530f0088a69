import { Duration } from 'cdk8s';
import type { IngressValues } from '../charts/values';
import type { NginxOptions } from '../components/ingress-backend';
import { IngressBackend } from '../components/ingress-backend';
import { Hsts, RateLimit, SecurityHeaders } from '../components/ingress-options';
import type { Settings } from './schema';

type ClusterSettings = Settings['cluster']['ingress'];
type OwnSettings = Settings['noodleCore']['ingress'];

/** How a system is reached: what the cluster has for it, and what the system asks of that. */
export const ingressValues = (cluster: ClusterSettings, own: OwnSettings): IngressValues => ({
  backend: backend(cluster),
  className: cluster.nginx.class,
  controller: { namespace: cluster.nginx.namespace },
  accepted: cluster.accepted,
  redirectHttp: own.redirectHttp,
  maxBodySize: own.maxBodySize === '' ? undefined : own.maxBodySize,
  hsts: hsts(own.hsts),
  securityHeaders: own.securityHeaders === 'none' ? undefined : SecurityHeaders.recommended(),
  gzip: own.gzip,
  rateLimit: own.rateLimit.requestsPerSecond === 0 ? undefined : RateLimit.perClient(own.rateLimit),
});

function backend({ backend: kind, nginx, gateway }: ClusterSettings): IngressBackend {
  const { gzip, allowedResponseHeaders } = nginx;
  const ingress: NginxOptions = { gzip, allowedResponseHeaders, hsts: hsts(nginx.hsts) };
  const { class: gatewayClass, namespace, extensions } = gateway;
  const gatewayOptions = { gatewayClass, controller: { namespace }, extensions };
  switch (kind) {
    case 'nginx':
      return IngressBackend.nginx(ingress);
    case 'gateway':
      return IngressBackend.gateway(gatewayOptions);
    case 'both':
      return IngressBackend.both(gatewayOptions, ingress);
  }
}

const hsts = ({ maxAgeDays, includeSubdomains, preload }: OwnSettings['hsts']): Hsts =>
  maxAgeDays === 0 ? Hsts.off() : Hsts.of({ maxAge: Duration.days(maxAgeDays), includeSubdomains, preload });
