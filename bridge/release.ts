import * as pulumi from '@pulumi/pulumi';
import type { App } from 'cdk8s';
import { LateTokens } from '../components/late';
import { RemovalPolicy } from '../components/release-options';
import { awaitInputs } from './awaits';
import { DefinitionError } from './errors';
import { isLate, lateDigest } from './late-digest';
import { annotateReads, contentRead, readableSources } from './reads';
import type { RenderedObject } from './render';
import { render } from './render';
import { restore } from './restore';
import { keepNamespaces } from './retained';
import type { SecretSource } from './secret-source';
import { describeReferences, replaceSecrets } from './secret-source';

// One type for every construct: a class may be renamed without a new identity for all that is in it.
const CONSTRUCT_TYPE = 'trellis:cdk8s:Construct';
const RELEASE_TYPE = 'trellis:cdk8s:ClusterRelease';

/** What a release is made of. */
export interface ClusterReleaseArgs {
  /** The App whose objects are released; it is rendered here, once. */
  readonly app: App;
  /**
   * Key of the digests that make pods roll when a Secret changes. At least 32 random characters, kept for the stack's life.
   * @default - none; pods may then read no value that only the engine knows
   */
  readonly digestKey?: pulumi.Input<string>;
  /**
   * What makes the Secrets whose values are references: ExternalSecrets of a store, or SealedSecrets. Pods wait until they are made.
   * @default - none; every secret has its value
   */
  readonly secrets?: SecretSource;
}

/** One object of the cluster. Its type token is the vendor's, so that the typed classes and this one name the same resource. */
class KubernetesObject extends pulumi.CustomResource {
  declare public readonly metadata: pulumi.Output<Readonly<Record<string, unknown>>>;
  declare public readonly status: pulumi.Output<unknown>;

  public constructor(object: RenderedObject, inputs: pulumi.Inputs, options: pulumi.CustomResourceOptions) {
    super(typeToken(object), object.path, { ...inputs, status: undefined }, options);
  }
}

class ConstructNode extends pulumi.ComponentResource {
  public constructor(path: string, options: pulumi.ComponentResourceOptions) {
    super(CONSTRUCT_TYPE, path, {}, options);
    this.registerOutputs({});
  }
}

/**
 * Reconciles every object of an App as one Pulumi resource, named by its construct path under the tree of its constructs.
 * @throws DefinitionError before any resource is made, with every problem of the definition.
 */
export class ClusterRelease extends pulumi.ComponentResource {
  /** The resources by construct path. */
  public readonly objects: ReadonlyMap<string, pulumi.CustomResource>;
  private readonly nodes = new Map<string, pulumi.ComponentResource>();

  public constructor(
    name: string,
    args: ClusterReleaseArgs,
    options: pulumi.ComponentResourceOptions & { readonly provider: pulumi.ProviderResource },
  ) {
    // Rendered and restored first: a refused definition must not leave half of itself behind.
    const plan = planRelease(args);
    super(RELEASE_TYPE, name, {}, options);
    const made = new Map<string, pulumi.CustomResource>();
    for (const { object, inputs } of plan) {
      const dependsOn = object.dependsOn.flatMap((path) => made.get(path) ?? []);
      made.set(object.path, new KubernetesObject(object, inputs, { ...this.optionsOf(object), dependsOn }));
    }
    this.objects = made;
    this.registerOutputs({});
  }

  private optionsOf(object: RenderedObject): pulumi.CustomResourceOptions {
    const type = typeToken(object);
    return {
      parent: this.nodeFor(parentOf(object.path)),
      retainOnDelete: object.removalPolicy === RemovalPolicy.RETAIN,
      ...(object.ignoreChanges.length === 0 ? {} : { ignoreChanges: [...object.ignoreChanges] }),
      ...(object.aliases.length === 0 ? {} : { aliases: object.aliases.map((path) => this.urnOf(path, type)) }),
      ...(object.kind === 'Secret' ? { additionalSecretOutputs: ['data', 'stringData'] } : {}),
    };
  }

  /** The component of one construct, and of those around it. */
  private nodeFor(path: string): pulumi.ComponentResource {
    if (path === '') return this;
    const known = this.nodes.get(path);
    if (known !== undefined) return known;
    const node = new ConstructNode(path, { parent: this.nodeFor(parentOf(path)) });
    this.nodes.set(path, node);
    return node;
  }

  /** The URN that an object at an earlier path had. Its depth may differ, so the parents' types are part of the answer. */
  private urnOf(path: string, type: string): pulumi.Output<string> {
    const parent = parentOf(path);
    return pulumi.createUrn(path, type, parent === '' ? this.urn : this.urnOf(parent, CONSTRUCT_TYPE));
  }
}

/** Every object with its inputs, in order. */
function planRelease(
  args: ClusterReleaseArgs,
): readonly { readonly object: RenderedObject; readonly inputs: pulumi.Inputs }[] {
  const { app, digestKey, secrets } = args;
  const tokens = LateTokens.of(app);
  const objects = keepNamespaces(render(app));
  const sources = readableSources(describeReferences(objects, tokens, secrets));
  const problems: string[] = [];
  const plan = replaceSecrets(objects, tokens, secrets).map((object) => {
    const inputs = awaitInputs(object, restore(object, tokens));
    const content = contentRead(object, sources);
    if (content.size === 0) return { object, inputs };
    if (digestKey === undefined && isLate(content))
      problems.push(`${object.path}: its pods read values that only the engine knows; give a digestKey`);
    return { object, inputs: annotateReads(object.kind, inputs, lateDigest(content, tokens, digestKey ?? '')) };
  });
  if (problems.length > 0) throw new DefinitionError(problems);
  return plan;
}

/** The vendor's token: `kubernetes:core/v1:Secret`, `kubernetes:core/v1:ServiceAccountPatch`, and the same for custom resources. */
function typeToken({ apiVersion, kind, patch }: RenderedObject): string {
  return `kubernetes:${apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`}:${kind}${patch ? 'Patch' : ''}`;
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
