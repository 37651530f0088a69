import type { App } from 'cdk8s';
import { externalObjects } from '../../components/external';
import type { RenderedObject } from '../render';
import { dataProblems, nameProblems } from './names';
import { podProblems } from './pods';
import { linkProblems } from './links';
import { selectionProblems } from './selection';

/**
 * What neither cdk8s-plus nor the schema catches, and an API server reports only object by object or never:
 * names, limits below requests, duplicates, and references between objects that lead nowhere.
 */
export function referenceProblems(objects: readonly RenderedObject[], app: App): readonly string[] {
  return [
    ...duplicateProblems(objects),
    ...objects.flatMap((object) => [...nameProblems(object), ...dataProblems(object), ...podProblems(object)]),
    ...linkProblems(objects, externalObjects(app)),
    ...selectionProblems(objects),
  ];
}

/** Two objects that would be one in the cluster: the second silently replaces the first. */
function duplicateProblems(objects: readonly RenderedObject[]): readonly string[] {
  const seen = new Map<string, string>();
  const problems: string[] = [];
  for (const object of objects) {
    const group = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : '';
    const identity = `${object.kind}.${group ?? ''} '${object.name}' in namespace '${object.namespace ?? ''}'`;
    const first = seen.get(identity);
    if (first === undefined) seen.set(identity, object.path);
    else problems.push(`${object.path}: ${identity} is already defined by ${first}; give one of them another name`);
  }
  return problems;
}
