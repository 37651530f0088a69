import type { CallOptions, Cluster } from '../cluster';
import type { Gvk, KubeObject } from '../objects';
import { list, text } from '../objects';
import type { PlainValue } from '../../shared/values';

/** What one look at a live object says. */
export type Verdict =
  | { readonly ready: true }
  | {
      readonly ready: false;
      /** A few words for the terminal: `2/3 replicas available`. */
      readonly status: string;
      /** Waiting longer is of no use, and why. */
      readonly fatal?: string;
    };

export const READY: Verdict = { ready: true };
export const waiting = (status: string): Verdict => ({ ready: false, status });
export const failed = (fatal: string): Verdict => ({ ready: false, status: fatal, fatal });

/** What readiness rules may ask about. */
export interface Surroundings extends CallOptions {
  readonly cluster: Cluster;
  readonly gvk: Gvk;
  /** Seconds since the object was applied. */
  readonly elapsed: number;
  /**
   * When the Deployment's controller last judged its progress, as of a time at which it had not seen the change: that verdict is about the
   * template before. @default - every verdict is about what was applied
   */
  readonly stale?: string | undefined;
}

export type Rule = (live: KubeObject, surroundings: Surroundings) => Verdict | Promise<Verdict>;

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** When a controller last changed its mind about a condition; ISO 8601. */
export const judgedAt = (live: KubeObject, type: string): string | undefined =>
  text(
    list(live, 'status', 'conditions').find((item) => text(item, 'type') === type),
    'lastUpdateTime',
  );

export function condition(live: KubeObject, type: string): Condition | undefined {
  const found: PlainValue | undefined = list(live, 'status', 'conditions').find((item) => text(item, 'type') === type);
  if (found === undefined) return undefined;
  return {
    type,
    status: text(found, 'status') ?? '',
    reason: text(found, 'reason') ?? '',
    message: text(found, 'message') ?? '',
  };
}
