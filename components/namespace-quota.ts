import { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Cpu } from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';
import type { Kinds, Labels, PodSpec, ResourceRequirements } from './kube';
import { OPERATED, operatedPods } from './namespace-operators';
import { manifestOf, objectsIn } from './synthesis';
import { cpuMillis, parseCpu, parseSize, sizeBytes, sizeQuantity } from './units';

/**
 * What all pods and volumes of a namespace may add up to.
 * It must hold every autoscaler at its maximum and the extra pods of a rollout, or both stop half-way.
 */
export interface NamespaceQuota {
  /** Sums of all requests and of all limits; memory limits are required, the rest is unbounded where it is left out. */
  readonly compute: ContainerResources;
  /** @default 100 */
  readonly pods?: number;
  /** Volumes that are claimed. @default 20 */
  readonly persistentVolumeClaims?: number;
  /** Sum of all claims. @default Size.gibibytes(200) */
  readonly storage?: Size;
  /** Services with a load balancer, each of which costs money. @default 1 */
  readonly loadBalancers?: number;
  /** Devices by the name of their extended resource, such as `nvidia.com/gpu`. @default - none */
  readonly devices?: Readonly<Record<string, number>>;
}

/** Sums by the names that a ResourceQuota has for them: CPU in millicores, memory and disk in bytes, the rest in pieces. */
export type Totals = Readonly<Record<string, number>>;

export interface Manifest {
  /** Construct path, for messages. @default - unknown */
  readonly path?: string;
  /** @default - unknown, so that no custom resource is recognized */
  readonly apiVersion?: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Labels };
  readonly spec?: unknown;
}
type Hpa = Kinds['autoscaling/v2/HorizontalPodAutoscaler']['spec'];
type Claim = Kinds['v1/PersistentVolumeClaim']['spec'];

const COUNTED: ReadonlySet<string> = new Set([
  ...['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'],
  ...['HorizontalPodAutoscaler', 'PersistentVolumeClaim', 'Service'],
  ...OPERATED,
]);

/** On a DaemonSet: the nodes that there may be at most, each with one of its pods. Without it a quota counts one. */
export const MOST_NODES_ANNOTATION = 'trellis.dev/most-nodes';

/** Room beside what is defined: operators' own pods, such as one that answers a certificate's challenge. */
const HEADROOM = 1.25;

/** A quota as a ResourceQuota writes it. */
export function hardLimits(quota: NamespaceQuota): Readonly<Record<string, string>> {
  const { cpu, memory, ephemeralStorage } = quota.compute;
  const sums: readonly (readonly [string, Cpu | Size | number | undefined])[] = [
    ['requests.cpu', cpu?.request],
    ['limits.cpu', cpu?.limit],
    ['requests.memory', memory?.request],
    ['limits.memory', memory?.limit],
    ['requests.ephemeral-storage', ephemeralStorage?.request],
    ['limits.ephemeral-storage', ephemeralStorage?.limit],
    ['pods', quota.pods ?? 100],
    ['persistentvolumeclaims', quota.persistentVolumeClaims ?? 20],
    ['requests.storage', quota.storage ?? Size.gibibytes(200)],
    ['services.loadbalancers', quota.loadBalancers ?? 1],
    ...Object.entries(quota.devices ?? {}).map(([name, count]) => [`requests.${name}`, count] as const),
  ];
  return Object.fromEntries(sums.flatMap(([name, sum]) => (sum === undefined ? [] : [[name, quantity(sum)]])));
}

/** The quota that everything defined in a namespace needs at most, with a quarter of room in what pods use. */
export const derivedLimits = (scope: IConstruct, namespace: string): Readonly<Record<string, string>> =>
  limitsOf(countedIn(scope, namespace));

/** The same for the objects of one namespace. */
export function limitsOf(objects: readonly Manifest[]): Readonly<Record<string, string>> {
  const totals = Object.entries(totalsOf(objects)).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(totals.map(([name, sum]) => [name, hardLimit(name, sum)]));
}

/** What everything defined in a namespace needs at most and a given quota does not hold, one sentence each. */
export function quotaProblems(scope: IConstruct, namespace: string, quota: NamespaceQuota): readonly string[] {
  const totals = totalsOf(countedIn(scope, namespace));
  return Object.entries(hardLimits(quota)).flatMap(([name, hard]) => {
    const [needed, held] = [totals[name] ?? 0, amountOf(name.replace(/^(requests|limits)\./, ''), hard)];
    return needed <= held
      ? []
      : [`quota: ${name} of ${hard} is less than the ${shown(name, needed)} that the namespace's workloads add up to`];
  });
}

