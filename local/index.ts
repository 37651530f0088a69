/** What the CLI may use of `local/`: everything that makes a new machine enough. */
export {
  clusterDown,
  clusterInfo,
  clusterStatus,
  clusterSteps,
  clusterUp,
  customResourceDefinitions,
  startControlPlane,
} from './cluster';
export type {
  ClusterInfo,
  ClusterOptions,
  ClusterStatus,
  ClusterStep,
  ControlPlaneOptions,
  CustomResourceDefinition,
  DownOptions,
  Ports,
  ProgramStatus,
  RunningControlPlane,
} from './cluster';
export { composeCertificate, composeRunFolder, composeSecret, emptyRunFolder, fillRunFolder } from './compose';
export type { RunFile } from './compose';
export { dockerEnvironment, dockerLayout, ensureBaseImage, ensureDocker, stopDocker, usersEngine } from './docker';
export type { Docker } from './docker';
export { checks } from './doctor';
export type { Check, CheckResult } from './doctor';
export * from './engine';
export { LocalError } from './errors';
export { cache, cacheDir, cloneId, root, state, stateDir, typescript } from './paths';
export { ensurePlugins } from './plugins';
export { ClusterAccess } from './plugins/kubernetes/access';
export type { PatchRequest, RolloutRequest } from './plugins/kubernetes/access';
export { forceNewPaths, touches } from './plugins/kubernetes/force-new';
export { kubernetesClient, kubernetesClientFile, type KubernetesClient } from './kubernetes-client';
export { preload } from './plugins/language-nodejs/preload';
export { isAlive, ownProcesses, run, runOrThrow, stop } from './process';
export type { ProcessRecord, RunOptions, RunResult } from './process';
export { silent } from './report';
export type { Report } from './report';
export {
  prepareRehearsal,
  rehearsalDown,
  rehearsalOf,
  rehearsalsDown,
  rehearsalStatus,
  rehearsalSteps,
  REHEARSED,
  rehearse,
} from './simulate';
export type { Rehearsal, RehearsalEngine, Rehearsed } from './simulate';
export { ALERT_PACKAGES, installPackages, METRICS_PACKAGES, missingPackages, which } from './system';
export { ensureTool, ensureTools, TOOLS } from './toolchain';
export type { ToolName } from './toolchain';
