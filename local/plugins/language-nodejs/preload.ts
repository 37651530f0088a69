import { SPEED_UP_STRUCTS } from '../shared/structs';

/**
 * The SDK prints a program's error with colours, and Node 20 then loops over a stack line such as `node_modules/@pulumi/resource.ts`
 * until its memory for strings ends: 30 s of one core for each error (measured). Without colours it takes a millisecond.
 */
const PLAIN_ERRORS =
  'const inspect = util.inspect; util.inspect = Object.assign((value, options, ...rest) => ' +
  'inspect(value, value instanceof Error && options?.colors ? { ...options, colors: false } : options, ...rest), inspect);';

const TRACING = [
  'resources',
  'sdk-trace-base',
  'sdk-trace-node',
  'exporter-zipkin',
  'instrumentation',
  'instrumentation-grpc',
];

/**
 * What the SDK loads with itself, seen from its `cmd/run`, and seldom uses. TypeScript and npm's Arborist serialize a function: a third of a
 * second of processor time and 60 MiB of each program (docs/performance.md). The others read packages beside it, start the CLI from a program
 * and report to a tracing server: a tenth of a second.
 */
const SELDOM = [
  ...['../../typescript-shim', '@npmcli/arborist', 'normalize-package-data', 'js-yaml', 'execa'],
  ...TRACING.map((name) => `@opentelemetry/${name}`),
];

/**
 * Has each of these modules loaded when it is first asked for something. Another version of the SDK may do without one. `__esModule` keeps the
 * SDK's helper of imports from copying every member, and so from asking; one that is a function itself is then its `default`.
 */
const LOAD_WHEN_ASKED = `
for (const request of ${JSON.stringify(SELDOM)}) {
  let file;
  try {
    file = require.resolve(request);
  } catch {
    continue;
  }
  let loaded;
  const load = () => {
    if (loaded === undefined) {
      delete require.cache[file];
      loaded = require(file);
    }
    return loaded;
  };
  const member = (key) => (key === 'default' && !load().__esModule ? load() : load()[key]);
  const exports = new Proxy(function () {}, {
    get: (_, key) => (key === '__esModule' ? true : member(key)),
    apply: (_, self, values) => Reflect.apply(load(), self, values),
    construct: (_, values) => Reflect.construct(load(), values),
  });
  require.cache[file] = { id: file, filename: file, loaded: true, exports, children: [], paths: [] };
}`;

/** In the SDK's own copy of Google's package, where it has one. */
const FAST_STRUCTS = `{ ${SPEED_UP_STRUCTS}
let structs;
try {
  structs = require('google-protobuf/google/protobuf/struct_pb');
} catch {}
if (structs !== undefined) speedUpStructs(structs); }`;

/** The argument for Node.js that prepares a program. @param run the SDK's `cmd/run`, which the program has installed */
export function preload(run: string): string {
  const script = [
    'import util from "node:util"; import { createRequire } from "node:module";',
    `const require = createRequire(${JSON.stringify(run)});`,
    PLAIN_ERRORS,
    LOAD_WHEN_ASKED,
    FAST_STRUCTS,
  ];
  return `--import=data:text/javascript,${encodeURIComponent(script.join('\n'))}`;
}
