import type { RenderedObject } from '../../../bridge/render';

const PLURALS: Readonly<Record<string, string>> = { NetworkPolicy: 'networkpolicies', Ingress: 'ingresses' };

/** Path of a rendered object at the API server. */
export function objectUrl({ apiVersion, kind, name }: RenderedObject, namespace: string): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${group}/namespaces/${namespace}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}/${name}`;
}
