import type { RenderedObject } from '../render';
import { items, podTemplate } from '../references';
import { operatorPods } from './operators';

type Json = Readonly<Record<string, unknown>>;
/** Label by which the controller of a StatefulSet names each pod. */
const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';

interface Pods {
  readonly labels: Json;
  readonly ports: readonly Json[];
  /** Fewest pods that the object keeps running. */
  readonly least: number;
}

/** Selectors that select no pod, ports that no pod has, and budgets that can never be met. */
export function selectionProblems(objects: readonly RenderedObject[]): readonly string[] {
  const select = selector(objects);
  return objects.flatMap((object) => {
    const spec = (object.manifest.spec ?? {}) as Json;
    const labels = (((spec.podSelector ?? spec.selector) as Json | undefined)?.matchLabels ?? {}) as Json;
    const named = `${Object.entries(labels)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(',')}`;
    const none = `its selector ${named} matches no pod of this definition`;
    switch (object.kind) {
      case 'Service':
        return serviceProblems(object, spec, select);
      case 'NetworkPolicy':
        return Object.keys(labels).length > 0 && select(object.namespace, labels).length === 0
          ? [`${object.path}: ${none}`]
          : [];
      case 'PodDisruptionBudget': {
        const selected = select(object.namespace, labels);
        return selected.length === 0 ? [`${object.path}: ${none}`] : budgetProblems(object, spec, selected);
      }
      default:
        return [];
    }
  });
}

type Select = (namespace: string | undefined, labels: Json) => readonly Pods[];

/** Finds pods by label through an index, so that the checks stay linear in the number of objects. */
function selector(objects: readonly RenderedObject[]): Select {
  const scalers = new Map<string, Json>();
  for (const object of objects) {
    const spec = (object.manifest.spec ?? {}) as Json;
    const target = spec.scaleTargetRef as Json | undefined;
    if (target !== undefined)
      scalers.set(`${object.namespace ?? ''}/${String(target.kind)}/${String(target.name)}`, spec);
  }
  const index = new Map<string, Pods[]>();
  for (const object of objects) {
    for (const pods of podsOf(object, scalers.get(`${object.namespace ?? ''}/${object.kind}/${object.name}`))) {
      for (const [key, value] of Object.entries(pods.labels)) {
        const entry = `${object.namespace ?? ''}|${key}=${String(value)}`;
        const list = index.get(entry);
        if (list === undefined) index.set(entry, [pods]);
        else list.push(pods);
      }
    }
  }
  return (namespace, labels) => {
    const [first, ...rest] = Object.entries(labels);
    if (first === undefined) return [];
    const candidates = index.get(`${namespace ?? ''}|${first[0]}=${String(first[1])}`) ?? [];
    return candidates.filter((pod) => rest.every(([key, value]) => pod.labels[key] === value));
  };
}

/** The pods of one object together, or one by one where its controller names each. */
function podsOf(object: RenderedObject, scaler: Json | undefined): readonly Pods[] {
  const made = operatorPods(object);
  // No port is known of them: the operator makes their Services too.
  if (made !== undefined) return [{ ...made, ports: [] }];
  const template = podTemplate(object);
  if (template === undefined) return [];
  const spec = (object.manifest.spec ?? {}) as Json;
  const least = scaler === undefined ? Number(spec.replicas ?? 1) : Number(scaler.minReplicas ?? 1);
  const labels = ((template.metadata as Json | undefined)?.labels ?? {}) as Json;
  const ports = items((template.spec as Json).containers).flatMap((container) => items(container.ports));
  if (object.kind !== 'StatefulSet' || !(least > 0)) return [{ labels, ports, least }];
  return Array.from({ length: least }, (_, ordinal) => ({
    labels: { ...labels, [POD_NAME_LABEL]: `${object.name}-${ordinal}` },
    ports,
    least: 1,
  }));
}

function serviceProblems(object: RenderedObject, spec: Json, select: Select): readonly string[] {
  const selector = spec.selector as Json | undefined;
  if (selector === undefined) return [];
  const selected = select(object.namespace, selector);
  if (selected.length === 0) return [`${object.path}: its selector matches no pod of this definition`];
  return items(spec.ports).flatMap((port) => {
    const target = port.targetPort ?? port.port;
    const known = selected.flatMap((pod) => pod.ports);
    if (known.some((candidate) => candidate.name === target || candidate.containerPort === target)) return [];
    const list = known.map((candidate) => `${String(candidate.name)}/${String(candidate.containerPort)}`).join(', ');
    return [
      `${object.path}: targetPort ${String(target)} is no port of the selected pods, which have: ${list || 'none'}`,
    ];
  });
}

function budgetProblems(object: RenderedObject, spec: Json, selected: readonly Pods[]): readonly string[] {
  const least = selected.reduce((sum, pod) => sum + pod.least, 0);
  const { minAvailable, maxUnavailable } = spec;
  if (typeof minAvailable === 'number' && minAvailable >= least) {
    return [
      `${object.path}: minAvailable ${minAvailable} can never be met while a pod moves: at least ${least} run, so at most ${least - 1} is allowed`,
    ];
  }
  return maxUnavailable === 0 ? [`${object.path}: maxUnavailable 0 blocks every drain of a node`] : [];
}
