// eslint-disable-next-line @typescript-eslint/no-require-imports -- the module itself: any other import may be a copy
import log = require('@pulumi/pulumi/log');

/* eslint-disable no-restricted-syntax -- switches of the SDK's own diagnosis, not of the platform */

/**
 * The SDK keeps a stack trace with every promise that it makes, for a report of those that are never settled. Each is mapped to TypeScript at
 * once: a second of processor time for 300 objects (docs/performance.md). They are left out unless that report is asked for.
 */
const leaks = process.env.PULUMI_DEBUG_PROMISE_LEAKS !== undefined;
const prepare = Error.prepareStackTrace?.bind(Error);
if (!leaks && prepare !== undefined) {
  Error.prepareStackTrace = (error, sites) =>
    sites[0]?.getFunctionName() === 'debuggablePromise' ? '' : (prepare(error, sites) as unknown);
}

/**
 * The SDK sends the engine three or four messages about each object, with all its properties, which are shown under `--debug` alone: of ten
 * requests of a program seven, and half of what it sends (docs/performance.md). Nothing tells it whether they are wanted.
 */
if (process.env.TRELLIS_SDK_DEBUG === undefined) {
  (log as { debug: typeof log.debug }).debug = () => Promise.resolve();
}
