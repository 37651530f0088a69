import type { V1PersistentVolumeClaim, V2HorizontalPodAutoscaler } from '@kubernetes/client-node';
import type { Site } from '../cluster/site';
import { CliError } from '../exit';
import { keyInFile } from './drift';
import { BY_HAND, fullName, type Workload } from './workloads';

/** What is to be written, and what that means. */
export interface ScalePlan {
  readonly writes: readonly { readonly path: string; readonly body: unknown }[];
  /** One line. */
  readonly what: string;
}

type Scaler = V2HorizontalPodAutoscaler;

export interface ScaleScene {
  readonly stack: string;
  readonly workload: Workload;
  /** The autoscaler that owns the count. @default - none */
  readonly scaler: Scaler | undefined;
  /** Claims of the StatefulSet that there are, by name. */
  readonly claims: readonly string[];
}

const claimPrefixes = ({ live, name }: Workload): readonly string[] =>
  (live.spec?.volumeClaimTemplates ?? []).map(({ metadata }) => `${metadata?.name ?? ''}-${name}-`);

/** Pods of a StatefulSet beyond its claims would get volumes that the definition knows nothing of, and no server would know them. */
function checkVolumes({ stack, workload, claims }: ScaleScene, count: number): void {
  const prefixes = claimPrefixes(workload);
  if (prefixes.length === 0) return;
  const has = (ordinal: number): boolean => prefixes.every((prefix) => claims.includes(`${prefix}${ordinal}`));
  let volumes = 0;
  while (has(volumes)) volumes++;
  if (count <= volumes) return;
  const where = workload.keys === undefined ? 'the definition' : keyInFile(workload.keys.replicas, stack);
  throw new CliError(
    `StatefulSet ${fullName(workload)} keeps data and has volumes for ${volumes}: more servers come from ${where}, which makes their volumes too.`,
  );
}

function byAutoscaler({ stack, workload }: ScaleScene, scaler: Scaler, count: number): ScalePlan {
  const { namespace, name } = workload;
  const [least, most] = [scaler.spec?.minReplicas ?? 1, scaler.spec?.maxReplicas ?? 1];
  const what = `The number of pods of ${fullName(workload)} belongs to its autoscaler`;
  // Through the scale subresource, as the autoscaler does: the number is nobody's edit then, and stays when the definition is applied.
  if (count === 0)
    return {
      writes: [{ path: `${workload.path}/scale`, body: { spec: { replicas: 0 } } }],
      what: `${what}, which rests while there is none; a number above 0 wakes it.`,
    };
  if (count > most) {
    const key = workload.keys?.ceiling;
    throw new CliError(
      `${what}, which goes up to ${most}; the namespace's quota and the database's connections are counted for that.` +
        (key === undefined ? '' : `\n  To mend it: ${keyInFile(key, stack)}, then ./trellis up -s ${stack}`),
    );
  }
  const scalerName = scaler.metadata?.name ?? name;
  const path = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/${scalerName}`;
  const resting = (workload.live.spec?.replicas ?? 1) === 0;
  return {
    writes: [
      { path, body: { spec: { minReplicas: count } } },
      // At once, and not with the autoscaler's next look; it takes away again what its own figures don't ask for.
      ...(resting || count > (workload.live.spec?.replicas ?? 1)
        ? [{ path: `${workload.path}/scale`, body: { spec: { replicas: count } } }]
        : []),
    ],
    what: `${what}: it keeps ${count} to ${most} now, before ${least} to ${most}.`,
  };
}

/**
 * How a workload gets so many pods.
 *
 * @throws CliError where that is not to be had by hand, with the key of the configuration
 */
export function scalePlan(scene: ScaleScene, count: number): ScalePlan {
  const { workload, scaler } = scene;
  if (scaler !== undefined) return byAutoscaler(scene, scaler, count);
  checkVolumes(scene, count);
  return {
    // Not through the scale subresource: the engine takes back what was edited in the object itself alone.
    writes: [{ path: workload.path, body: { spec: { replicas: count } } }],
    what: `${workload.kind} ${fullName(workload)} has ${count} pods now, before ${workload.live.spec?.replicas ?? 1}; the definition sets the number.`,
  };
}

/** Who owns the count of a workload, asked of its cluster. */
export async function sceneOf({ access, stack }: Site, workload: Workload): Promise<ScaleScene> {
  const { namespace, kind, name } = workload;
  const [scalers, claims] = await Promise.all([
    access.list<Scaler>(`/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`),
    access.list<V1PersistentVolumeClaim>(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`),
  ]);
  const scaler = scalers.find(({ spec }) => spec?.scaleTargetRef.kind === kind && spec.scaleTargetRef.name === name);
  return { stack, workload, scaler, claims: claims.map(({ metadata }) => metadata?.name ?? '') };
}

/** Writes a plan, the bounds before the number. */
export async function carryOut({ access }: Site, { writes }: ScalePlan): Promise<void> {
  for (const { path, body } of writes) await access.patch({ path, body, manager: BY_HAND });
}
