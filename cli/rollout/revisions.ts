import { isDeepStrictEqual } from 'node:util';
import type { V1ControllerRevision, V1PodTemplateSpec, V1ReplicaSet } from '@kubernetes/client-node';
import type { Site } from '../cluster/site';
import { CliError } from '../exit';
import { appsPath, fullName, type Workload } from './workloads';

const REVISION = 'deployment.kubernetes.io/revision';
const CAUSE = 'kubernetes.io/change-cause';
export const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';
const READS = 'trellis.dev/reads';
/** Put into a template by the Deployment's controller. */
const HASH = 'pod-template-hash';

/** A template that a workload had, or has. */
export interface Revision {
  readonly number: number;
  readonly template: V1PodTemplateSpec;
  /** When it was first rolled out; ISO 8601. */
  readonly created: string | undefined;
  /** Why, as who rolled it out wrote down; else in what it differs from the one before. */
  readonly cause: string;
  /** Whether the workload has this template now. */
  readonly current: boolean;
}

type Found = Omit<Revision, 'cause'> & { readonly noted: string | undefined };
interface Metadata {
  readonly metadata?: { readonly name?: string; readonly creationTimestamp?: Date };
}

// What came over the wire is text, whatever the type says.
const created = ({ metadata }: Metadata): string | undefined => metadata?.creationTimestamp as unknown as string;

const ownedBy = (workload: Workload, object: V1ReplicaSet | V1ControllerRevision): boolean =>
  object.metadata?.ownerReferences?.some(({ uid }) => uid === workload.live.metadata?.uid) ?? false;

/** A ReplicaSet's template as its Deployment had it. */
function withoutHash(template: V1PodTemplateSpec): V1PodTemplateSpec {
  const labels = Object.entries(template.metadata?.labels ?? {}).filter(([key]) => key !== HASH);
  return { ...template, metadata: { ...template.metadata, labels: Object.fromEntries(labels) } };
}

function ofDeployment(sets: readonly V1ReplicaSet[]): readonly Found[] {
  const numbers = sets.map(({ metadata }) => Number(metadata?.annotations?.[REVISION]));
  const last = Math.max(...numbers.filter(Number.isFinite));
  return sets.flatMap((set, index) => {
    const [number = NaN, template] = [numbers[index], set.spec?.template];
    if (!Number.isInteger(number) || template === undefined) return [];
    const noted = set.metadata?.annotations?.[CAUSE];
    return [{ number, template: withoutHash(template), created: created(set), noted, current: number === last }];
  });
}

function ofStatefulSet({ live }: Workload, revisions: readonly V1ControllerRevision[]): readonly Found[] {
  return revisions.flatMap((revision) => {
    const data = revision.data as { spec?: { template?: V1PodTemplateSpec & { $patch?: string } } } | undefined;
    const stored = data?.spec?.template;
    if (stored === undefined) return [];
    const template = without(stored, '$patch') as V1PodTemplateSpec;
    const noted = revision.metadata?.annotations?.[CAUSE];
    const current = revision.metadata?.name === live.status?.updateRevision;
    return [{ number: revision.revision, template, created: created(revision), noted, current }];
  });
}

const without = (object: object, name: string): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));

/** Names of what differs between two maps; never the values, which may be anybody's. */
function changedNames(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isDeepStrictEqual(before[name], after[name])).sort();
}

const byName = (items: readonly { readonly name: string }[] | undefined): Record<string, unknown> =>
  Object.fromEntries((items ?? []).map((item) => [item.name, item]));

/** In what a template differs from the one before, in a few words and without a value. */
export function changes(before: V1PodTemplateSpec, after: V1PodTemplateSpec): string {
  const annotations = changedNames(before.metadata?.annotations ?? {}, after.metadata?.annotations ?? {});
  const [old, now] = [byName(before.spec?.containers), byName(after.spec?.containers)];
  const containers = changedNames(old, now).flatMap((name) => {
    const [was, is] = [old[name], now[name]] as readonly (Record<string, unknown> | undefined)[];
    if (was === undefined || is === undefined) return [`container ${name} ${is === undefined ? 'gone' : 'new'}`];
    return changedNames(was, is).map((field) => {
      if (field !== 'env') return field;
      return `env ${changedNames(byName(was.env as []), byName(is.env as [])).join(', ')}`;
    });
  });
  const [pod, newPod] = [before, after].map(({ spec }) => without(spec ?? {}, 'containers'));
  const found = [
    ...containers,
    ...changedNames(pod ?? {}, newPod ?? {}),
    ...(annotations.includes(READS) ? ['what it reads from ConfigMaps and Secrets'] : []),
    ...(annotations.includes(RESTARTED_AT) ? ['restart'] : []),
  ];
  const others = annotations.filter((name) => ![READS, RESTARTED_AT].includes(name));
  if (others.length > 0) found.push(`annotation ${others.join(', ')}`);
  return found.length === 0 ? 'labels' : [...new Set(found)].join('; ');
}

/** Oldest first, each with its cause. */
export function inOrder(found: readonly Found[]): readonly Revision[] {
  const sorted = [...found].sort((a, b) => a.number - b.number);
  return sorted.map(({ noted, ...revision }, index) => {
    const before = sorted[index - 1];
    const cause =
      noted ?? (before === undefined ? 'the oldest that is kept' : changes(before.template, revision.template));
    return { ...revision, cause };
  });
}

/** The templates that the cluster still knows of a workload, oldest first. */
export async function revisionsOf({ access }: Site, workload: Workload): Promise<readonly Revision[]> {
  const { namespace, kind } = workload;
  const plural = kind === 'Deployment' ? 'replicasets' : 'controllerrevisions';
  const all = await access.list<V1ReplicaSet | V1ControllerRevision>(appsPath(namespace, plural));
  const own = all.filter((object) => ownedBy(workload, object));
  return inOrder(kind === 'Deployment' ? ofDeployment(own) : ofStatefulSet(workload, own as V1ControllerRevision[]));
}

/**
 * The revision to go back to.
 *
 * @param number @default - the last one before the current
 * @throws CliError where there is none, or where the workload has it already
 */
export function target(workload: Workload, revisions: readonly Revision[], number: number | undefined): Revision {
  const what = `${workload.kind} ${fullName(workload)}`;
  const others = revisions.filter(({ current }) => !current);
  if (number === undefined) {
    const last = others.at(-1);
    if (last === undefined)
      throw new CliError(`${what} has no revision to go back to: the cluster keeps only the current one.`);
    return last;
  }
  const found = revisions.find((revision) => revision.number === number);
  const kept = revisions.map((revision) => revision.number).join(', ');
  if (found === undefined) throw new CliError(`${what} has no revision ${number}. There are: ${kept}.`);
  if (found.current) throw new CliError(`${what} is at revision ${number} already. There are: ${kept}.`);
  return found;
}

/** `registry/name@sha256:…` with a digest short enough to be read. */
export const shortImage = (image: string | undefined): string =>
  (image ?? '?').replace(/@sha256:([0-9a-f]{12})[0-9a-f]*$/, '@$1');

/** Images of a template's containers. */
export const imagesOf = ({ spec }: V1PodTemplateSpec): string =>
  (spec?.containers ?? []).map(({ image }) => shortImage(image)).join(', ');
