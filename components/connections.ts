import type { IConstruct } from 'constructs';
import type { EnvValue } from 'cdk8s-plus-28';
import { ValidationError } from './errors';
import type { EnvVar, NetworkPolicyPeer } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';

/** Environment of a container: literals, late values, or kplus' sources (Secret key, field, …). */
export type EnvMap = Readonly<Record<string, Late | EnvValue>>;

/** The side of a connection that opens it. */
export interface IClient extends IConstruct {
  /** How the backend's NetworkPolicy names these pods. */
  readonly peer: NetworkPolicyPeer;
}

/** What a service may connect to: a database, a cache, another service. */
export interface IBackend extends IConstruct {
  /** Name under which clients reach it. */
  readonly host: string;
  readonly port: number;
  /** How clients' NetworkPolicies name its pods, or the addresses of one outside the cluster. */
  readonly peer: NetworkPolicyPeer;
  /**
   * Port that its pods listen on, which is what a NetworkPolicy sees.
   * @default - the same as `port`
   */
  readonly targetPort?: number;
  /**
   * Environment that a client needs, from Secrets and never as a value.
   * @param prefix put before each name, so that two databases do not collide. @default - none
   */
  connectionEnv(prefix?: string): Readonly<Record<string, Late | EnvValue>>;
  /** Lets clients in; does nothing on a backend outside the cluster. */
  allowFrom(...clients: readonly IClient[]): void;
}

/** How one `connects` call names its environment. */
export interface ConnectOptions {
  /** Put before the names of the environment variables. @default - none */
  readonly prefix?: string;
}

/** A value that a container reads from one key of a Secret. */
export const secretKey = (secret: string, key: string): EnvValue =>
  // As kplus makes it, whose code is 3 MB and 13 MiB of memory for this one object.
  ({ valueFrom: { secretKeyRef: { name: secret, key } } }) satisfies EnvValue;

/** kplus' source of a value, from whichever copy of kplus; neither text nor something that comes later. */
const isSource = (value: Late | EnvValue): value is EnvValue =>
  typeof value === 'object' && !('apply' in value || 'then' in value) && ('valueFrom' in value || 'value' in value);

/** Environment variables of a container, sorted by name so that two synths are equal. */
export function envVars(scope: IConstruct, env: EnvMap): readonly EnvVar[] {
  const tokens = LateTokens.of(scope);
  return Object.entries(env)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      if (!isSource(value)) return { name, value: tokens.asString(scope, value) };
      return value.valueFrom === undefined
        ? { name, value: String(value.value) }
        : { name, valueFrom: value.valueFrom as NonNullable<EnvVar['valueFrom']> };
    });
}

/** Adds `more` to `env`, refusing a name that would be set twice. */
export function mergeEnv(scope: IConstruct, env: Record<string, Late | EnvValue>, more: EnvMap): void {
  const twice = Object.keys(more).filter((name) => name in env && env[name] !== more[name]);
  if (twice.length > 0) {
    throw new ValidationError(
      scope,
      twice.map((name) => `environment variable '${name}' would be set twice; give the connection a prefix`),
    );
  }
  Object.assign(env, more);
}
