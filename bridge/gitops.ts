import type { App } from 'cdk8s';
import type { Deferred } from '../components/late';
import { LateTokens } from '../components/late';
import { DefinitionError } from './errors';
import { visit } from './guard';
import { annotateReads, contentRead, plainDigest, readableSources } from './reads';
import type { Manifest, RenderedObject } from './render';
import { render } from './render';

/** A secret that lives in an external store. It stands in a chart's values where an engine would give the value itself. */
export class ExternalSecretValue implements Deferred {
  /** @param key name in the store, such as `trellis/prod/postgres-password` */
  public constructor(public readonly key: string) {}

  public apply(): never {
    throw new DefinitionError([`the external secret '${this.key}' has no value where nothing is deployed`]);
  }
}

/** Where External Secrets finds the values. */
export interface SecretStore {
  readonly kind: 'ClusterSecretStore' | 'SecretStore';
  readonly name: string;
}

/**
 * The definition as plain objects for GitOps: each Secret with a secret leaf becomes an ExternalSecret that refers to the store.
 * No value is read or written.
 * @throws DefinitionError where a late value has no reference to an external secret.
 */
export const renderForGitOps = (app: App, store: SecretStore): readonly Manifest[] =>
  gitOpsObjects(app, store).map(({ manifest }) => manifest);

/** An object for GitOps, and the construct that it comes from. */
export interface GitOpsObject {
  /** Construct path: the same in every environment, whatever the names are. */
  readonly path: string;
  readonly manifest: Manifest;
}

/**
 * The same, each with its construct path.
 * @throws DefinitionError where a late value has no reference to an external secret.
 */
export function gitOpsObjects(app: App, store: SecretStore): readonly GitOpsObject[] {
  const tokens = LateTokens.of(app);
  const objects = render(app);
  const sources = readableSources(objects);
  const problems: string[] = [];
  const manifests = objects.map((object) => {
    const content = contentRead(object, sources);
    const manifest =
      content.size === 0 ? object.manifest : annotateReads(object.kind, object.manifest, plainDigest(content));
    const late = lateFields(object);
    if (late.length === 0) return manifest;
    if (object.kind === 'Secret') return externalSecret(object, tokens, store, problems);
    for (const field of late)
      problems.push(`${object.path}: ${field} is known only to the deployment engine; give a plain value to render it`);
    return manifest;
  });
  if (problems.length > 0) throw new DefinitionError(problems);
  return objects.map(({ path }, index) => ({ path, manifest: manifests[index] ?? {} }));
}

function lateFields(object: RenderedObject): readonly string[] {
  const fields: string[] = [];
  visit(object.manifest, '', (field, value) => {
    if (typeof value === 'string' && LateTokens.isToken(value)) fields.push(field);
  });
  return fields;
}

/** The ExternalSecret that makes the same Secret: a template a key, with each secret taken from the store once. */
function externalSecret(object: RenderedObject, tokens: LateTokens, store: SecretStore, problems: string[]): Manifest {
  const remote = new Map<string, string>();
  const data: Record<string, string> = {};
  for (const [key, text] of Object.entries((object.manifest.stringData ?? {}) as Record<string, string>)) {
    data[key] = LateTokens.split(text)
      .map((part) => {
        // Literal braces would be read as a template; External Secrets uses Go's, where a quoted literal stays as it is.
        if (!part.token) return part.text.includes('{{') ? `{{ ${JSON.stringify(part.text)} }}` : part.text;
        const value = tokens.lookup(part.text)?.value;
        if (!(value instanceof ExternalSecretValue)) {
          problems.push(`${object.path}: stringData.${key} has no reference to an external secret`);
          return '';
        }
        const variable = value.key.replace(/[^A-Za-z0-9]/g, '_');
        remote.set(variable, value.key);
        return `{{ .${variable} }}`;
      })
      .join('');
  }
  const { type } = object.manifest as { type?: string };
  return {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    metadata: object.manifest.metadata,
    spec: {
      refreshInterval: '1h0m0s',
      secretStoreRef: { kind: store.kind, name: store.name },
      target: {
        name: object.name,
        creationPolicy: 'Owner',
        // Deleting the ExternalSecret, for example in a rollback, must not delete the credentials of a running database.
        deletionPolicy: 'Retain',
        template: { engineVersion: 'v2', ...(type === undefined ? {} : { type }), data },
      },
      data: [...remote].map(([secretKey, key]) => ({ secretKey, remoteRef: { key } })),
    },
  };
}
