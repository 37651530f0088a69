import type { ExternalObject } from '../../components/external';
import { LateTokens } from '../../components/late';
import { hostProblem } from '../../components/rules';
import type { RenderedObject } from '../render';
import { items, references } from '../references';
import { operatorSecrets } from './operators';

type Json = Readonly<Record<string, unknown>>;
type Find = (kind: string, namespace: string | undefined, name: string) => RenderedObject | undefined;
/** Whether somebody outside this definition makes an object. */
type Elsewhere = (kind: string, namespace: string | undefined, name: string) => boolean;

/** References by name that lead nowhere: Secret keys, Services behind an Ingress, an autoscaler's target. */
export function linkProblems(
  objects: readonly RenderedObject[],
  external: readonly ExternalObject[],
): readonly string[] {
  const byName = new Map(objects.map((object) => [`${object.kind}/${object.namespace ?? ''}/${object.name}`, object]));
  const find: Find = (kind, namespace, name) => byName.get(`${kind}/${namespace ?? ''}/${name}`);
  const declared = new Set(external.map(({ kind, name }) => `${kind}/${name}`));
  const made = operatorSecrets(objects);
  const elsewhere: Elsewhere = (kind, namespace, name) =>
    declared.has(`${kind}/${name}`) || (kind === 'Secret' && made.has(`${namespace ?? ''}/${name}`));
  return objects.flatMap((object) =>
    [
      ...readProblems(object, find, elsewhere),
      ...(object.kind === 'Ingress' ? ingressProblems(object, find, elsewhere) : []),
      ...(object.kind === 'Gateway' ? gatewayProblems(object, find, elsewhere) : []),
      ...(object.kind === 'HTTPRoute' ? routeProblems(object, find) : []),
      ...(object.kind === 'HorizontalPodAutoscaler' ? autoscalerProblems(object, find) : []),
    ].map((problem) => `${object.path}: ${problem}`),
  );
}

function readProblems(object: RenderedObject, find: Find, elsewhere: Elsewhere): readonly string[] {
  return references(object).flatMap((reference) => {
    const { kind, name, key } = reference;
    if (reference.optional || LateTokens.isToken(name)) return [];
    const target = find(kind, object.namespace, name);
    if (target === undefined) {
      if (elsewhere(kind, object.namespace, name)) return [];
      return [
        `${reference.field} names ${kind} '${name}', which is neither defined here nor declared with declareExternal`,
      ];
    }
    if (key === undefined) return [];
    const keys = ['data', 'stringData', 'binaryData'].flatMap((field) =>
      Object.keys((target.manifest[field] ?? {}) as Json),
    );
    return keys.includes(key)
      ? []
      : [`${reference.field} reads key '${key}' of ${kind} '${name}', which has only: ${keys.join(', ') || 'no keys'}`];
  });
}

function ingressProblems(object: RenderedObject, find: Find, elsewhere: Elsewhere): readonly string[] {
  const spec = (object.manifest.spec ?? {}) as Json;
  const problems: string[] = [];
  const annotations = ((object.manifest.metadata as Json).annotations ?? {}) as Json;
  const issued = Object.keys(annotations).some((key) => key.startsWith('cert-manager.io/'));
  for (const { secretName } of items(spec.tls)) {
    if (typeof secretName !== 'string' || LateTokens.isToken(secretName)) continue;
    if (
      !issued &&
      find('Secret', object.namespace, secretName) === undefined &&
      !elsewhere('Secret', object.namespace, secretName)
    ) {
      problems.push(
        `spec.tls names Secret '${secretName}', which nobody makes: no issuer is named and it is not defined here`,
      );
    }
  }
  for (const rule of items(spec.rules)) {
    const host = rule.host as string | undefined;
    const bad = host === undefined || LateTokens.isToken(host) ? undefined : hostProblem(host);
    if (bad !== undefined) problems.push(`spec.rules.host ${bad}, got '${String(host)}'`);
    for (const path of items((rule.http as Json | undefined)?.paths)) {
      const service = (path.backend as Json | undefined)?.service as { name: string; port: Json } | undefined;
      if (service !== undefined) problems.push(...serviceProblems(object.namespace, service, find));
    }
  }
  return problems;
}

/** Certificates of other namespaces are theirs. */
function gatewayProblems(object: RenderedObject, find: Find, elsewhere: Elsewhere): readonly string[] {
  return items((object.manifest.spec as Json).listeners).flatMap(({ name, tls }) =>
    items((tls as Json | undefined)?.certificateRefs).flatMap((reference) => {
      const secret = String(reference.name);
      const known =
        reference.namespace !== undefined ||
        LateTokens.isToken(secret) ||
        find('Secret', object.namespace, secret) !== undefined ||
        elsewhere('Secret', object.namespace, secret);
      return known ? [] : [`listener '${String(name)}' names Secret '${secret}', which nobody makes`];
    }),
  );
}

function routeProblems(object: RenderedObject, find: Find): readonly string[] {
  return items((object.manifest.spec as Json).rules).flatMap(({ backendRefs }) =>
    items(backendRefs).flatMap(({ name, namespace, port }) =>
      serviceProblems(
        (namespace as string | undefined) ?? object.namespace,
        { name: String(name), port: { number: port } },
        find,
      ),
    ),
  );
}

function serviceProblems(
  namespace: string | undefined,
  backend: { name: string; port: Json },
  find: Find,
): readonly string[] {
  const service = find('Service', namespace, backend.name);
  if (service === undefined)
    return [`the backend Service '${backend.name}' is not defined in namespace '${namespace ?? ''}'`];
  const ports = items((service.manifest.spec as Json).ports);
  const { name, number } = backend.port;
  if (ports.some((port) => (name === undefined ? port.port === number : port.name === name))) return [];
  const known = ports.map((port) => `${String(port.name)}/${String(port.port)}`).join(', ');
  return [`the backend Service '${backend.name}' has no port ${String(name ?? number)}, only: ${known}`];
}

function autoscalerProblems(object: RenderedObject, find: Find): readonly string[] {
  const spec = (object.manifest.spec ?? {}) as Json;
  const target = spec.scaleTargetRef as { kind: string; name: string };
  const scaled = find(target.kind, object.namespace, target.name);
  const problems: string[] = [];
  if (scaled === undefined)
    problems.push(`scaleTargetRef names ${target.kind} '${target.name}', which is not defined here`);
  if (((scaled?.manifest.spec ?? {}) as Json).replicas !== undefined) {
    problems.push(`${target.kind} '${target.name}' sets spec.replicas too, and the two would fight over it`);
  }
  const min = Number(spec.minReplicas ?? 1);
  if (min > Number(spec.maxReplicas))
    problems.push(`minReplicas (${min}) must not exceed maxReplicas (${String(spec.maxReplicas)})`);
  return problems;
}
