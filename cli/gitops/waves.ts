type Json = Readonly<Record<string, unknown>>;

/** An object of the definition, with what the bridge knows of it. */
export interface TreeObject {
  /** Construct path, whose first part is the system. */
  readonly path: string;
  readonly manifest: Json;
  readonly dependsOn: readonly string[];
  readonly ignoreChanges: readonly string[];
  /** Whether it stays when it leaves the definition. */
  readonly kept: boolean;
}

/** Kinds that are ready some time after they were applied, and that others may have to wait for. */
const WORKLOADS: ReadonlySet<unknown> = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job']);
/** Nobody waits for them, and they may take long to be well: an autoscaler until there are metrics, an Ingress until it has an address. */
const LAST: ReadonlySet<unknown> = new Set(['HorizontalPodAutoscaler', 'Ingress']);

export const systemOf = ({ path }: TreeObject): string => path.split('/')[0] ?? path;

/** Whether an object has a readiness of its own: pods, and what an operator makes something of. */
export function isAwaited({ manifest }: TreeObject): boolean {
  const group = String(manifest.apiVersion).split('/').slice(0, -1).join('/');
  return WORKLOADS.has(manifest.kind) || (group.includes('.') && !group.endsWith('.k8s.io'));
}

/**
 * When each object is applied, by construct path and counted from 0 in each system: after all that it depends on is ready. What has no
 * readiness, such as a ConfigMap, goes with what needs it, since both tools apply such kinds first.
 * @param objects in an order in which each follows what it depends on
 */
export function wavesOf(objects: readonly TreeObject[]): ReadonlyMap<string, number> {
  const byPath = new Map(objects.map((object) => [object.path, object]));
  const waves = new Map<string, number>();
  const last = new Map<string, number>();
  for (const object of objects) {
    const after = object.dependsOn.flatMap((path) => {
      const other = byPath.get(path);
      if (other === undefined || systemOf(other) !== systemOf(object)) return [];
      return [(waves.get(path) ?? 0) + (isAwaited(other) ? 1 : 0)];
    });
    const wave = Math.max(0, ...after);
    waves.set(object.path, wave);
    last.set(systemOf(object), Math.max(wave, last.get(systemOf(object)) ?? 0));
  }
  const needed = claimUsers(objects, waves);
  for (const object of objects) {
    const end = last.get(systemOf(object)) ?? 0;
    if (LAST.has(object.manifest.kind)) waves.set(object.path, end);
    // A claim may be bound only once a pod uses it: alone in its wave it would never be well.
    if (object.manifest.kind === 'PersistentVolumeClaim') waves.set(object.path, needed.get(object.path) ?? end);
  }
  return waves;
}

/** The wave in which the first pods that use a claim start, by the claim's path. */
function claimUsers(objects: readonly TreeObject[], waves: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const users = new Map<string, number>();
  for (const object of objects) {
    if (!WORKLOADS.has(object.manifest.kind)) continue;
    const wave = waves.get(object.path) ?? 0;
    for (const path of object.dependsOn) users.set(path, Math.min(wave, users.get(path) ?? wave));
  }
  return users;
}

/** Systems in an order in which each follows those that it depends on, with the number of others that must be there before it. */
export function systemsOf(objects: readonly TreeObject[]): ReadonlyMap<string, readonly string[]> {
  const byPath = new Map(objects.map((object) => [object.path, systemOf(object)]));
  const systems = new Map<string, Set<string>>();
  for (const object of objects) {
    const system = systemOf(object);
    const others = systems.get(system) ?? new Set<string>();
    for (const path of object.dependsOn) {
      const other = byPath.get(path);
      if (other !== undefined && other !== system) others.add(other);
    }
    systems.set(system, others);
  }
  return new Map([...systems].map(([system, others]) => [system, [...others].sort()]));
}
