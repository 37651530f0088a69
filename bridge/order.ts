import type { App } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { DefinitionError } from './errors';
import type { Manifest, RenderedObject } from './render';
import { references } from './references';

/**
 * Fills in what each object depends on, and sorts them so that each follows its dependencies; linear in objects and edges.
 * Edges come from the constructs' own dependencies, namespaces, CRDs, and from what a pod reads.
 * @throws DefinitionError where objects depend on each other in a circle, naming the circle.
 */
export function definitionOrder(app: App, objects: readonly RenderedObject[]): readonly RenderedObject[] {
  const edges = new Map<string, Set<string>>(objects.map((object) => [object.path, new Set<string>()]));
  const byPath = new Map(objects.map((object) => [object.path, object]));
  addConstructEdges(app, byPath, edges);
  addImpliedEdges(objects, edges);
  return sorted(objects, edges).map((object) => ({ ...object, dependsOn: [...(edges.get(object.path) ?? [])].sort() }));
}

type Edges = Map<string, Set<string>>;

function addConstructEdges(app: App, byPath: ReadonlyMap<string, RenderedObject>, edges: Edges): void {
  const inside = new Map<IConstruct, readonly string[]>();
  const objectsIn = (construct: IConstruct): readonly string[] => {
    let paths = inside.get(construct);
    if (paths === undefined) {
      paths = construct.node.findAll().flatMap((child) => (byPath.has(child.node.path) ? [child.node.path] : []));
      inside.set(construct, paths);
    }
    return paths;
  };
  for (const construct of app.node.findAll()) {
    for (const dependency of construct.node.dependencies) {
      const targets = objectsIn(dependency);
      for (const source of objectsIn(construct)) {
        for (const target of targets) if (target !== source) edges.get(source)?.add(target);
      }
    }
  }
}

function addImpliedEdges(objects: readonly RenderedObject[], edges: Edges): void {
  const namespaces = new Map(objects.filter((o) => o.kind === 'Namespace').map((o) => [o.name, o.path]));
  const definitions = new Map(
    objects.flatMap((o) => (o.kind === 'CustomResourceDefinition' ? [[definedKind(o.manifest), o.path]] : [])),
  );
  const byName = new Map(objects.map((o) => [`${o.kind}/${o.namespace ?? ''}/${o.name}`, o.path]));
  for (const object of objects) {
    const own = edges.get(object.path);
    const implied = [
      object.namespace === undefined ? undefined : namespaces.get(object.namespace),
      definitions.get(`${object.apiVersion.split('/')[0]}/${object.kind}`),
      // A pod that starts before its Secret fails with an error that then has to be told from a real one.
      ...references(object).map(({ kind, name }) => byName.get(`${kind}/${object.namespace ?? ''}/${name}`)),
    ];
    for (const path of implied) if (path !== undefined && path !== object.path) own?.add(path);
  }
}

function definedKind(manifest: Manifest): string {
  const spec = manifest.spec as { group?: string; names?: { kind?: string } } | undefined;
  return `${spec?.group ?? ''}/${spec?.names?.kind ?? ''}`;
}

function sorted(objects: readonly RenderedObject[], edges: Edges): readonly RenderedObject[] {
  const byPath = new Map(objects.map((object) => [object.path, object]));
  const state = new Map<string, 'open' | 'done'>();
  const result: RenderedObject[] = [];
  // An explicit stack: a long chain of dependencies must not overflow the call stack.
  for (const { path: start } of objects) {
    const stack: { path: string; rest: string[] }[] = [];
    const enter = (path: string): void => {
      const seen = state.get(path);
      if (seen === 'done') return;
      if (seen === 'open') throw new DefinitionError([circle(stack, path)]);
      state.set(path, 'open');
      stack.push({ path, rest: [...(edges.get(path) ?? [])] });
    };
    enter(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.rest.shift();
      if (next !== undefined) {
        enter(next);
        continue;
      }
      state.set(top.path, 'done');
      const object = byPath.get(top.path);
      if (object !== undefined) result.push(object);
      stack.pop();
    }
  }
  return result;
}

function circle(stack: readonly { readonly path: string }[], path: string): string {
  const from = stack.findIndex((entry) => entry.path === path);
  return `objects depend on each other in a circle: ${[...stack.slice(from).map((entry) => entry.path), path].join(' → ')}`;
}
