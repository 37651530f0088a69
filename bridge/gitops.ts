import type { App } from 'cdk8s';
import { LateTokens } from '../components/late';
import { RemovalPolicy } from '../components/release-options';
import { DefinitionError } from './errors';
import { visit } from './guard';
import { annotateReads, contentRead, plainDigest, readableSources } from './reads';
import type { Manifest, RenderedObject } from './render';
import { render } from './render';
import { keepNamespaces } from './retained';
import type { SecretSource } from './secret-source';
import { describeReferences, fromSource, unusedProblems } from './secret-source';

/**
 * The definition as plain objects for GitOps: each Secret with a secret leaf becomes an ExternalSecret that refers to the store, or a
 * SealedSecret with its ciphertexts. No value is read or written.
 * @throws DefinitionError where a late value has no reference to an external or a sealed secret.
 */
export const renderForGitOps = (app: App, secrets: SecretSource): readonly Manifest[] =>
  gitOpsObjects(app, secrets).map(({ manifest }) => manifest);

/** An object for GitOps, and what a deployment engine would know of it. */
export interface GitOpsObject {
  /** Construct path: the same in every environment, whatever the names are. */
  readonly path: string;
  readonly manifest: Manifest;
  /** Paths of the objects that must be there before this one. */
  readonly dependsOn: readonly string[];
  /** Fields that somebody else owns, such as `spec.replicas`. */
  readonly ignoreChanges: readonly string[];
  /** Whether it stays when it leaves the definition: it holds data, or is made by somebody else. */
  readonly kept: boolean;
}

/**
 * The same, each with its construct path.
 * @throws DefinitionError where a late value has no reference to an external or a sealed secret.
 */
export function gitOpsObjects(app: App, secrets: SecretSource): readonly GitOpsObject[] {
  const tokens = LateTokens.of(app);
  const objects = keepNamespaces(render(app));
  const sources = readableSources(describeReferences(objects, tokens, secrets));
  const problems: string[] = [];
  const manifests = objects.map((object) => {
    const content = contentRead(object, sources);
    const manifest =
      content.size === 0 ? object.manifest : annotateReads(object.kind, object.manifest, plainDigest(content));
    const late = lateFields(object);
    if (late.length === 0) return manifest;
    if (object.kind === 'Secret') return fromSource(object, tokens, secrets, problems).manifest;
    for (const field of late)
      problems.push(`${object.path}: ${field} is known only to the deployment engine; give a plain value to render it`);
    return manifest;
  });
  problems.push(...unusedProblems(objects, tokens, secrets));
  if (problems.length > 0) throw new DefinitionError(problems);
  return objects.map((object, index) => ({ ...known(object), manifest: manifests[index] ?? {} }));
}

const known = ({ path, dependsOn, ignoreChanges, removalPolicy, patch }: RenderedObject) => ({
  ...{ path, dependsOn, ignoreChanges },
  kept: patch || removalPolicy === RemovalPolicy.RETAIN,
});

function lateFields(object: RenderedObject): readonly string[] {
  const fields: string[] = [];
  visit(object.manifest, '', (field, value) => {
    if (typeof value === 'string' && LateTokens.isToken(value)) fields.push(field);
  });
  return fields;
}
