import { literal } from './secrets';
import type { SecretTexts } from './secrets';
import type { ServiceNames } from './names';
import { bytesOf } from './quantity';
import { isDiscovered, podFiles } from './discovery';
import type {
  KeyToPath,
  KubeContainer,
  KubeMount,
  KubeObject,
  KubeVolume,
  SecretFile,
  SharedFolder,
  Workload,
} from './model';
import { RUN_FOLDER } from './model';
import { configMapData } from './workloads';

/** What the volumes of a container become. */
export interface Mounts {
  readonly volumes: readonly string[];
  readonly tmpfs: readonly string[];
}

/** What all containers of all workloads add to: files and folders that Compose mounts. */
export class MountedFiles {
  public readonly configs = new Map<string, string>();
  public readonly secretFiles = new Map<string, SecretFile>();
  public readonly sharedFolders = new Map<string, SharedFolder>();
  public readonly volumes = new Set<string>();
  public readonly problems: string[] = [];

  public constructor(
    private readonly objects: readonly KubeObject[],
    private readonly texts: SecretTexts,
    private readonly names: ServiceNames,
    private readonly workloads: readonly Workload[],
  ) {}

  /** Turns the mounts of one container into Compose's. */
  public of(workload: Workload, container: KubeContainer): Mounts {
    const volumes: string[] = [];
    const tmpfs: string[] = [];
    for (const mount of container.volumeMounts ?? []) {
      const volume = this.volumeOf(workload, mount);
      if (volume.emptyDir !== undefined && !isShared(workload, mount.name)) {
        tmpfs.push(scratch(mount, volume.emptyDir.sizeLimit, userOf(workload, container)));
        continue;
      }
      const source = this.source(workload, volume, mount);
      if (source === undefined)
        this.problems.push(`${workload.service}: volume '${mount.name}' is of a kind that Compose has not`);
      else volumes.push(`${source}:${mount.mountPath}${mount.readOnly === true ? ':ro' : ''}`);
    }
    return { volumes, tmpfs };
  }

  private volumeOf(workload: Workload, { name }: KubeMount): KubeVolume {
    if (workload.claims.includes(name)) return { name, persistentVolumeClaim: { claimName: name } };
    return workload.pod.volumes?.find((one) => one.name === name) ?? { name };
  }

  private source(workload: Workload, volume: KubeVolume, { subPath }: KubeMount): string | undefined {
    const below = subPath === undefined ? '' : `/${subPath}`;
    if (isDiscovered(workload, volume)) return `./${this.pods(workload)}`;
    if (volume.configMap !== undefined) {
      return `./${this.config(workload, volume.configMap.name, volume.configMap.items)}${below}`;
    }
    if (volume.secret !== undefined) return `${inRun(this.secret(workload, volume))}${below}`;
    if (volume.emptyDir !== undefined) {
      const folder = `${workload.service}/${volume.name}`;
      this.sharedFolders.set(folder, { path: folder, group: groupOf(workload) });
      return inRun(folder);
    }
    if (volume.persistentVolumeClaim === undefined) return undefined;
    const name = `${workload.service}-${volume.name}`;
    this.volumes.add(name);
    return name;
  }

  private config({ system, namespace, service }: Workload, name: string, items?: readonly KeyToPath[]): string {
    const data = configMapData(this.objects, namespace, name) ?? {};
    const folder = `config/${system}/${name}`;
    for (const { key, path } of items ?? Object.keys(data).map((one) => ({ key: one, path: one }))) {
      const text = data[key];
      if (text === undefined) this.problems.push(`${service}: there is no key '${key}' in the ConfigMap ${name}`);
      else this.configs.set(`${folder}/${path}`, this.names.rewrite(text));
    }
    return folder;
  }

  private pods(workload: Workload): string {
    const folder = `config/${workload.system}/${workload.name}-pods`;
    for (const [name, text] of podFiles(workload, this.workloads)) this.configs.set(`${folder}/${name}`, text);
    return folder;
  }

  private secret(workload: Workload, volume: KubeVolume): string {
    const name = volume.secret?.secretName ?? '';
    const keys = this.texts.keysOf(workload.namespace, name);
    const folder = `${workload.service}/${volume.name}`;
    const all = [...(keys?.keys() ?? [])].map((key) => ({ key, path: key }));
    if (keys === undefined && volume.secret?.optional !== true) {
      this.problems.push(
        `${workload.service}: the Secret ${name} is not part of the definition, and Compose has no other`,
      );
    }
    this.sharedFolders.set(folder, { path: folder, group: groupOf(workload) });
    for (const { key, path } of volume.secret?.items ?? all) {
      const template = this.names.rewrite(keys?.get(key) ?? '');
      this.secretFiles.set(`${folder}/${path}`, { path: `${folder}/${path}`, template, group: groupOf(workload) });
    }
    return folder;
  }
}

/** A path below the folder of secrets, which lies in memory. */
export const inRun = (below: string): string => `\${${RUN_FOLDER}:?start it with ./trellis compose}/${literal(below)}`;

/** The group that Kubernetes gives a pod's volumes to. */
export const groupOf = ({ pod }: Workload): number =>
  pod.securityContext?.fsGroup ?? pod.securityContext?.runAsGroup ?? 0;

const isShared = ({ pod }: Workload, name: string): boolean =>
  [...pod.containers, ...(pod.initContainers ?? [])].filter(({ volumeMounts = [] }) =>
    volumeMounts.some((mount) => mount.name === name && mount.mountPath !== '/tmp'),
  ).length > 1;

/** Numeric user and group of a container's process; nothing where the image says it. */
export const userOf = (
  { pod }: Workload,
  container: KubeContainer,
): readonly [user: number, group: number] | undefined => {
  const user = container.securityContext?.runAsUser ?? pod.securityContext?.runAsUser;
  if (user === undefined) return undefined;
  return [user, container.securityContext?.runAsGroup ?? pod.securityContext?.runAsGroup ?? user];
};

/** The engine gives it the mode of the image's own folder, so it has to be the user's. */
const scratch = (
  { mountPath }: KubeMount,
  sizeLimit: string | undefined,
  owner: readonly [user: number, group: number] | undefined,
): string => {
  const bytes = sizeLimit === undefined ? undefined : bytesOf(sizeLimit);
  const options = [
    'mode=1777',
    ...(owner === undefined ? [] : [`uid=${owner[0]}`, `gid=${owner[1]}`]),
    ...(bytes === undefined ? [] : [`size=${bytes.slice(0, -1)}`]),
  ];
  return `${mountPath}:${options.join(',')}`;
};
