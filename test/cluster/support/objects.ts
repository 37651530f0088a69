import type { App } from 'cdk8s';

import { render } from '../../../bridge/render';
import type { RenderedObject } from '../../../bridge/render';
import { LateTokens } from '../../../components/late';
import { inClear } from '../../support/clear';
import type { Cluster } from '../../support/cluster';

const PLURALS: Readonly<Record<string, string>> = { NetworkPolicy: 'networkpolicies', Ingress: 'ingresses' };

/** Path of a rendered object at the API server. */
function objectUrl({ apiVersion, kind, name }: RenderedObject, namespace: string): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${group}/namespaces/${namespace}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}/${name}`;
}

/**
 * Applies an App's objects to a namespace, each with the secrets that it has.
 *
 * @param chosen objects that are applied; all of them where it is left out
 */
export async function applyApp(
  cluster: Cluster,
  app: App,
  namespace: string,
  chosen: (object: RenderedObject) => boolean = () => true,
): Promise<void> {
  const tokens = LateTokens.of(app);
  for (const object of render(app).filter(chosen)) {
    await cluster.send({
      method: 'PATCH',
      path: `${objectUrl(object, namespace)}?fieldManager=test&fieldValidation=Strict`,
      contentType: 'application/apply-patch+yaml',
      body: JSON.parse(inClear(tokens, JSON.stringify(object.manifest))) as unknown,
    });
  }
}
