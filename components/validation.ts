import type { IConstruct } from 'constructs';
import type { Size } from 'cdk8s';
import type { Cpu } from 'cdk8s-plus-28';
import { ValidationError } from './errors';
import { LateTokens } from './late';
import { cpuMillis, sizeBytes } from './units';
import {
  cronProblem,
  dnsLabelProblem,
  dnsSubdomainProblem,
  hostProblem,
  imageProblem,
  labelValueProblem,
  percentProblem,
} from './rules';

/** Bounds of a whole number, both inclusive. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** A request and its limit, as kplus has them. */
interface Compute {
  readonly cpu?: { readonly request?: Cpu; readonly limit?: Cpu };
  readonly memory?: { readonly request?: Size; readonly limit?: Size };
  readonly ephemeralStorage?: { readonly request?: Size; readonly limit?: Size };
}

/**
 * Collects every problem of one construct's props, then throws them together.
 * Rules skip tokens: what is known only at deploy time cannot be judged here.
 */
export class Problems {
  private readonly found: string[] = [];

  public constructor(private readonly scope: IConstruct | string) {}

  /** Adds `message` when `ok` is false. */
  public require(ok: boolean, message: string): this {
    if (!ok) this.found.push(message);
    return this;
  }

  /** An RFC 1123 label of at most `max` characters, 63 by default. */
  public dnsLabel(prop: string, value: string | undefined, max = 63): this {
    return this.text(prop, value, (text) => dnsLabelProblem(text, max));
  }

  /** An RFC 1123 subdomain of at most 253 characters. */
  public dnsSubdomain(prop: string, value: string | undefined): this {
    return this.text(prop, value, dnsSubdomainProblem);
  }

  /** A host name, with an optional leading `*.`. */
  public host(prop: string, value: string | undefined): this {
    return this.text(prop, value, hostProblem);
  }

  /** A label value of at most 63 characters. */
  public labelValue(prop: string, value: string | undefined): this {
    return this.text(prop, value, labelValueProblem);
  }

  /** A cron schedule of five fields, each within its range. */
  public cron(prop: string, value: string | undefined): this {
    return this.text(prop, value, cronProblem);
  }

  /** A percentage between 1 and `max`. */
  public percent(prop: string, value: number | undefined, max = 100): this {
    if (value === undefined) return this;
    const problem = percentProblem(value, max);
    return this.require(problem === undefined, `${prop} ${problem ?? ''}`);
  }

  /** A whole number within bounds. */
  public integer(prop: string, value: number | undefined, bounds: Bounds): this {
    if (value === undefined) return this;
    const ok = Number.isSafeInteger(value) && value >= bounds.min && value <= bounds.max;
    return this.require(ok, `${prop} must be a whole number from ${bounds.min} to ${bounds.max}, got ${String(value)}`);
  }

  /** A TCP port. Pods that drop every capability cannot bind below 1024, so container ports start there. */
  public port(prop: string, value: number | undefined, min = 1): this {
    return this.integer(prop, value, { min, max: 65535 });
  }

  /** A size above zero; cdk8s lets NaN through. */
  public size(prop: string, value: Size | undefined, min?: Size): this {
    if (value === undefined) return this;
    const bytes = sizeBytes(value);
    const least = min === undefined ? 1 : sizeBytes(min);
    return this.require(
      Number.isFinite(bytes) && bytes >= least,
      `${prop} must be a size of at least ${least} bytes, got ${String(bytes)}`,
    );
  }

  /** An image reference, with or without tag and digest. */
  public image(prop: string, value: string): this {
    return this.text(prop, value, imageProblem);
  }

  /** Every request at most its limit, all of them above zero, and memory always limited. */
  public resources(prop: string, value: Compute): this {
    const pair = (name: string, request: number | undefined, limit: number | undefined, unit: string): void => {
      for (const [which, amount] of [
        ['request', request],
        ['limit', limit],
      ] as const) {
        if (amount === undefined) continue;
        this.require(
          Number.isFinite(amount) && amount > 0,
          `${prop}.${name}.${which} must be above zero, got ${amount} ${unit}`,
        );
      }
      if (request !== undefined && limit !== undefined) {
        this.require(
          !(request > limit),
          `${prop}.${name}.request (${request} ${unit}) must not exceed its limit (${limit} ${unit})`,
        );
      }
    };
    pair('cpu', optional(value.cpu?.request, cpuMillis), optional(value.cpu?.limit, cpuMillis), 'm');
    pair('memory', optional(value.memory?.request, sizeBytes), optional(value.memory?.limit, sizeBytes), 'bytes');
    const disk = value.ephemeralStorage;
    pair('ephemeralStorage', optional(disk?.request, sizeBytes), optional(disk?.limit, sizeBytes), 'bytes');
    return this.require(
      value.memory?.limit !== undefined,
      `${prop}.memory.limit is required: a pod without it can take a node down`,
    );
  }

  /** Every key an environment variable's name. */
  public environment(prop: string, env: Readonly<Record<string, unknown>> | undefined): this {
    for (const name of Object.keys(env ?? {})) {
      this.require(
        /^[A-Za-z_][A-Za-z0-9_]*$/.test(name),
        `${prop}: '${name}' is not a name for an environment variable (letters, digits, _)`,
      );
    }
    return this;
  }

  /** Throws one ValidationError with all that was found, or nothing. */
  public raise(): void {
    if (this.found.length > 0) throw new ValidationError(this.scope, this.found);
  }

  private text(prop: string, value: string | undefined, problem: (text: string) => string | undefined): this {
    if (value === undefined || LateTokens.isToken(value)) return this;
    const found = problem(value);
    return this.require(found === undefined, `${prop} ${found ?? ''}, got '${value}'`);
  }
}

const optional = <T>(value: T | undefined, convert: (value: T) => number): number | undefined =>
  value === undefined ? undefined : convert(value);
