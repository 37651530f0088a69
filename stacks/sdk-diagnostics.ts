// oxlint-disable-next-line typescript/no-require-imports -- the module itself: any other import may be a copy
import log = require('@pulumi/pulumi/log');
// oxlint-disable-next-line typescript/no-require-imports -- its types say nothing of what it has
import untyped = require('@pulumi/pulumi/runtime/debuggable');

const debuggable = untyped as { debuggablePromise: <T>(promise: Promise<T>, context: unknown) => Promise<T> };

/* oxlint-disable trellis/environment-at-the-edges -- switches of the SDK's own diagnosis, not of the platform */

/**
 * The SDK keeps a stack trace with every promise that it makes, for a report of those that are never settled, and each is mapped to TypeScript at
 * once: a second of processor time for 300 objects (docs/performance.md). None is taken unless that report is asked for.
 */
if (process.env.PULUMI_DEBUG_PROMISE_LEAKS === undefined) {
  const { debuggablePromise } = debuggable;
  debuggable.debuggablePromise = (promise, context) => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      return debuggablePromise(promise, context);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };
}

/**
 * The SDK sends the engine three or four messages about each object, with all its properties, which are shown under `--debug` alone: of ten
 * requests of a program seven, and half of what it sends (docs/performance.md). Nothing tells it whether they are wanted.
 */
if (process.env.TRELLIS_SDK_DEBUG === undefined) {
  (log as { debug: typeof log.debug }).debug = () => Promise.resolve();
}
