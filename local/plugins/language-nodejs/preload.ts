/**
 * The SDK prints a program's error with colours, and Node 20 then loops over a stack line such as `node_modules/@pulumi/resource.ts`
 * until its memory for strings ends: 30 s of one core for each error (measured). Without colours it takes a millisecond.
 */
const PLAIN_ERRORS =
  'const inspect = util.inspect; util.inspect = Object.assign((value, options, ...rest) => ' +
  'inspect(value, value instanceof Error && options?.colors ? { ...options, colors: false } : options, ...rest), inspect);';

/**
 * What the SDK loads with itself, seen from its `cmd/run`, and uses only to serialize a function: TypeScript and npm's Arborist, a third of a
 * second of processor time and 60 MiB of each program (docs/performance.md).
 */
const SELDOM = ['../../typescript-shim', '@npmcli/arborist'];

/** Has each of these modules loaded when it is first asked for something. It is sent as text, so it names nothing around it. */
function loadWhenAsked(require: NodeJS.Require, requests: readonly string[]): void {
  for (const request of requests) {
    let file: string;
    try {
      file = require.resolve(request);
    } catch {
      // Another version of the SDK, which may do without it.
      continue;
    }
    let loaded: Record<PropertyKey, unknown> | undefined;
    const load = (): Record<PropertyKey, unknown> => {
      if (loaded === undefined) {
        delete require.cache[file];
        loaded = require(file) as Record<PropertyKey, unknown>;
      }
      return loaded;
    };
    // `__esModule` keeps the SDK's helper of imports from copying every member, and so from asking.
    const exports = new Proxy({}, { get: (_, key) => (key === '__esModule' ? true : load()[key]) });
    const known = { id: file, filename: file, loaded: true, exports, children: [], paths: [] };
    require.cache[file] = known as unknown as NodeJS.Module;
  }
}

/** The argument for Node.js that prepares a program. @param run the SDK's `cmd/run`, which the program has installed */
export function preload(run: string): string {
  const script = [
    'import util from "node:util"; import { createRequire } from "node:module";',
    PLAIN_ERRORS,
    `(${loadWhenAsked.toString()})(createRequire(${JSON.stringify(run)}), ${JSON.stringify(SELDOM)});`,
  ];
  return `--import=data:text/javascript,${encodeURIComponent(script.join('\n'))}`;
}
