import type { Chart } from 'cdk8s';
import { Canary } from '../components/canary';
import { ValidationError } from '../components/errors';
import { LossPolicy } from '../components/ingress-options';
import type { TlsIngressProps } from '../components/tls-ingress';
import { TlsIngress } from '../components/tls-ingress';
import type { Late } from '../components/late';
import type { FrontValues, SystemValues } from './values';

/** The second version of a service as its props take it; routes give it its share. */
export const canaryOf = ({ canaryWeight: weight }: FrontValues, image: Late): { readonly canary?: Canary } =>
  weight === 0 ? {} : { canary: Canary.ofImage(image, { weight }) };

/**
 * A system's public addresses, by what the cluster has for them.
 * @throws ValidationError for what the back end can't do, unless the values accept it
 */
export function addIngress(
  chart: Chart,
  { certificate, tlsSecretName, ingress }: SystemValues,
  own: Pick<TlsIngressProps, 'routes' | 'streaming'>,
): TlsIngress {
  const { accepted, backend, className, controller, redirectHttp, hsts, gzip } = ingress;
  const { maxBodySize, securityHeaders, rateLimit } = ingress;
  const edge = new TlsIngress(chart, 'ingress', {
    ...own,
    ...{ certificate, backend, className, controller, redirectHttp, hsts, gzip },
    ...(tlsSecretName === undefined ? {} : { secretName: tlsSecretName }),
    ...(maxBodySize === undefined ? {} : { maxBodySize }),
    ...(securityHeaders === undefined ? {} : { securityHeaders }),
    ...(rateLimit === undefined ? {} : { rateLimit }),
    losses: accepted.length === 0 ? LossPolicy.REFUSE : LossPolicy.LIST,
  });
  const lost = edge.losses.filter(({ feature }) => !accepted.includes(feature));
  if (lost.length > 0)
    throw new ValidationError(
      edge,
      lost.map(({ feature, backend: where, reason }) => `${feature}: not on ${where}, and not accepted: ${reason}`),
    );
  return edge;
}
