import { discoveryOf } from './discovery';
import type { MountedFiles } from './mounts';
import { groupOf, userOf } from './mounts';
import type { ServiceNames } from './names';
import { bytesOf, cpusOf } from './quantity';
import { literal } from './secrets';
import type { SecretTexts } from './secrets';
import { configMapData } from './workloads';
import type { ComposeService, KubeContainer, KubeEnv, KubeObject, KubeProbe, Workload } from './model';

/** What containers are turned into services with. */
export interface Surroundings {
  readonly objects: readonly KubeObject[];
  readonly workloads: readonly Workload[];
  readonly texts: SecretTexts;
  readonly names: ServiceNames;
  readonly files: MountedFiles;
  /** How an image is built, where the definition builds it. */
  readonly build: (image: string) => { readonly build?: object; readonly develop?: object };
}

/** Rotation as the systems' description has it: 3 files of 10 MB. */
const LOGGING = { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } };

/** Every container of a workload as a service; those beside the first share its network, as in a pod. */
export function servicesOf(workload: Workload, around: Surroundings): Readonly<Record<string, ComposeService>> {
  const { pod, service } = workload;
  const discovery = discoveryOf(workload);
  const [main, ...beside] = pod.containers.filter((container) => container !== discovery);
  const initial = pod.initContainers ?? [];
  const nameOf = (container: KubeContainer): string => `${service}-${container.name}`;
  // Containers that prepare run one after the other, each before the next.
  const prepared = initial.map((container, index) => {
    const before = initial.slice(index - 1, index).map(nameOf);
    const own = { restart: 'no', network_mode: 'none', ...after(before, 'service_completed_successfully') };
    return [nameOf(container), { ...containerOf(workload, container, around), ...own }] as const;
  });
  if (main === undefined) return Object.fromEntries(prepared);
  const conditions = {
    ...after(initial.slice(-1).map(nameOf), 'service_completed_successfully').depends_on,
    ...backends(workload, around),
  };
  const whole = {
    ...containerOf(workload, main, around),
    ...healthcheck(main),
    hostname: `${workload.name}-0`,
    networks: {
      // What finds pods asks them, whatever system they are part of.
      ...(discovery === undefined ? {} : Object.fromEntries(around.workloads.map(({ system }) => [system, {}]))),
      [workload.system]: { aliases: around.names.aliasesOf(workload) },
    },
    restart: 'unless-stopped',
    stop_grace_period: `${pod.terminationGracePeriodSeconds ?? 30}s`,
    ...(Object.keys(conditions).length === 0 ? {} : { depends_on: conditions }),
  };
  const sidecars = beside.map((container) => {
    const own = {
      restart: 'unless-stopped',
      network_mode: `service:${service}`,
      ...after([service], 'service_started'),
    };
    return [nameOf(container), { ...containerOf(workload, container, around), ...own }] as const;
  });
  const all: readonly (readonly [string, ComposeService])[] = [...prepared, [service, whole], ...sidecars];
  return Object.fromEntries(all);
}

const after = (
  services: readonly string[],
  condition: string,
): { readonly depends_on?: Readonly<Record<string, object>> } => {
  const conditions = services.map((name): [string, object] => [name, { condition }]);
  return conditions.length === 0 ? {} : { depends_on: Object.fromEntries(conditions) };
};

function containerOf(workload: Workload, container: KubeContainer, around: Surroundings): ComposeService {
  const { command, args, env = [], resources } = container;
  const owner = userOf(workload, container);
  const { volumes, tmpfs } = around.files.of(workload, container);
  const cpus = resources?.limits?.cpu === undefined ? undefined : cpusOf(resources.limits.cpu);
  const memory = resources?.limits?.memory === undefined ? undefined : bytesOf(resources.limits.memory);
  return {
    image: container.image,
    ...around.build(container.image),
    ...(command === undefined ? {} : { entrypoint: command.map(literal) }),
    ...(args === undefined ? {} : { command: args.map((text) => literal(around.names.rewrite(text))) }),
    environment: Object.fromEntries(env.map((one) => [one.name, valueOf(one, workload, around)])),
    ...(owner === undefined ? {} : { user: owner.join(':') }),
    ...(owner?.[1] === groupOf(workload) ? {} : { group_add: [String(groupOf(workload))] }),
    // As the pods have it: nothing is written to the image, and nothing is gained by a setuid program.
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    ...(volumes.length === 0 ? {} : { volumes }),
    ...(tmpfs.length === 0 ? {} : { tmpfs }),
    deploy: {
      resources: { limits: { ...(cpus === undefined ? {} : { cpus }), ...(memory === undefined ? {} : { memory }) } },
    },
    logging: LOGGING,
  };
}

function valueOf({ name, value, valueFrom }: KubeEnv, workload: Workload, around: Surroundings): string {
  const { names, texts, files, objects } = around;
  if (valueFrom === undefined) return literal(names.rewrite(value ?? ''));
  const { secretKeyRef: secret, configMapKeyRef: map, fieldRef } = valueFrom;
  if (secret !== undefined) {
    const text = texts.keysOf(workload.namespace, secret.name)?.get(secret.key);
    if (text !== undefined) return names.rewrite(text);
  }
  if (map !== undefined) {
    const text = configMapData(objects, workload.namespace, map.name)?.[map.key];
    if (text !== undefined) return literal(names.rewrite(text));
  }
  if (fieldRef?.fieldPath === 'metadata.name') return `${workload.name}-0`;
  if (fieldRef?.fieldPath === 'metadata.namespace') return workload.namespace;
  files.problems.push(
    `${workload.service}: the variable ${name} takes its value from ${JSON.stringify(valueFrom)}, which Compose has not`,
  );
  return '';
}

/** Whether it is ready, else whether it has started, as a command. */
const commandProbe = ({ readinessProbe, startupProbe }: KubeContainer): KubeProbe | undefined =>
  [readinessProbe, startupProbe].find((probe) => probe?.exec !== undefined);

/** Commands alone: Compose can't ask over HTTP, and an image need not hold a client. */
function healthcheck(container: KubeContainer): object {
  const { startupProbe } = container;
  const probe = commandProbe(container);
  if (probe?.exec === undefined) return {};
  const { periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = probe;
  const start = (startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0);
  return {
    healthcheck: {
      test: ['CMD', ...probe.exec.command.map(literal)],
      // The engine of Debian 12 can't ask more often while a container starts.
      interval: `${Math.min(periodSeconds, 3)}s`,
      timeout: `${timeoutSeconds}s`,
      retries: failureThreshold,
      ...(start === 0 ? {} : { start_period: `${start}s` }),
    },
  };
}

/** Workloads whose addresses stand in this one's configuration: it starts after them, as in the cluster. */
function backends(workload: Workload, around: Surroundings): Readonly<Record<string, object>> {
  const [main] = workload.pod.containers;
  const said = [
    ...(main?.env ?? []).map((one) => valueOf(one, workload, around)),
    ...(workload.pod.volumes ?? []).flatMap(({ configMap }) =>
      Object.values(configMapData(around.objects, workload.namespace, configMap?.name ?? '') ?? {}),
    ),
  ].join('\n');
  const needed = around.workloads.filter(
    (other) =>
      other !== workload && around.names.aliasesOf(other).some((name) => name.endsWith('.svc') && said.includes(name)),
  );
  return Object.fromEntries(
    needed.map((other) => {
      const [first] = other.pod.containers;
      const healthy = first !== undefined && commandProbe(first) !== undefined;
      return [other.service, { condition: healthy ? 'service_healthy' : 'service_started' }];
    }),
  );
}
