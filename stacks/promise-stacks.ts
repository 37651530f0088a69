/**
 * The SDK keeps a stack trace with every promise that it makes, for a report of those that are never settled. Each is mapped to TypeScript at
 * once: a second of processor time for 300 objects (docs/performance.md). They are left out unless that report is asked for.
 */
// eslint-disable-next-line no-restricted-syntax -- the SDK's own switch
const wanted = process.env.PULUMI_DEBUG_PROMISE_LEAKS !== undefined;
const prepare = Error.prepareStackTrace?.bind(Error);
if (!wanted && prepare !== undefined) {
  Error.prepareStackTrace = (error, sites) =>
    sites[0]?.getFunctionName() === 'debuggablePromise' ? '' : (prepare(error, sites) as unknown);
}
