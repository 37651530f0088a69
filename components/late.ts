import type { IConstruct } from 'constructs';
import { ValidationError } from './errors';

/** A value that a deployment engine fills in later; a Pulumi `Output<string>` is one. The library knows no engine. */
export interface Deferred {
  apply(transform: (value: string) => unknown): unknown;
}

/**
 * A leaf known only at deploy time.
 * Legal for image references, hosts, secrets and storage classes; never for names, counts, ports or sizes, which are validated at synth.
 */
export type Late = string | PromiseLike<string> | Deferred;

/** The same, kept encrypted: it may be used in a Secret only, and a literal is marked as a secret too. */
export type LateSecret = Late;

/** What stands behind one token. */
export interface LateValue {
  readonly value: Late;
  readonly secret: boolean;
  /** Path of the construct that brought the value in, for error messages. */
  readonly origin: string;
}

// A letter first and letters last: legal in DNS labels, image references and quantities-free strings; fixed width keeps `1` out of `11`.
const TOKEN = /xlate[0-9]{6}x/g;
const REGISTRY = Symbol.for('trellis.LateTokens');

/**
 * Turns late values into opaque strings at a component's edge, so that template literals, Ingress hosts and JSON patches keep them.
 * A raw Output in one of these places silently becomes an error text. One registry belongs to one App, never to the process.
 */
export class LateTokens {
  /** The registry of the App (or whatever root) that `scope` belongs to. */
  public static of(scope: IConstruct): LateTokens {
    const holder = scope.node.root as IConstruct & { [REGISTRY]?: LateTokens };
    const known = holder[REGISTRY];
    if (known !== undefined) return known;
    const registry = new LateTokens();
    Object.defineProperty(holder, REGISTRY, { value: registry });
    holder.node.addValidation({ validate: () => registry.unfilled() });
    return registry;
  }

  /** Whether `text` contains a token anywhere: every validator asks this first. */
  public static isToken(text: string): boolean {
    return text.search(TOKEN) >= 0;
  }

  /** Splits `text` into literal parts and tokens, in order; empty parts are left out. */
  public static split(text: string): readonly { readonly text: string; readonly token: boolean }[] {
    const parts: { text: string; token: boolean }[] = [];
    let end = 0;
    for (const match of text.matchAll(TOKEN)) {
      if (match.index > end) parts.push({ text: text.slice(end, match.index), token: false });
      parts.push({ text: match[0], token: true });
      end = match.index + match[0].length;
    }
    if (end < text.length) parts.push({ text: text.slice(end), token: false });
    return parts;
  }

  /** Whether somebody turns the tokens back; cdk8s' own synthesis does not, and would write them out as they are. */
  private filled = false;
  private readonly values = new Map<string, LateValue>();
  private readonly tokens = new Map<unknown, string>();

  private constructor() {}

  /** A literal is returned as it is; the same late value always has the same token, so two synths are equal. */
  public asString(scope: IConstruct, value: Late): string {
    if (typeof value === 'string') return value;
    return this.register(scope, value, false);
  }

  /**
   * Like `asString`, but a literal gets a token too, and what stands behind it is encrypted in state and previews.
   * A text with tokens in it is returned as it is; what stands behind them is encrypted from now on.
   */
  public asSecret(scope: IConstruct, value: LateSecret): string {
    if (typeof value === 'string' && LateTokens.isToken(value)) {
      for (const { text } of LateTokens.split(value)) {
        const known = this.values.get(text);
        if (known !== undefined) this.values.set(text, { ...known, secret: true });
      }
      return value;
    }
    return this.register(scope, value, true);
  }

  /** What stands behind one whole token. */
  public lookup(token: string): LateValue | undefined {
    return this.values.get(token);
  }

  /** Says that the caller turns tokens back into what they stand for, as the bridge does. */
  public fill(): this {
    this.filled = true;
    return this;
  }

  private unfilled(): string[] {
    if (this.filled || this.values.size === 0) return [];
    const origins = [...new Set([...this.values.values()].map(({ origin }) => origin))].join(', ');
    return [
      `late values or secrets of ${origins} are filled in by ClusterRelease or renderForGitOps of the bridge, not by App.synth()`,
    ];
  }

  private register(scope: IConstruct, value: Late, secret: boolean): string {
    const usable =
      typeof value === 'string' ||
      (value !== null &&
        typeof value === 'object' &&
        (typeof (value as Deferred).apply === 'function' || typeof (value as PromiseLike<string>).then === 'function'));
    // An Output is a callable proxy in some SDK versions, so `typeof` may say function.
    if (!usable && typeof value !== 'function') {
      throw new ValidationError(scope, [
        `a late value must be a string, a Promise or an Output, got ${describe(value)}`,
      ]);
    }
    const known = this.tokens.get(value);
    if (known !== undefined) {
      if (secret) this.values.set(known, { ...(this.values.get(known) as LateValue), secret: true });
      return known;
    }
    const token = `xlate${String(this.values.size).padStart(6, '0')}x`;
    this.tokens.set(value, token);
    this.values.set(token, { value, secret, origin: scope.node.path });
    return token;
  }
}

const describe = (value: unknown): string => (value === null ? 'null' : `a value of type ${typeof value}`);
