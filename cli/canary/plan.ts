import { CliError, EXIT } from '../exit';

/** What a canary run is about, from the stack's configuration. */
export interface CanaryPlan {
  /** Key of the system: `noodleCore`. */
  readonly system: string;
  /** Key of the service below it: `runtime`. */
  readonly service: string;
  /** Key of the weight: `noodleCore.runtime.canary.weight`. */
  readonly weightKey: string;
  /** Where the second version comes from, as the configuration says. */
  readonly source: string;
  /** Weight that the configuration says. */
  readonly weight: number;
  readonly namespace: string;
}

type Fields = Readonly<Record<string, unknown>>;
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

/** Names of services that have a key `canary`, such as `noodleCore.runtime`. */
const candidates = (config: Fields): readonly string[] =>
  Object.entries(config).flatMap(([top, system]) =>
    Object.entries(fields(system)).flatMap(([service, own]) =>
      'canary' in fields(own) ? [`${top.replace(/^trellis:/, '')}.${service}`] : [],
    ),
  );

/**
 * Finds a service's canary in the configuration of a stack.
 *
 * @param name `SYSTEM.SERVICE`, by the keys of the configuration
 * @param config the file's `config`, as it is used: with what `--set` gives
 * @throws CliError for a service without one, or whose second version is the one that it has
 */
export function canaryPlan(name: string, stack: string, config: Fields): CanaryPlan {
  const [system = '', service = ''] = name.split('.');
  const settings = fields(config[`trellis:${system}`]);
  const own = fields(settings[service]);
  const { source, weight } = fields(own.canary);
  const known = candidates(config);
  if (!known.includes(name) || typeof source !== 'string' || typeof weight !== 'number')
    throw new CliError(`There is no service '${name}' with a canary. There are: ${known.join(', ')}.`, EXIT.usage);
  const key = `${name}.canary.source`;
  if (source === own.source)
    throw new CliError(
      `${name} has no second version to try: ${key} in Pulumi.${stack}.yaml is the source of the service itself, ${source}.\n` +
        `  To mend it: pulumi config set --path trellis:${key} image:REFERENCE -s ${stack}, or --set ${key}=image:REFERENCE`,
      EXIT.usage,
    );
  const { namespace } = settings;
  if (typeof namespace !== 'string') throw new CliError(`trellis:${system} has no namespace.`, EXIT.usage);
  return { system, service, weightKey: `${name}.canary.weight`, source, weight, namespace };
}

/** Weights in percent, each above the one before. @throws CliError for anything else */
export function canarySteps(text: string): readonly number[] {
  const steps = text.split(',').map((part) => (/^\d{1,3}$/.test(part.trim()) ? Number(part) : NaN));
  const rising = steps.every((step, index) => step > (steps[index - 1] ?? 0) && step <= 100);
  if (rising && steps.length > 0) return steps;
  throw new CliError(
    `--steps takes whole percents from 1 to 100, each above the one before; got '${text}'.`,
    EXIT.usage,
  );
}

/** A share of good requests that an alert can be made of. @throws CliError for anything else */
export function objectiveShare(text: string): number {
  const share = Number(text);
  // With a larger budget even nothing but errors would not burn it fast enough for a page: see components/burn-rate.ts.
  if (/^0\.\d+$/.test(text) && share >= 0.931) return share;
  throw new CliError(`--objective takes the share of good requests, from 0.931 to below 1; got '${text}'.`, EXIT.usage);
}
