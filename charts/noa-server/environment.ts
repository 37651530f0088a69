import type { EnvValue } from 'cdk8s-plus-28';
import type { AutoscaledService } from '../../components/autoscaled-service';
import { secretKey } from '../../components/connections';
import { ValidationError } from '../../components/errors';
import type { Late } from '../../components/late';
import { settingProblems, settingsOf } from '../variables';
import type { NoaServerValues } from './values';
import type { ServiceName } from './variables';
import { VARIABLES } from './variables';

/** Name of the Secret that the services share. */
export const SECRET = 'noa-server-secret';

/** Where each service with data looks for its tables, its own schema first. */
const SEARCH_PATHS: Partial<Record<ServiceName, string>> = {
  'claude-flow': 'core,memory,agents',
  'agentic-os': 'agents,core,memory',
};
// Between the signal to stop and the kill: the service must be through before the node is.
const END_OF_PROCESS_SECONDS = 2;

/** What one service gets beside its settings and connections. */
export interface ServiceEnvironment {
  readonly port: number;
  /** Seconds that a completion may take here. @default - none passes here */
  readonly completionSeconds?: number;
  /** Where its volume is. @default - it has none */
  readonly dataDirectory?: string;
  /** Public address. @default - nobody needs it */
  readonly publicUrl?: string;
}

/** @throws ValidationError with every setting that is none or does not fit */
export function checkVariables(scope: string, variables: Readonly<Record<string, string>>): void {
  const problems = Object.entries(settingProblems(VARIABLES, variables));
  if (problems.length === 0) return;
  throw new ValidationError(
    scope,
    problems.map(([name, problem]) => `variables.${name} ${problem}, got '${variables[name] ?? ''}'`),
  );
}

/** Settings, what follows from the definition, and keys of the shared Secret. */
export function environmentOf(
  service: ServiceName,
  values: NoaServerValues,
  own: ServiceEnvironment,
): Readonly<Record<string, Late | EnvValue>> {
  const path = SEARCH_PATHS[service];
  const settings = Object.entries(settingsOf(VARIABLES, service, values.variables));
  return {
    // The API server keeps no empty value, and would see a change at every apply.
    ...Object.fromEntries(settings.filter(([, text]) => text !== '')),
    SERVICE_NAME: service,
    APP_ENV: values.environment,
    PORT: String(own.port),
    // The pod waits before the signal, until every proxy has forgotten it.
    SHUTDOWN_DELAY_SECONDS: '0',
    SECRET_KEY: secretKey(SECRET, 'SECRET_KEY'),
    ...(own.dataDirectory === undefined ? {} : { DATA_DIR: own.dataDirectory }),
    ...(own.publicUrl === undefined ? {} : { PUBLIC_URL: own.publicUrl }),
    ...(own.completionSeconds === undefined ? {} : { LLM_TIMEOUT_SECONDS: String(own.completionSeconds) }),
    ...(path === undefined
      ? {}
      : {
          DATABASE_SEARCH_PATH: path,
          REDIS_KEY_PREFIX: `${service}:`,
          ENCRYPTION_KEY: secretKey(SECRET, 'ENCRYPTION_KEY'),
        }),
  };
}

/** Adds what only the finished service knows of its times. */
export function addShutdown(service: AutoscaledService): void {
  const { graceSeconds, preStopSeconds } = service.lifecycle;
  service.addEnv('SHUTDOWN_GRACE_SECONDS', String(graceSeconds - preStopSeconds - END_OF_PROCESS_SECONDS));
}
