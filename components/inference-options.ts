import type { Problems } from './validation';

/** Key of the Secret. */
export const API_KEY_NAME = 'API_KEY';
/** Directory that the Secret is mounted on: a file, since environment is shown by `kubectl describe` and inherited by children. */
export const API_KEY_MOUNT = '/run/secrets/inference';

/** What both servers take. */
export interface ServerOptions {
  /** Requests that are answered at the same time, each with a context of its own. @default 4 */
  readonly slots?: number;
  /** Tokens of context for each slot. @default 4096 */
  readonly contextPerSlot?: number;
  /** Origins whose pages may call the server from a browser. @default - none but its own address */
  readonly corsOrigins?: readonly string[];
  /** Further arguments of the server; those that the component sets are refused. @default - none */
  readonly extraArgs?: readonly string[];
}

export const DEFAULT_SLOTS = 4;
export const DEFAULT_CONTEXT = 4096;
export const MEBIBYTE = 1024 ** 2;
export const GIBIBYTE = 1024 ** 3;

/** Adds what is wrong with the options that both servers take. */
export function checkServerOptions(problems: Problems, options: ServerOptions, own: ReadonlySet<string>): void {
  problems
    .integer('slots', options.slots, { min: 1, max: 1024 })
    .integer('contextPerSlot', options.contextPerSlot, { min: 128, max: 10_485_760 });
  for (const origin of options.corsOrigins ?? []) {
    problems.require(
      /^https?:\/\/[a-z0-9.-]+(:[0-9]{1,5})?$/.test(origin),
      `corsOrigins: '${origin}' is not an origin such as https://chat.example.com`,
    );
  }
  for (const argument of options.extraArgs ?? []) {
    const [flag = ''] = argument.split('=');
    problems.require(!own.has(flag), `extraArgs: ${flag} is set by the component, from its props`);
  }
}

/** Origins that are allowed: those that were named, or else only the server's own address. */
export function allowedOrigins(
  options: ServerOptions,
  server: { readonly host: string; readonly port: number },
): readonly string[] {
  const { corsOrigins = [] } = options;
  if (corsOrigins.length > 0) return corsOrigins;
  return [`http://${server.host}${server.port === 80 ? '' : `:${server.port}`}`];
}
