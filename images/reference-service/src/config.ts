import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { ConfigError } from './errors';

/** Accepted spellings → the logger's own; Python services say WARNING and CRITICAL. */
const LEVELS = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
  FATAL: 'fatal',
} as const;
export type LogLevel = (typeof LEVELS)[keyof typeof LEVELS];

/** The next hop of a completion: another service of this contract, or a llama.cpp server at the end of the path. */
export interface CompletionHop {
  readonly kind: 'service' | 'llama.cpp';
  /** Base URL, without a slash at its end. */
  readonly url: string;
  /** What the llama.cpp server asks for; a service gets the caller's own token instead. */
  readonly apiKey: string | undefined;
}

/** What the service runs with; read once, from the environment. */
export interface ServiceConfig {
  /** @default "reference-service" */
  readonly serviceName: string;
  /** TCP port; 0 takes a free one. @default 8080 */
  readonly port: number;
  /** @default "info" */
  readonly logLevel: LogLevel;
  /** @default "development" */
  readonly environment: string;
  readonly databaseUrl: string | undefined;
  /** Authority of the database's certificate, PEM. @default - the system's */
  readonly databaseAuthority: string | undefined;
  readonly redisUrl: string | undefined;
  /** Signs the tokens of /api. @default - /api is open, which the log says at start */
  readonly secretKey: string | undefined;
  readonly dataDir: string | undefined;
  readonly configDir: string | undefined;
  /** Where a completion goes next. @default - /api/completion answers 501 */
  readonly completion: CompletionHop | undefined;
  /** Seconds that a completion may take, all hops together. @default 120 */
  readonly completionTimeoutSeconds: number;
  /** Connections to PostgreSQL; the platform allows a service 20. @default 10 */
  readonly databasePoolMax: number;
  /** Milliseconds that one check of a back end may take. @default 1500 */
  readonly checkTimeoutMs: number;
  readonly tracing: {
    /** Base URL of a collector for OTLP over HTTP. @default - spans go nowhere */
    readonly endpoint: string | undefined;
    /** Part of the traces that begin here which is sampled. @default 0 */
    readonly sampleRatio: number;
  };
  /** Seconds after SIGTERM in which new connections are still served, so that endpoints can be withdrawn. @default 5 */
  readonly shutdownDelaySeconds: number;
  /** Seconds after SIGTERM when the process has ended, requests or not. @default 20 */
  readonly shutdownGraceSeconds: number;
}

const text = (pattern: RegExp, allowed: string) => z.string().regex(pattern, allowed);
const whole = (min: number, max: number) => {
  const allowed = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,6}$/, allowed)
    .transform(Number)
    .refine((value) => value >= min && value <= max, allowed);
};
const RATIO = 'a number from 0 to 1';
const ratio = z
  .string()
  .regex(/^\d(\.\d{1,9})?$/, RATIO)
  .transform(Number)
  .refine((value) => value <= 1, RATIO);
const url = (...protocols: string[]) => {
  const allowed = `a URL that starts with ${protocols.map((one) => `${one}//`).join(' or ')} and names a host`;
  return z.string().refine((value) => {
    if (!URL.canParse(value)) return false;
    const parsed = new URL(value);
    return protocols.includes(parsed.protocol) && parsed.hostname !== '';
  }, allowed);
};
const folder = (mode: number, allowed: string) =>
  z.string().refine((path) => {
    try {
      accessSync(path, mode);
      return isAbsolute(path) && statSync(path).isDirectory();
    } catch {
      return false;
    }
  }, allowed);
const writable = folder(constants.W_OK, 'the absolute path of a folder that can be written');
const readable = folder(constants.R_OK, 'the absolute path of a folder that can be read');
const level = z
  .string()
  .transform((value) => value.toUpperCase())
  .refine((value): value is keyof typeof LEVELS => value in LEVELS, `one of ${Object.keys(LEVELS).join(', ')}`);

const NAME = 'lower case letters, digits and hyphens, 63 characters at most';
const schema = z.object({
  SERVICE_NAME: text(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, NAME).optional(),
  PORT: whole(0, 65535).optional(),
  NOODLE_PORT: whole(0, 65535).optional(),
  LOG_LEVEL: level.optional(),
  NOODLE_LOG_LEVEL: level.optional(),
  APP_ENV: text(/^[a-z0-9-]{1,63}$/, NAME).optional(),
  NOODLE_ENV: text(/^[a-z0-9-]{1,63}$/, NAME).optional(),
  DATABASE_URL: url('postgres:', 'postgresql:').optional(),
  DATABASE_CA_CERT: z
    .string()
    .refine((value) => value.trimStart().startsWith('-----BEGIN CERTIFICATE-----'), 'a certificate in PEM')
    .optional(),
  REDIS_URL: url('redis:', 'rediss:').optional(),
  SECRET_KEY: z.string().min(16, 'at least 16 characters').optional(),
  COMPLETION_URL: url('http:', 'https:').optional(),
  LLAMA_CPP_URL: url('http:', 'https:').optional(),
  LLAMA_CPP_API_KEY: z.string().min(1).optional(),
  LLM_TIMEOUT_SECONDS: whole(1, 3600).optional(),
  DATA_DIR: writable.optional(),
  NOODLE_DATA_DIR: writable.optional(),
  CONFIG_DIR: readable.optional(),
  NOODLE_CONFIG_DIR: readable.optional(),
  DATABASE_POOL_MAX: whole(1, 20).optional(),
  CHECK_TIMEOUT_MS: whole(50, 30_000).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:').optional(),
  TRACING_SAMPLE_RATIO: ratio.optional(),
  SHUTDOWN_DELAY_SECONDS: whole(0, 600).optional(),
  SHUTDOWN_GRACE_SECONDS: whole(1, 3600).optional(),
});
type Variable = keyof z.infer<typeof schema>;

