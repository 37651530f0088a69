import { isIP } from 'node:net';
import { Duration } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { ConfigFiles, HttpProbes, HttpWorkloadProps } from './http-props';
import { ServiceType } from './http-props';
import type { Labels } from './kube';
import { LateTokens } from './late';
import type { LifecycleProps } from './lifecycle';
import { Lifecycle, wholeSeconds } from './lifecycle';
import type { PodSelector } from './network';
import { labelProblems } from './stateful-workload';
import type { Problems } from './validation';

/** The label that selects a workload's pods; nothing else may be in a selector, which can never change. */
export const NAME_LABEL = 'app.kubernetes.io/name';
/** Suffix of a Service's name where none is given. */
const SERVICE_SUFFIX = '-service';
const CONFIG_SUFFIX = '-config';
/** Suffix of the Service that names single pods. */
export const HEADLESS_SUFFIX = '-headless';
const CONFIG_MAP_BYTES = 1024 * 1024;

/** What a component adds to the common props: its own defaults. */
export interface HttpDefaults {
  readonly resources: ContainerResources;
  readonly probes: Required<Pick<HttpProbes, 'liveness' | 'readiness'>>;
  /** Load time where the props state none. @default - none */
  readonly extraStartup?: Duration;
  /** @default - those of LifecycleProps */
  readonly lifecycle?: LifecycleProps;
  /** Directories that the component mounts something on. @default - none */
  readonly directories?: readonly string[];
  /** Suffix of a second set of pods, which shares account, policy and configuration. @default - none */
  readonly twinSuffix?: string;
}

/** Common props with every default in its place. */
export interface HttpSettings {
  readonly name: string;
  /** ServiceAccount that the pods run as. */
  readonly account: string;
  readonly image: string;
  readonly targetPort: number;
  readonly resources: ContainerResources;
  readonly lifecycle: Lifecycle;
  readonly probes: Required<HttpProbes>;
  readonly serviceType: ServiceType;
  readonly servicePort: number;
  readonly serviceName: string;
  readonly sourceRanges: readonly string[];
  readonly configFiles: ConfigFiles | undefined;
  readonly configName: string;
  readonly scratch: readonly string[];
  /** Directories that the component mounts something on. */
  readonly taken: readonly string[];
  readonly selector: Labels;
  /** What policies select by: also the pods of the second set. */
  readonly podSelector: PodSelector;
  /** Suffix of the second set of pods. */
  readonly twinSuffix: string | undefined;
  readonly labels: Labels;
  readonly user: number;
}

/** Applies the defaults. */
export function httpSettings(
  scope: Construct,
  id: string,
  props: HttpWorkloadProps,
  defaults: HttpDefaults,
): HttpSettings {
  const name = props.name ?? id;
  const liveness = props.probes?.liveness ?? defaults.probes.liveness;
  const readinessPeriod = props.probes?.readinessPeriod ?? Duration.seconds(5);
  const selector = { [NAME_LABEL]: name };
  return {
    name,
    account: name,
    image: LateTokens.of(scope).asString(scope, props.image),
    targetPort: props.port ?? 8080,
    resources: props.resources ?? defaults.resources,
    lifecycle: new Lifecycle(props.startupDeadline ?? Duration.minutes(2), {
      minReady: readinessPeriod,
      ...(defaults.extraStartup === undefined ? {} : { loadTime: defaults.extraStartup }),
      ...defaults.lifecycle,
      ...props.lifecycle,
    }),
    probes: {
      liveness,
      readiness: props.probes?.readiness ?? defaults.probes.readiness,
      startup: props.probes?.startup ?? liveness,
      livenessPeriod: props.probes?.livenessPeriod ?? Duration.seconds(10),
      readinessPeriod,
    },
    serviceType: props.serviceType ?? ServiceType.CLUSTER_IP,
    servicePort: props.servicePort ?? 80,
    serviceName: props.serviceName ?? `${name}${SERVICE_SUFFIX}`,
    sourceRanges: props.sourceRanges ?? [],
    configFiles: props.configFiles,
    configName: `${name}${CONFIG_SUFFIX}`,
    scratch: props.scratch ?? [],
    taken: defaults.directories ?? [],
    selector,
    podSelector: defaults.twinSuffix === undefined ? { matchLabels: selector } : eitherOf(name, defaults.twinSuffix),
    twinSuffix: defaults.twinSuffix,
    labels: { ...props.labels, ...selector },
    user: props.user ?? 10001,
  };
}

const eitherOf = (name: string, suffix: string): PodSelector => ({
  matchExpressions: [{ key: NAME_LABEL, operator: 'In', values: [name, `${name}${suffix}`] }],
});

/** Settings of the second set of pods, which differs in its names and in its image only. */
export function twinSettings(settings: HttpSettings, image: string): HttpSettings {
  const suffix = settings.twinSuffix ?? '';
  const name = `${settings.name}${suffix}`;
  const selector = { [NAME_LABEL]: name };
  return {
    ...settings,
    name,
    image,
    selector,
    labels: { ...settings.labels, ...selector },
    serviceName: twinService(settings),
    serviceType: ServiceType.CLUSTER_IP,
    sourceRanges: [],
  };
}

