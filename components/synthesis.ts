import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';

/** What one synthesis of a tree knows already. */
interface Memory {
  readonly objects: readonly ApiObject[];
  readonly byNamespace: ReadonlyMap<string | undefined, readonly ApiObject[]>;
  readonly manifests: Map<ApiObject, unknown>;
}
const MEMORY = Symbol.for('trellis.Synthesis');
type Root = IConstruct & { [MEMORY]?: Memory | undefined };

/**
 * Runs `work`, during which nothing in the tree of `scope` changes: each object is then synthesized once, and the tree
 * searched once, however many ask. A quota or a check asks for all of a namespace, several times for each namespace.
 */
export function synthesizeOnce<T>(scope: IConstruct, work: () => T): T {
  const root: Root = scope.node.root;
  if (root[MEMORY] !== undefined) return work();
  const objects = search(root);
  root[MEMORY] = { objects, byNamespace: grouped(objects), manifests: new Map() };
  try {
    return work();
  } finally {
    root[MEMORY] = undefined;
  }
}

/** Every API object of the tree that `scope` is in, in the order of their constructs. */
export const objectsOf = (scope: IConstruct): readonly ApiObject[] =>
  (scope.node.root as Root)[MEMORY]?.objects ?? search(scope.node.root);

/** Those of a namespace. */
export const objectsIn = (scope: IConstruct, namespace: string): readonly ApiObject[] =>
  ((scope.node.root as Root)[MEMORY]?.byNamespace ?? grouped(search(scope.node.root))).get(namespace) ?? [];

/** An object as it is applied; the one who asks must not change it. */
export function manifestOf(object: ApiObject): unknown {
  const memory = (object.node.root as Root)[MEMORY];
  if (memory === undefined) return object.toJson();
  const known = memory.manifests.get(object);
  if (known !== undefined) return known;
  const manifest: unknown = object.toJson();
  memory.manifests.set(object, manifest);
  return manifest;
}

const search = (root: IConstruct): readonly ApiObject[] =>
  root.node.findAll().filter((construct): construct is ApiObject => ApiObject.isApiObject(construct));

function grouped(objects: readonly ApiObject[]): ReadonlyMap<string | undefined, readonly ApiObject[]> {
  const groups = new Map<string | undefined, ApiObject[]>();
  for (const object of objects) {
    const { namespace } = object.metadata;
    const group = groups.get(namespace);
    if (group === undefined) groups.set(namespace, [object]);
    else group.push(object);
  }
  return groups;
}
