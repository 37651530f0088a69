export { withLock } from './lock';
export type { LockOptions } from './lock';
export { ALERT_PACKAGES, installPackages, METRICS_PACKAGES, missingPackages, PACKAGES } from './packages';
export type { InstallOptions, SystemPackage } from './packages';
export { executables, fullPath, pathDirectories, which } from './which';
