import { InitializationError } from '../shared/provider';
import type { Context } from '../shared/provider';
import { Client } from './client';
import { Cluster } from './cluster';
import { KubernetesError } from './errors';
import { connectionOrNone } from './kubeconfig';
import type { Gvk, KubeObject } from './objects';
import { gvkOf, gvkOfType } from './objects';
import { Redactor } from './secrets';
import type { Settings } from './settings';

/** What one configured provider instance knows. */
export class Session {
  public readonly redactor = new Redactor();
  public readonly cluster: Cluster;
  /** Namespace for objects that name none. */
  public readonly namespace: string;
  /** URNs of StatefulSets that are made anew for another claim template: their pods go on, and the successor takes them over. */
  public readonly keepPods = new Set<string>();
  private readonly said = new Set<string>();

  public constructor(public readonly settings: Settings) {
    const target = connectionOrNone(settings);
    this.cluster = new Cluster(new Client(target));
    this.namespace = settings.namespace ?? target.namespace;
  }

  /** Group, version and kind of a resource: as its inputs say, else its type. */
  public gvk(context: Context, object: KubeObject): Gvk {
    return gvkOf(object, gvkOfType(context.type));
  }

  /** Whether the resource is one of the SDK's `…Patch` classes: it owns some fields of an object, not the object. */
  public isPatch(context: Context, gvk: Gvk): boolean {
    return gvkOfType(context.type).kind === `${gvk.kind}Patch`;
  }

  /** Says something once in the life of this process, without secrets. */
  public sayOnce(context: Context, severity: 'info' | 'warning', message: string): void {
    const text = this.redactor.text(message);
    if (this.said.has(text)) return;
    this.said.add(text);
    context.log(severity, text);
  }

  /** Passes on what the API server warns of. */
  public forward(context: Context, warnings: readonly string[]): void {
    for (const warning of warnings) {
      if (this.settings.suppressDeprecationWarnings && /deprecated/i.test(warning)) continue;
      this.sayOnce(context, 'warning', warning);
    }
  }

  /** A line that is shown while something is waited for, and then gone. */
  public status(context: Context): (line: string) => void {
    return (line) => context.log('info', this.redactor.text(line), { ephemeral: true });
  }

  /** The error as it may be shown. One that carries an object's state keeps its kind: its reasons are masked already. */
  public refusal(error: unknown): Error {
    if (error instanceof InitializationError) return error;
    if (!(error instanceof Error)) return new KubernetesError(this.redactor.text(String(error)));
    const text = this.redactor.text(error.message);
    return text === error.message ? error : new KubernetesError(text);
  }
}
