export { checks, DEFAULT_PORTS } from './checks';
export type { Check, CheckOptions, CheckResult, PortUse } from './checks';
export { thisMachine } from './machine';
export type { Machine, PackageRegistry, PortHolder } from './machine';
