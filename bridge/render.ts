import type { ApiObject, App } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { ValidationError } from '../components/errors';
import { LateTokens } from '../components/late';
import type { ReleaseOptions } from '../components/release-options';
import { RemovalPolicy, releaseOptionsOf } from '../components/release-options';
import { manifestOf, objectsOf, synthesizeOnce } from '../components/synthesis';
import { definitionOrder } from './order';
import { DefinitionError } from './errors';
import { manifestProblems } from './guard';
import { referenceProblems } from './checks';

/** A synthesized object: plain JSON, with late values still as tokens. */
export type Manifest = Readonly<Record<string, unknown>>;

/** One API object of the definition. */
export interface RenderedObject {
  /** Construct path, such as `noodle-core/postgres/StatefulSet`: the object's name in the state. */
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly manifest: Manifest;
  /** Paths of the objects that must be there before this one. */
  readonly dependsOn: readonly string[];
  readonly removalPolicy: RemovalPolicy;
  readonly ignoreChanges: readonly string[];
  /** Whether somebody else makes the object, and only the fields in the manifest are owned. */
  readonly patch: boolean;
  /** Keys whose readers take a new value over while they run. */
  readonly liveKeys: readonly string[];
  /** Earlier construct paths of this object. */
  readonly aliases: readonly string[];
}

/**
 * Renders every API object of an App once, without an engine: tokens stay strings.
 * Objects come in an order in which each follows what it depends on.
 * It does not use cdk8s' own synthesis, whose dependency sort is exponential.
 * @throws DefinitionError with every problem of the tree: failed validations, text of a stringified Output, dangling references.
 */
export const render = (app: App): readonly RenderedObject[] => synthesizeOnce(app, () => renderAll(app));

function renderAll(app: App): readonly RenderedObject[] {
  const problems: string[] = [];
  LateTokens.of(app).fill();
  for (const construct of app.node.findAll()) {
    for (const message of construct.node.validate()) problems.push(`${construct.node.path}: ${message}`);
  }
  const objects: RenderedObject[] = [];
  for (const object of objectsOf(app)) {
    try {
      objects.push(renderObject(object));
    } catch (error) {
      problems.push(synthesisProblem(object, error));
    }
  }
  for (const object of objects) problems.push(...manifestProblems(object));
  // References into objects that did not render would be reported a second time.
  if (problems.length === 0) problems.push(...referenceProblems(objects, app));
  if (problems.length > 0) throw new DefinitionError(problems);
  return definitionOrder(app, objects);
}

function renderObject(object: ApiObject): RenderedObject {
  const manifest = manifestOf(object) as Manifest;
  const metadata = (manifest.metadata ?? {}) as { name?: string; namespace?: string };
  const options = inherited(object);
  return {
    path: object.node.path,
    apiVersion: object.apiVersion,
    kind: object.kind,
    name: metadata.name ?? object.name,
    namespace: metadata.namespace,
    manifest,
    dependsOn: [],
    removalPolicy: options.removalPolicy ?? RemovalPolicy.DESTROY,
    ignoreChanges: options.ignoreChanges ?? [],
    aliases: options.aliases ?? [],
    patch: releaseOptionsOf(object).patch ?? false,
    liveKeys: releaseOptionsOf(object).liveKeys ?? [],
  };
}

/** Options of the object and of every construct around it; the inner ones win, and aliases follow a moved parent. */
function inherited(object: ApiObject): ReleaseOptions {
  const scopes: readonly IConstruct[] = object.node.scopes;
  const aliases: string[] = [];
  const ignoreChanges: string[] = [];
  let removalPolicy: RemovalPolicy | undefined;
  for (const scope of scopes) {
    const own = releaseOptionsOf(scope);
    removalPolicy = own.removalPolicy ?? removalPolicy;
    ignoreChanges.push(...(own.ignoreChanges ?? []));
    aliases.push(...(own.aliases ?? []).map((old) => old + object.node.path.slice(scope.node.path.length)));
  }
  return { aliases, ignoreChanges, ...(removalPolicy === undefined ? {} : { removalPolicy }) };
}

function synthesisProblem(object: ApiObject, error: unknown): string {
  if (error instanceof ValidationError) return error.message;
  const text = error instanceof Error ? error.message : String(error);
  // cdk8s prefixes its own sentence; the path is ours to say, and the rest is the cause.
  const cause = text.replace(/^Failed serializing construct at path '.*?' with name '.*?': (Error: )?/s, '');
  const hint = /OutputImpl|Promise/.test(cause)
    ? '; pass a late value through the component’s props or LateTokens.asString'
    : '';
  return `${object.node.path}: ${object.kind} cannot be rendered: ${cause}${hint}`;
}
