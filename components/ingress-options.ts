import { Duration } from 'cdk8s';
import { wholeSeconds } from './lifecycle';
import type { Problems } from './validation';

/** What an ingress can be asked for that not every back end can do. */
export enum IngressFeature {
  HSTS = 'hsts',
  SECURITY_HEADERS = 'securityHeaders',
  GZIP = 'gzip',
  RATE_LIMIT = 'rateLimit',
  BODY_SIZE = 'maxBodySize',
}

/** What happens where a back end can't do what is asked. */
export enum LossPolicy {
  /** It is an error. */
  REFUSE = 'refuse',
  /** It stands in `losses` of the ingress, and the rest is done. */
  LIST = 'list',
}

/** Something that was asked and that one back end doesn't do. */
export interface IngressLoss {
  readonly feature: IngressFeature;
  /** Which back end, such as `nginx`. */
  readonly backend: string;
  /** Why, and what would do it. */
  readonly reason: string;
}

/** What browsers are told of HTTPS. */
export interface HstsOptions {
  /** How long a browser uses HTTPS alone. @default Duration.days(365) */
  readonly maxAge?: Duration;
  /** Also for every name below the host's. @default true */
  readonly includeSubdomains?: boolean;
  /** Asks to be built into browsers, which is hard to take back; needs a year and the names below. @default false */
  readonly preload?: boolean;
}

/** HTTP Strict Transport Security: a browser that was here once comes back over HTTPS alone. */
export class Hsts {
  /** A year, names below included: what ingress-nginx sends by itself. */
  public static standard(): Hsts {
    return new Hsts({});
  }

  public static of(options: HstsOptions): Hsts {
    return new Hsts(options);
  }

  /** No header. Browsers that had one before keep to it until its time is over. */
  public static off(): Hsts {
    return new Hsts(undefined);
  }

  private constructor(private readonly options: HstsOptions | undefined) {}

  /** Value of `Strict-Transport-Security`; nothing where it is off. */
  public get header(): string | undefined {
    if (this.options === undefined) return undefined;
    const { includeSubdomains = true, preload = false } = this.options;
    return [
      `max-age=${this.seconds}`,
      ...(includeSubdomains ? ['includeSubDomains'] : []),
      ...(preload ? ['preload'] : []),
    ].join('; ');
  }

  private get seconds(): number {
    return wholeSeconds(this.options?.maxAge ?? Duration.days(365));
  }

  /** @internal */
  public _check(problems: Problems): void {
    if (this.options === undefined) return;
    const { includeSubdomains = true, preload = false } = this.options;
    problems
      .integer('hsts.maxAge in seconds', this.seconds, { min: 0, max: 63_072_000 })
      .require(
        !preload || (includeSubdomains && this.seconds >= YEAR_SECONDS),
        'hsts.preload needs includeSubdomains and a maxAge of at least a year, as browsers demand it',
      );
  }
}

// What hstspreload.org asks for.
const YEAR_SECONDS = 31_536_000;

/** Headers that every answer gets, whatever the service says. */
export class SecurityHeaders {
  /** No guessing of types, no framing by others, no path in the referrer of other sites. */
  public static recommended(): SecurityHeaders {
    return new SecurityHeaders({
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'SAMEORIGIN',
      'Referrer-Policy': 'strict-origin-when-cross-origin',
    });
  }

  /** Header names and values; `Strict-Transport-Security` is `hsts`. */
  public static of(headers: Readonly<Record<string, string>>): SecurityHeaders {
    return new SecurityHeaders(headers);
  }

  private constructor(private readonly values: Readonly<Record<string, string>>) {}

  /** Names and values, in the order of their names. */
  public get headers(): readonly (readonly [name: string, value: string])[] {
    return Object.entries(this.values).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** @internal */
  public _check(problems: Problems): void {
    const names = this.headers.map(([name]) => name.toLowerCase());
    for (const [name, value] of this.headers) {
      problems
        .require(/^[A-Za-z][A-Za-z0-9-]*$/.test(name), `securityHeaders: '${name}' is not the name of a header`)
        .require(
          /^[\x20-\x7e]{1,4096}$/.test(value),
          `securityHeaders: ${name} must be one line of ASCII, at most 4096 characters`,
        );
    }
    problems
      .require(new Set(names).size === names.length, 'securityHeaders: a header is there twice')
      .require(
        !names.includes('strict-transport-security'),
        'securityHeaders: Strict-Transport-Security is the prop hsts',
      )
      .require(names.length <= 15, `securityHeaders: at most 15, got ${names.length}`);
  }
}

/** How much one client address may ask for. */
export interface RateLimitOptions {
  /** Whole number, from 1. */
  readonly requestsPerSecond: number;
  /** Requests that may come at once, as a multiple of `requestsPerSecond`. @default 5 */
  readonly burstMultiplier?: number;
  /** Connections at a time. @default - as many as it likes */
  readonly connections?: number;
}

/** A limit for each client address; what exceeds it is refused (by ingress-nginx with 503, unless its ConfigMap says 429). */
export class RateLimit {
  public static perClient(options: RateLimitOptions): RateLimit {
    return new RateLimit(options);
  }

  private constructor(private readonly options: RateLimitOptions) {}

  public get requestsPerSecond(): number {
    return this.options.requestsPerSecond;
  }

  public get burstMultiplier(): number {
    return this.options.burstMultiplier ?? 5;
  }

  public get connections(): number | undefined {
    return this.options.connections;
  }

  /** @internal */
  public _check(problems: Problems): void {
    problems
      .integer('rateLimit.requestsPerSecond', this.requestsPerSecond, { min: 1, max: 1_000_000 })
      .integer('rateLimit.burstMultiplier', this.burstMultiplier, { min: 1, max: 1000 })
      .integer('rateLimit.connections', this.connections, { min: 1, max: 1_000_000 });
  }
}
