import { LateTokens } from '../../components/late';
import { cronProblem, dnsLabelProblem, dnsSubdomainProblem, labelValueProblem } from '../../components/rules';
import type { RenderedObject } from '../render';
import { podTemplate } from '../references';

type Json = Readonly<Record<string, unknown>>;

// Kinds whose names end up in DNS as one label. A StatefulSet's name is put into a label with a revision hash of 10 and a dash.
const LABEL_KINDS: Readonly<Record<string, number>> = {
  Service: 63,
  Namespace: 63,
  StatefulSet: 52,
  CronJob: 52,
  Job: 63,
};
const MEGABYTE = 1024 * 1024;

/** The object's own name, namespace, labels and schedule. */
export function nameProblems(object: RenderedObject): readonly string[] {
  const problems: string[] = [];
  const add = (field: string, problem: string | undefined, got: unknown): void => {
    if (problem !== undefined) problems.push(`${object.path}: ${field} ${problem}, got '${String(got)}'`);
  };
  const limit = LABEL_KINDS[object.kind];
  if (LateTokens.isToken(object.name)) add('metadata.name', 'must be known before the deployment', 'a late value');
  else if (!object.apiVersion.startsWith('rbac.')) {
    add(
      'metadata.name',
      limit === undefined ? dnsSubdomainProblem(object.name) : dnsLabelProblem(object.name, limit),
      object.name,
    );
  }
  if (object.namespace !== undefined) add('metadata.namespace', dnsLabelProblem(object.namespace), object.namespace);
  const labels = [
    (object.manifest.metadata as Json).labels,
    (podTemplate(object)?.metadata as Json | undefined)?.labels,
  ];
  for (const [key, value] of labels.flatMap((set) => Object.entries(set ?? {}))) {
    const text = String(value);
    add(`label '${key}'`, LateTokens.isToken(text) ? undefined : labelValueProblem(text), text);
  }
  if (object.kind === 'CronJob') {
    const schedule = String((object.manifest.spec as Json | undefined)?.schedule);
    add('spec.schedule', cronProblem(schedule), schedule);
  }
  return problems;
}

/** Keys, types and size of a ConfigMap's or Secret's content. */
export function dataProblems(object: RenderedObject): readonly string[] {
  if (object.kind !== 'ConfigMap' && object.kind !== 'Secret') return [];
  const problems: string[] = [];
  let size = 0;
  for (const field of ['data', 'stringData', 'binaryData']) {
    for (const [key, value] of Object.entries((object.manifest[field] ?? {}) as Json)) {
      if (!/^[-._a-zA-Z0-9]{1,253}$/.test(key)) {
        problems.push(`${object.path}: ${field} key '${key}' must be letters, digits, '-', '_' or '.'`);
      }
      if (typeof value !== 'string') {
        problems.push(`${object.path}: ${field}.${key} must be a string, got a value of type ${typeof value}`);
      } else size += Buffer.byteLength(value);
    }
  }
  if (size > MEGABYTE)
    problems.push(`${object.path}: the content is ${size} bytes, and at most ${MEGABYTE} fit into one object`);
  return problems;
}
