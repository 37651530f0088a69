import type { CheckFailure, CheckRequest, CheckResponse, Context } from '../shared/provider';
import type { PropertyMap, PropertyValue } from '../shared/values';
import { isPropertyMap, plain, Secret } from '../shared/values';
import { withoutBookkeeping } from './live-inputs';
import { isNamed, withName } from './naming';
import { asObject, gvkOfType, text, withIn } from './objects';
import type { KubeObject } from './objects';
import { sealSecretKind } from './secrets';
import type { Session } from './session';

/** Properties that the program left out arrive as null. */
function withoutNulls(value: PropertyValue): PropertyValue {
  if (value instanceof Secret) return new Secret(withoutNulls(value.reveal()));
  if (Array.isArray(value)) return (value as readonly PropertyValue[]).map(withoutNulls);
  if (!isPropertyMap(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item)]));
}

function refusals(context: Context, inputs: PropertyMap): readonly CheckFailure[] {
  const failures: CheckFailure[] = [];
  const metadata = inputs['metadata'];
  if (metadata instanceof Secret) {
    failures.push({ property: 'metadata', reason: 'metadata as a whole is secret; mark the secret field only' });
  }
  if (isPropertyMap(metadata) && metadata['generateName'] !== undefined && !isNamed(inputs)) {
    failures.push({
      property: 'metadata.generateName',
      reason: 'not supported by server-side apply; leave out metadata.name to have one generated',
    });
  }
  const { kind } = gvkOfType(context.type);
  if (kind.endsWith('List') && inputs['items'] !== undefined) {
    failures.push({ property: 'items', reason: `${kind} is no object of the API; declare its items instead` });
  }
  if (kind.endsWith('Patch') && !isNamed(inputs)) {
    failures.push({ property: 'metadata.name', reason: `${kind} needs the name of the object that it patches` });
  }
  return failures;
}

async function withNamespace(session: Session, context: Context, inputs: PropertyMap): Promise<PropertyMap> {
  const metadata = inputs['metadata'] ?? {};
  if (!isPropertyMap(metadata)) return inputs;
  const given = metadata['namespace'];
  if (given !== undefined && given !== '') return inputs;
  const gvk = session.gvk(context, asObject(plain(inputs)));
  const namespaced = await session.cluster.discovery.namespaced(gvk);
  return namespaced ? withIn(inputs, ['metadata', 'namespace'], session.namespace) : inputs;
}

/** The scope of custom kinds is needed before their definition is installed. */
function announce(session: Session, object: KubeObject): void {
  if (text(object, 'kind') !== 'CustomResourceDefinition') return;
  const [group, kind] = [text(object, 'spec', 'group'), text(object, 'spec', 'names', 'kind')];
  if (group !== undefined && kind !== undefined) {
    session.cluster.discovery.announce(group, kind, text(object, 'spec', 'scope') !== 'Cluster');
  }
}

/** Inputs as they will be applied: named, in a namespace, secrets marked. */
export async function check(session: Session, request: CheckRequest, context: Context): Promise<CheckResponse> {
  const given = withoutNulls(request.news) as PropertyMap;
  const failures = refusals(context, given);
  if (failures.length > 0) return { inputs: given, failures };
  const old = asObject(plain(request.olds));
  if (session.settings.skipUpdateUnreachable && Object.keys(old).length > 0 && (await unreachable(session))) {
    session.sayOnce(
      context,
      'warning',
      'the cluster is unreachable; its objects stay as they are (skipUpdateUnreachable)',
    );
    return { inputs: request.olds };
  }
  const canonical = given['apiVersion'] === 'core/v1' ? { ...given, apiVersion: 'v1' } : given;
  const clean = withoutBookkeeping(asObject(canonical));
  const named = withName(clean, old, context.name, request.randomSeed);
  const inputs = sealSecretKind(await withNamespace(session, context, named));
  session.redactor.learn(inputs);
  announce(session, asObject(plain(inputs)));
  return { inputs };
}

async function unreachable(session: Session): Promise<boolean> {
  const { client } = session.cluster;
  if (client.unreachable !== undefined) return true;
  await client.send({ method: 'GET', path: '/version', patience: 3 }).catch(() => undefined);
  return client.unreachable !== undefined;
}