/** Name of the second set's Service. */
export function twinService({ name, serviceName, twinSuffix = '' }: HttpSettings): string {
  return serviceName === `${name}${SERVICE_SUFFIX}`
    ? `${name}${twinSuffix}${SERVICE_SUFFIX}`
    : `${serviceName}${twinSuffix}`;
}

/** Adds every problem of the common props. */
export function checkHttp(problems: Problems, settings: HttpSettings, props: HttpWorkloadProps): void {
  // A Service's name is an RFC 1035 label: it starts with a letter. The longest derived name must fit too.
  const twin = settings.twinSuffix?.length ?? 0;
  const longest = props.serviceName === undefined ? SERVICE_SUFFIX.length + twin : Math.max(CONFIG_SUFFIX.length, twin);
  problems
    .dnsLabel('name', settings.name, 63 - longest)
    .require(!/^\d/.test(settings.name), `name must start with a letter, got '${settings.name}'`)
    .dnsLabel('serviceName', props.serviceName, 63 - twin)
    .require(
      !/^\d/.test(settings.serviceName) || props.serviceName === undefined,
      `serviceName must start with a letter, got '${settings.serviceName}'`,
    )
    .image('image', settings.image)
    .port('port', settings.targetPort, 1024)
    .port('servicePort', settings.servicePort)
    .resources('resources', settings.resources)
    .environment('env', props.env)
    .integer('user', settings.user, { min: 10_001, max: 2 ** 31 - 1 });
  settings.lifecycle.check(problems);
  checkProbes(problems, settings);
  labelProblems(problems, props.labels ?? {}, settings.selector);
  checkFiles(problems, settings);
  checkSources(problems, settings);
}

function checkProbes(problems: Problems, { probes }: HttpSettings): void {
  for (const which of ['liveness', 'readiness', 'startup'] as const) {
    problems.require(
      /^\/[^\s?#]*$/.test(probes[which]),
      `probes.${which} must be a path that starts with '/', got '${probes[which]}'`,
    );
  }
  problems.require(
    probes.liveness !== probes.readiness,
    `probes.liveness and probes.readiness must differ, both are '${probes.liveness}': a busy pod would be restarted instead of spared`,
  );
  for (const which of ['livenessPeriod', 'readinessPeriod'] as const) {
    problems.integer(`probes.${which} in seconds`, wholeSeconds(probes[which]), { min: 1, max: 3600 });
  }
}

function checkFiles(problems: Problems, { configFiles, scratch, taken }: HttpSettings): void {
  const directories = [...taken, ...scratch, ...(configFiles === undefined ? [] : [configFiles.directory])];
  checkDirectories(problems, directories);
  if (configFiles === undefined) return;
  const files = Object.entries(configFiles.files);
  problems.require(files.length > 0, 'configFiles.files must name at least one file');
  for (const [file] of files) {
    problems.require(
      /^[-._a-zA-Z0-9]{1,253}$/.test(file) && !file.startsWith('..') && file !== '.',
      `configFiles.files: '${file}' is not a file name (letters, digits, '-', '_', '.')`,
    );
  }
  const bytes = files.reduce(
    (sum, [file, text]) => sum + file.length + (typeof text === 'string' ? Buffer.byteLength(text) : 0),
    0,
  );
  problems.require(
    bytes <= CONFIG_MAP_BYTES,
    `configFiles.files hold ${bytes} bytes, a ConfigMap at most ${CONFIG_MAP_BYTES}`,
  );
}

/** Absolute, plain, not the root, not `/tmp`, and each once. */
export function checkDirectories(problems: Problems, directories: readonly string[]): void {
  for (const [index, directory] of directories.entries()) {
    problems
      .require(
        /^(\/[-\w.]+)+$/.test(directory) && !/\/\.\.?(\/|$)/.test(directory),
        `'${directory}' is not an absolute directory such as /app/data`,
      )
      .require(directory !== '/tmp', "'/tmp' is writable already")
      .require(directories.indexOf(directory) === index, `directory '${directory}' is mounted twice`);
  }
}

function checkSources(problems: Problems, { serviceType, sourceRanges }: HttpSettings): void {
  problems.require(
    sourceRanges.length === 0 || serviceType === ServiceType.LOAD_BALANCER,
    'sourceRanges only has a meaning with serviceType LOAD_BALANCER',
  );
  for (const range of sourceRanges) {
    problems.require(isCidr(range), `sourceRanges: '${range}' is not a range of addresses such as 203.0.113.0/24`);
  }
}

/** Whether it is a range of addresses, of either version. */
export function isCidr(range: string): boolean {
  const [address = '', bits = '', ...rest] = range.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  return Number(bits) <= (version === 4 ? 32 : 128);
}
