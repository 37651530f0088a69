import { LateTokens } from '../../components/late';
import { quantityValue } from '../quantity';
import type { RenderedObject } from '../render';
import { items, podTemplate } from '../references';

type Json = Readonly<Record<string, unknown>>;

/** What is wrong within one object's pods, replicas and claims. */
export function podProblems(object: RenderedObject): readonly string[] {
  const problems: string[] = [];
  const spec = (object.manifest.spec ?? {}) as Json;
  if ('replicas' in spec && !(Number.isInteger(spec.replicas) && Number(spec.replicas) >= 0)) {
    problems.push(`spec.replicas must be a whole number from 0, got ${JSON.stringify(spec.replicas)}`);
  }
  if (object.kind === 'PersistentVolumeClaim') problems.push(...claimProblems(spec, 'spec'));
  for (const claim of items(spec.volumeClaimTemplates))
    problems.push(...claimProblems(claim.spec as Json, 'volumeClaimTemplates'));
  const pod = podTemplate(object)?.spec as Json | undefined;
  if (pod !== undefined) {
    const volumes = new Set(items(pod.volumes).map((volume) => volume.name));
    for (const claim of items(spec.volumeClaimTemplates)) volumes.add((claim.metadata as Json).name);
    if (items(pod.containers).length === 0) problems.push('a pod needs at least one container');
    for (const list of ['initContainers', 'containers']) {
      for (const container of items(pod[list])) problems.push(...containerProblems(container, pod, volumes));
    }
  }
  return problems.map((problem) => `${object.path}: ${problem}`);
}

function claimProblems(spec: Json, field: string): readonly string[] {
  return items(spec.accessModes).length === 0 ? [`${field}.accessModes must name at least one mode`] : [];
}

function containerProblems(container: Json, pod: Json, volumes: ReadonlySet<unknown>): readonly string[] {
  const name = `container '${String(container.name)}'`;
  const problems: string[] = [];
  if (typeof container.image !== 'string' || container.image === '') problems.push(`${name}: image must not be empty`);
  const ports = items(container.ports).map((port) => port.containerPort);
  for (const port of ports) {
    if (!Number.isInteger(port) || Number(port) < 1 || Number(port) > 65535) {
      problems.push(`${name}: containerPort must be a whole number from 1 to 65535, got ${JSON.stringify(port)}`);
    }
  }
  if (new Set(ports).size < ports.length) problems.push(`${name}: a port is listed twice: ${ports.join(', ')}`);
  const variables = items(container.env);
  const names = variables.map((variable) => String(variable.name));
  for (const twice of new Set(names.filter((variable, index) => names.indexOf(variable) !== index))) {
    problems.push(`${name}: environment variable '${twice}' is set twice`);
  }
  for (const variable of variables) {
    if ('value' in variable && typeof variable.value !== 'string') {
      problems.push(
        `${name}: environment variable '${String(variable.name)}' must be a string, got ${JSON.stringify(variable.value)}`,
      );
    }
  }
  for (const mount of items(container.volumeMounts)) {
    if (!volumes.has(mount.name))
      problems.push(`${name}: mounts volume '${String(mount.name)}', which the pod does not have`);
  }
  return [...problems, ...userProblems(container, pod, name), ...resourceProblems(container, name)];
}

function userProblems(container: Json, pod: Json, name: string): readonly string[] {
  const context = { ...(pod.securityContext as Json | undefined), ...(container.securityContext as Json | undefined) };
  return context.runAsNonRoot === true && context.runAsUser === 0
    ? [`${name}: runAsUser 0 with runAsNonRoot is admitted, and the pod then never starts`]
    : [];
}

function resourceProblems(container: Json, name: string): readonly string[] {
  const { requests = {}, limits = {} } = (container.resources ?? {}) as { requests?: Json; limits?: Json };
  const problems: string[] = [];
  const value = (side: string, resource: string, text: unknown): number | undefined => {
    if (text === undefined || (typeof text === 'string' && LateTokens.isToken(text))) return undefined;
    const parsed = quantityValue(text);
    if (parsed === undefined || parsed <= 0) {
      problems.push(
        `${name}: resources.${side}.${resource} must be a quantity above zero, got ${JSON.stringify(text)}`,
      );
      return undefined;
    }
    return parsed;
  };
  for (const resource of new Set([...Object.keys(requests), ...Object.keys(limits)])) {
    const request = value('requests', resource, requests[resource]);
    const limit = value('limits', resource, limits[resource]);
    if (request !== undefined && limit !== undefined && request > limit) {
      const found = `${String(requests[resource])} > ${String(limits[resource])}`;
      problems.push(`${name}: resources.requests.${resource} must not exceed its limit, got ${found}`);
    }
  }
  return problems;
}