const SECRET: ReadonlySet<string> = new Set(['DATABASE_URL', 'REDIS_URL', 'SECRET_KEY', 'LLAMA_CPP_API_KEY']);

/** What was found, for a message: a secret's value is told by its length alone. */
function found(name: string, value: string | undefined): string {
  if (value === undefined) return 'nothing';
  if (SECRET.has(name)) return `a value of ${value.length} characters (not shown)`;
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

/** The later of two names for one setting; both at once must agree. */
function either<T>(a: T | undefined, b: T | undefined, names: string, problems: string[]): T | undefined {
  if (a !== undefined && b !== undefined && a !== b) problems.push(`${names} differ: set one of them, or both alike`);
  return b ?? a;
}

/** A model server wins over a service: it is the end of the path. */
function completionHop(values: Partial<z.infer<typeof schema>>): CompletionHop | undefined {
  const base = (url: string): string => url.replace(/\/+$/, '');
  const { LLAMA_CPP_URL: server, LLAMA_CPP_API_KEY: apiKey, COMPLETION_URL: service } = values;
  if (server !== undefined) return { kind: 'llama.cpp', url: base(server), apiKey };
  return service === undefined ? undefined : { kind: 'service', url: base(service), apiKey: undefined };
}

/**
 * Reads the configuration; an empty variable counts as unset.
 * @throws ConfigError with every problem: the variable, what was found, what is allowed.
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): ServiceConfig {
  const given: Partial<Record<Variable, string>> = {};
  for (const name of Object.keys(schema.shape) as Variable[]) {
    const value = environment[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  const parsed = schema.safeParse(given);
  const problems = (parsed.error?.issues ?? []).map(({ path, message }) => {
    const name = String(path[0]) as Variable;
    return `${name}: found ${found(name, given[name])}; allowed is ${message}`;
  });
  const values: Partial<z.infer<typeof schema>> = parsed.data ?? {};
  const port = either(values.PORT, values.NOODLE_PORT, 'PORT and NOODLE_PORT', problems);
  const logLevel = either(values.LOG_LEVEL, values.NOODLE_LOG_LEVEL, 'LOG_LEVEL and NOODLE_LOG_LEVEL', problems);
  const environmentName = either(values.APP_ENV, values.NOODLE_ENV, 'APP_ENV and NOODLE_ENV', problems);
  const dataDir = either(values.DATA_DIR, values.NOODLE_DATA_DIR, 'DATA_DIR and NOODLE_DATA_DIR', problems);
  const configDir = either(values.CONFIG_DIR, values.NOODLE_CONFIG_DIR, 'CONFIG_DIR and NOODLE_CONFIG_DIR', problems);
  const delay = values.SHUTDOWN_DELAY_SECONDS ?? 5;
  const grace = values.SHUTDOWN_GRACE_SECONDS ?? 20;
  if (parsed.success && delay >= grace) {
    problems.push(`SHUTDOWN_DELAY_SECONDS: found ${delay}; allowed is less than SHUTDOWN_GRACE_SECONDS (${grace})`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    serviceName: values.SERVICE_NAME ?? 'reference-service',
    port: port ?? 8080,
    logLevel: LEVELS[logLevel ?? 'INFO'],
    environment: environmentName ?? 'development',
    databaseUrl: values.DATABASE_URL,
    databaseAuthority: values.DATABASE_CA_CERT,
    redisUrl: values.REDIS_URL,
    secretKey: values.SECRET_KEY,
    dataDir,
    configDir,
    completion: completionHop(values),
    completionTimeoutSeconds: values.LLM_TIMEOUT_SECONDS ?? 120,
    databasePoolMax: values.DATABASE_POOL_MAX ?? 10,
    tracing: { endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT, sampleRatio: values.TRACING_SAMPLE_RATIO ?? 0 },
    checkTimeoutMs: values.CHECK_TIMEOUT_MS ?? 1500,
    shutdownDelaySeconds: delay,
    shutdownGraceSeconds: grace,
  };
}