/** Every object of a namespace that a quota counts, as it will be applied. */
export const countedIn = (scope: IConstruct, namespace: string): readonly Manifest[] =>
  objectsIn(scope, namespace)
    .filter(({ kind }) => COUNTED.has(kind))
    .map((object) => ({ path: object.node.path, ...(manifestOf(object) as Omit<Manifest, 'path'>) }));

/**
 * What objects add up to at most: every autoscaler at its maximum, every workload in the middle of a rollout,
 * one run of every job at the same time.
 */
export const totalsOf = (objects: readonly Manifest[]): Totals => sum(objects, (_, { count }) => count);

/**
 * What objects add up to while nothing is rolled out and no job runs, with every autoscaler at its minimum or at its maximum.
 * Claims that exist beside a StatefulSet count at both.
 */
export const steadyTotals = (objects: readonly Manifest[], size: 'minimum' | 'maximum'): Totals =>
  sum(objects, ({ kind, spec }, { count }, scaler) => {
    if (kind === 'Job' || kind === 'CronJob') return 0;
    if (scaler !== undefined) return size === 'maximum' ? scaler.maxReplicas : (scaler.minReplicas ?? 1);
    const { replicas, instances } = spec as { readonly replicas?: number; readonly instances?: number };
    // A kind without a number of its own, such as one that an operator fills in: as many as are counted at most.
    return replicas ?? instances ?? (kind === 'Deployment' || kind === 'StatefulSet' ? 1 : count);
  });

/** @param countOf how many pods of a workload there are */
function sum(
  objects: readonly Manifest[],
  countOf: (object: Manifest, pods: Pods, scaler: Hpa | undefined) => number,
): Totals {
  const totals: Record<string, number> = {
    ...{ pods: 0, persistentvolumeclaims: 0, 'requests.storage': 0, 'services.loadbalancers': 0 },
  };
  const add = (name: string, amount: number): void => void (totals[name] = (totals[name] ?? 0) + amount);
  const addClaim = (claim: Claim, count: number): void => {
    add('persistentvolumeclaims', count);
    add('requests.storage', count * amountOf('storage', claim.resources?.requests?.['storage']));
  };
  const scalers = scalersOf(objects);
  const claimed = new Set(objects.filter(({ kind }) => kind === 'PersistentVolumeClaim').map((o) => o.metadata.name));
  for (const object of objects) {
    if (object.kind === 'Service' && (object.spec as { type?: string } | undefined)?.type === 'LoadBalancer') {
      add('services.loadbalancers', 1);
    }
    if (object.kind === 'PersistentVolumeClaim') addClaim(object.spec as Claim, 1);
    const pods = podsOf(object, scalers);
    if (pods === undefined) continue;
    const count = countOf(object, pods, scalers.get(`${object.kind}/${object.metadata.name}`));
    add('pods', count);
    for (const [name, amount] of Object.entries(podTotals(pods.spec))) add(name, count * amount);
    for (const { name, spec } of pods.claims) {
      // A StatefulSet takes a claim of that name where there is one.
      const own = Array.from({ length: count }, (_, ordinal) => `${name}-${object.metadata.name}-${ordinal}`);
      addClaim(spec, own.filter((one) => !claimed.has(one)).length);
    }
  }
  return totals;
}

interface Pods {
  readonly count: number;
  readonly spec: PodSpec;
  readonly claims: readonly { readonly name: string; readonly spec: Claim }[];
}

/** Autoscalers by what they scale. */
type Scalers = ReadonlyMap<string, Hpa>;

/** The autoscalers among objects, found once for all workloads. */
export const scalersOf = (objects: readonly Manifest[]): Scalers =>
  new Map(
    objects
      .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
      .map(({ spec }) => spec as Hpa)
      .map((spec) => [`${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`, spec]),
  );

