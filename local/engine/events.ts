interface Metadata {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
}

/** A step that a preview plans. The engine masks secrets in it. */
export interface StepMetadata extends Metadata {
  /** The provider that makes the resource; empty where none does. */
  readonly provider?: string;
  readonly old?: { readonly inputs?: unknown } | null;
  readonly new?: { readonly inputs?: unknown } | null;
  /** Top fields that differ. */
  readonly diffs?: readonly string[];
  /** Fields that differ, by path. */
  readonly detailedDiff?: Readonly<Record<string, { readonly diffKind: string }>>;
}

/** What is read of an event of the engine. */
export interface EngineEvent {
  readonly diagnosticEvent?: {
    readonly urn?: string;
    readonly message: string;
    readonly severity: string;
    readonly ephemeral?: boolean;
  };
  readonly summaryEvent?: { readonly resourceChanges?: Readonly<Record<string, number>> | null };
  readonly resourcePreEvent?: { readonly metadata: StepMetadata };
  readonly resOutputsEvent?: { readonly metadata: Metadata };
  readonly resOpFailedEvent?: { readonly metadata: Metadata };
  readonly errorEvent?: { readonly error: string };
}

/** A message of one resource, or of the program where `resource` is missing. */
export interface Diagnostic {
  readonly resource: string | undefined;
  readonly message: string;
}

/** `Deployment noodle-runtime` of a URN; the last part of the construct path is enough to know it again. */
export function labelOf(urn: string): string {
  const [, types = '', name = urn] = /^urn:pulumi:[^:]+::[^:]+::(.*)::(.*)$/.exec(urn) ?? [];
  const kind = types.split('$').pop()?.split(':').pop() ?? '';
  return `${kind} ${name}`.trim();
}

const plain = (text: string): string =>
  text
    .replace(/<\{%[^%]*%\}>/g, '')
    .replace(/\u001b\[[0-9;]*m/g, '')
    .trim();

const isStack = (urn: string): boolean => urn.includes('::pulumi:pulumi:Stack::');

/** Follows an update: what is done, what runs, what failed and why. */
export class Progress {
  readonly #done = new Set<string>();
  readonly #running = new Set<string>();
  readonly #errors: Diagnostic[] = [];
  #changes: Readonly<Record<string, number>> = {};

  /** @param expected number of resources of the last state, until more are seen */
  public constructor(private readonly expected = 0) {}

  public add(event: EngineEvent): void {
    const { resourcePreEvent: begun, resOutputsEvent: ended, resOpFailedEvent: failed, diagnosticEvent: said } = event;
    if (begun !== undefined) this.#running.add(begun.metadata.urn);
    for (const over of [ended, failed]) {
      if (over === undefined) continue;
      this.#running.delete(over.metadata.urn);
      this.#done.add(over.metadata.urn);
    }
    if (said?.severity === 'error' && plain(said.message) !== 'update failed')
      this.#errors.push({ resource: said.urn, message: plain(said.message) });
    if (event.errorEvent !== undefined)
      this.#errors.push({ resource: undefined, message: plain(event.errorEvent.error) });
    this.#changes = event.summaryEvent?.resourceChanges ?? this.#changes;
  }

  /** `17/42 resources, now: Deployment noodle-runtime, Secret redis`. */
  public line(): string {
    const total = Math.max(this.expected, this.#done.size + this.#running.size);
    const now = [...this.#running].filter((urn) => !isStack(urn)).map(labelOf);
    const more = now.length > 3 ? ` and ${now.length - 3} more` : '';
    return `${this.#done.size}/${total} resources${now.length === 0 ? '' : `, now: ${now.slice(0, 3).join(', ')}${more}`}`;
  }

  /** `12 created, 2 updated, 40 unchanged`; `no changes` where nothing was done. */
  public summary(): string {
    const words: Readonly<Record<string, string>> = {
      create: 'created',
      update: 'updated',
      delete: 'deleted',
      replace: 'replaced',
      import: 'imported',
      read: 'read',
      same: 'unchanged',
    };
    const parts = Object.entries(words)
      .map(([op, word]) => ({ op, text: `${this.#changes[op] ?? 0} ${word}`, count: this.#changes[op] ?? 0 }))
      .filter(({ count }) => count > 0);
    const changed = parts.filter(({ op }) => op !== 'same' && op !== 'read');
    return changed.length === 0 ? `no changes, ${this.#done.size} resources` : parts.map(({ text }) => text).join(', ');
  }

  /** Whether the update did nothing. */
  public get unchanged(): boolean {
    return Object.entries(this.#changes).every(([op, count]) => count === 0 || op === 'same' || op === 'read');
  }

  /** What the resources themselves reported, each once; a repeated text of the stack's own is left out. */
  public get errors(): readonly Diagnostic[] {
    const seen = new Set<string>();
    return this.#errors.filter(({ resource, message }) => {
      const key = `${resource ?? ''}\n${message}`;
      const fresh = message !== '' && !seen.has(key);
      seen.add(key);
      return fresh;
    });
  }
}

/** Diagnostics as a person reads them: the resource, then its own words. */
export function formatErrors(errors: readonly Diagnostic[]): string {
  return errors
    .map(({ resource, message }) => {
      const head = resource === undefined || resource === '' || isStack(resource) ? '' : `${labelOf(resource)}: `;
      return `${head}${message}`.split('\n').join('\n    ');
    })
    .map((text) => `  ${text}`)
    .join('\n');
}
