import type { IConstruct } from 'constructs';

/** What happens to an object in the cluster when it leaves the definition. */
export enum RemovalPolicy {
  /** It stays in the cluster, and deleting it needs a deliberate step. For everything that holds data. */
  RETAIN = 'retain',
  /** It is deleted with the stack. */
  DESTROY = 'destroy',
}

/** How a deployment engine must treat one object; plain YAML has no place for it. */
export interface ReleaseOptions {
  /** @default RemovalPolicy.DESTROY */
  readonly removalPolicy?: RemovalPolicy;
  /** Fields owned by somebody else, such as `spec.replicas` under an autoscaler. @default - none */
  readonly ignoreChanges?: readonly string[];
  /**
   * The object is made by somebody else, and only the fields in the manifest are owned, such as those of a namespace's `default`
   * ServiceAccount. @default false
   */
  readonly patch?: boolean;
  /**
   * Keys of a ConfigMap or Secret whose readers take a new value over while they run: a change of them rolls no pods.
   * @default - none
   */
  readonly liveKeys?: readonly string[];
  /** Earlier construct paths, so that a move deletes nothing. @default - none */
  readonly aliases?: readonly string[];
}

const TYPE = 'trellis:release-options';

/** Adds options to a construct; those on an outer construct hold for all inside it. */
export function setReleaseOptions(construct: IConstruct, options: ReleaseOptions): void {
  construct.node.addMetadata(TYPE, options);
}

/** What was set on this construct itself, merged; later calls win, lists add up. */
export function releaseOptionsOf(construct: IConstruct): ReleaseOptions {
  const set = construct.node.metadata
    .filter((entry) => entry.type === TYPE)
    .map((entry) => entry.data as ReleaseOptions);
  return set.reduce<ReleaseOptions>(
    (all, one) => ({
      ...all,
      ...one,
      ignoreChanges: [...(all.ignoreChanges ?? []), ...(one.ignoreChanges ?? [])],
      aliases: [...(all.aliases ?? []), ...(one.aliases ?? [])],
      liveKeys: [...(all.liveKeys ?? []), ...(one.liveKeys ?? [])],
    }),
    {},
  );
}

/**
 * Declares the path that a construct had before it was renamed or moved.
 * Without it the rename is a deletion and a creation of the same cluster object.
 */
export const movedFrom = (construct: IConstruct, path: string): void =>
  setReleaseOptions(construct, { aliases: [path] });