/** The pods of a workload, as many as there may be at once; nothing for an object of another kind. */
export function podsOf(object: Manifest, scalers: Scalers): Pods | undefined {
  const scaler = scalers.get(`${object.kind}/${object.metadata.name}`);
  switch (object.kind) {
    case 'Deployment': {
      const spec = object.spec as Kinds['apps/v1/Deployment']['spec'];
      const surge = spec.strategy?.type === 'Recreate' ? 0 : spec.strategy?.rollingUpdate?.maxSurge;
      const count = scaler?.maxReplicas ?? spec.replicas ?? 1;
      return { count: count + (typeof surge === 'number' ? surge : 1), spec: spec.template.spec, claims: [] };
    }
    case 'StatefulSet': {
      const spec = object.spec as Kinds['apps/v1/StatefulSet']['spec'];
      const claims = (spec.volumeClaimTemplates ?? []).flatMap(({ metadata, spec: claim }) =>
        claim === undefined ? [] : [{ name: metadata?.name ?? '', spec: claim }],
      );
      return { count: scaler?.maxReplicas ?? spec.replicas ?? 1, spec: spec.template.spec, claims };
    }
    case 'DaemonSet': {
      const spec = object.spec as Kinds['apps/v1/DaemonSet']['spec'];
      // Its pods are replaced in place, so that a node never has two.
      const count = Number(object.metadata.annotations?.[MOST_NODES_ANNOTATION] ?? 1);
      return { count, spec: spec.template.spec, claims: [] };
    }
    case 'Job': {
      const spec = object.spec as Kinds['batch/v1/Job']['spec'];
      return { count: spec.parallelism ?? 1, spec: spec.template.spec, claims: [] };
    }
    case 'CronJob': {
      const { spec } = (object.spec as Kinds['batch/v1/CronJob']['spec']).jobTemplate;
      return { count: spec.parallelism ?? 1, spec: spec.template.spec, claims: passingClaims(spec.template.spec) };
    }
    default:
      return operatedPods(object);
  }
}

/** Volumes that come and go with a pod. */
const passingClaims = ({ volumes = [] }: PodSpec): Pods['claims'] =>
  volumes.flatMap(({ name, ephemeral }) =>
    ephemeral?.volumeClaimTemplate === undefined ? [] : [{ name, spec: ephemeral.volumeClaimTemplate.spec }],
  );

/** What the scheduler counts for one pod: its containers together, or its largest init container if that is more. */
export function podTotals(spec: PodSpec): Totals {
  const together: Record<string, number> = {};
  for (const { resources } of spec.containers) {
    for (const [name, amount] of amounts(resources)) together[name] = (together[name] ?? 0) + amount;
  }
  for (const { resources } of spec.initContainers ?? []) {
    for (const [name, amount] of amounts(resources)) together[name] = Math.max(together[name] ?? 0, amount);
  }
  return together;
}

/** Devices have no limit of their own in a quota, since it equals the request. */
function amounts(resources: ResourceRequirements | undefined): readonly (readonly [string, number])[] {
  const side = (which: 'requests' | 'limits') =>
    Object.entries(resources?.[which] ?? {})
      .filter(([name]) => which === 'requests' || !name.includes('/'))
      .map(([name, value]) => [`${which}.${name}`, amountOf(name, value)] as const);
  return [...side('requests'), ...side('limits')];
}

function amountOf(resource: string, value: string | number | undefined): number {
  const text = String(value ?? '');
  if (resource === 'cpu') {
    const cpu = parseCpu(text);
    return cpu === undefined ? 0 : cpuMillis(cpu);
  }
  const size = parseSize(text);
  return size === undefined ? Number(text) || 0 : sizeBytes(size);
}

function hardLimit(name: string, sum: number): string {
  if (name.endsWith('.cpu')) return `${Math.ceil((sum * HEADROOM) / 100) * 100}m`;
  if (name.endsWith('.memory') || name.endsWith('.ephemeral-storage')) return mebibytes(sum * HEADROOM);
  if (name === 'requests.storage') return mebibytes(sum);
  return String(name === 'pods' ? Math.ceil(sum * HEADROOM) : sum);
}

const shown = (name: string, sum: number): string => {
  if (name.endsWith('.cpu')) return `${sum}m`;
  return /memory|storage/.test(name) ? mebibytes(sum) : String(sum);
};

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)}Mi`;

function quantity(amount: Cpu | Size | number): string {
  if (typeof amount === 'number') return String(amount);
  return 'toKibibytes' in amount ? sizeQuantity(amount) : `${cpuMillis(amount)}m`;
}
