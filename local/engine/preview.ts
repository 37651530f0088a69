import { LocalError } from '../errors';
import { followed } from './event-log';
import { formatErrors, labelOf, Progress, type EngineEvent, type StepMetadata } from './events';
import { InterruptedError } from './update';

export interface PlanOptions {
  readonly stack: string;
  readonly pulumi: string;
  /** As `engineEnv` made it; added to this process's own. */
  readonly env: Record<string, string>;
  /** Ask the cluster first what was changed by hand. @default false */
  readonly refresh?: boolean;
  /** The folder with Pulumi.yaml. @default - the clone's */
  readonly folder?: string;
  /** The stack's configuration. @default - `Pulumi.<stack>.yaml` in the clone */
  readonly configFile?: string;
}

/** What would happen to one resource. */
export type PlannedAction = 'create' | 'update' | 'replace' | 'delete';

/** One field of it. */
export interface PlannedField {
  /** As the engine names it, such as `spec.template.spec.containers[0].image`. */
  readonly field: string;
  /** Nothing where it is new. */
  readonly left?: unknown;
  /** Nothing where it goes. */
  readonly right?: unknown;
  /** Whether it is why the resource is replaced. */
  readonly forces: boolean;
}

export interface PlannedChange {
  readonly action: PlannedAction;
  /** `Deployment noodle-core/noodle-runtime/Deployment`. */
  readonly resource: string;
  /** Of an update or a replacement. */
  readonly fields: readonly PlannedField[];
}

/** What an update of a stack would do. */
export interface Plan {
  readonly changes: readonly PlannedChange[];
  readonly unchanged: number;
}

const SECRET = '(secret)';
const UNKNOWN = '(known when deployed)';
/** How the engine writes, in its events, what it masks and what it doesn't know yet. */
const [MASKED, UNKNOWN_VALUE] = ['[secret]', '04da6b54-80e4-46f7-96ec-b56ff0331ba9'];
/** The key, and the value of it, that tell a secret from an ordinary object. */
const [SIGNATURE, SECRET_SIGNATURE] = ['4dabf18193072939515e22adb298388d', '1b47061264138c4ac30d75fd1eb44270'];

const ACTIONS: Readonly<Record<string, PlannedAction>> = {
  create: 'create',
  import: 'create',
  update: 'update',
  replace: 'replace',
  'create-replacement': 'replace',
  'delete-replaced': 'replace',
  'import-replacement': 'replace',
  delete: 'delete',
};

/**
 * What an update would do, and nothing is done.
 *
 * @throws LocalError with the resources' own diagnostics where it can't be told
 */
export async function planUpdate(options: PlanOptions): Promise<Plan> {
  const { stack, pulumi, env, refresh, folder, configFile } = options;
  const args = [
    ...['preview', '--non-interactive', '--suppress-outputs', '-s', stack],
    ...(refresh === true ? ['--refresh'] : []),
    ...(configFile === undefined ? [] : ['--config-file', configFile]),
  ];
  const [progress, planned] = [new Progress(), new Planned()];
  const onEvents = (events: readonly EngineEvent[]): void => {
    for (const event of events) {
      progress.add(event);
      planned.add(event);
    }
  };
  const { code, said, interrupted } = await followed({
    ...{ pulumi, env, args, onEvents },
    ...(folder === undefined ? {} : { folder }),
  });
  if (code === 0) return planned.plan();
  if (interrupted) throw new InterruptedError(stack, `./trellis preview -s ${stack}`);
  // Before the first event there are no diagnostics: a wrong passphrase, a missing plugin, a lock.
  const errors = formatErrors(progress.errors) || said.trim().split('\n').slice(-20).join('\n');
  throw new LocalError(errors || `pulumi preview -s ${stack} ended with code ${code}.`);
}

/** Collects steps; those of one replacement are one change. */
export class Planned {
  readonly #steps = new Map<string, StepMetadata & { readonly action: PlannedAction }>();
  #unchanged = 0;

  public add({ resourcePreEvent: begun, summaryEvent }: EngineEvent): void {
    this.#unchanged = summaryEvent?.resourceChanges?.same ?? this.#unchanged;
    if (begun === undefined) return;
    const { metadata } = begun;
    const action = ACTIONS[metadata.op];
    // What no provider makes only groups others; providers themselves are no part of what is deployed.
    if (action === undefined || metadata.provider === '') return;
    const known = this.#steps.get(metadata.urn);
    // Of a replacement each step is told: one of them has the fields, and not each has both sides.
    const detailedDiff = metadata.detailedDiff ?? known?.detailedDiff;
    this.#steps.set(metadata.urn, {
      ...metadata,
      ...{ old: metadata.old ?? known?.old ?? null, new: metadata.new ?? known?.new ?? null },
      ...(detailedDiff === undefined ? {} : { detailedDiff }),
      action: known?.action === 'replace' ? 'replace' : action,
    });
  }

  public plan(): Plan {
    const changes = [...this.#steps.values()].map((step): PlannedChange => {
      const fields = step.action === 'update' || step.action === 'replace' ? fieldsOf(step) : [];
      return { action: step.action, resource: labelOf(step.urn), fields };
    });
    return { changes, unchanged: this.#unchanged };
  }
}

function fieldsOf({ type, old, new: now, detailedDiff, diffs = [] }: StepMetadata): readonly PlannedField[] {
  const names = Object.keys(detailedDiff ?? {});
  // A provider may name the top fields only.
  return (names.length > 0 ? names : diffs).map((field): PlannedField => {
    const kind = detailedDiff?.[field]?.diffKind ?? 'update';
    const value = (inputs: unknown) => shownValue(type, field, valueAt(inputs, field));
    return {
      field,
      ...(kind.startsWith('add') ? {} : { left: value(old?.inputs) }),
      ...(kind.startsWith('delete') ? {} : { right: value(now?.inputs) }),
      forces: kind.endsWith('replace'),
    };
  });
}

/** Nothing of a Secret's values is shown, whatever the engine masked. */
function shownValue(type: string, field: string, value: unknown): unknown {
  if (/:Secret$/.test(type) && /^(data|stringData)\b/.test(field)) return SECRET;
  return readable(value);
}

function readable(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(UNKNOWN_VALUE, UNKNOWN).replaceAll(MASKED, SECRET);
  if (Array.isArray(value)) return value.map(readable);
  if (value === null || typeof value !== 'object') return value;
  const map = value as Readonly<Record<string, unknown>>;
  if (map[SIGNATURE] === SECRET_SIGNATURE) return SECRET;
  return Object.fromEntries(Object.entries(map).map(([key, item]) => [key, readable(item)]));
}

/** The value at a path as the engine writes it: `a.b[0]["c.d"]`. */
function valueAt(inputs: unknown, field: string): unknown {
  let current: unknown = inputs;
  for (const [, quoted, index, key] of field.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)) {
    if (current === null || typeof current !== 'object') return current === MASKED ? current : undefined;
    const map = current as Readonly<Record<string, unknown>>;
    // What is below a secret is one too.
    if (map[SIGNATURE] === SECRET_SIGNATURE) return MASKED;
    current = map[quoted ?? index ?? key ?? ''];
  }
  return current;
}
