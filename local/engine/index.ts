export { checkpointFile, readCheckpoint, restoreCheckpoint } from './checkpoint';
export type { Checkpoint } from './checkpoint';
export { engineEnv, ensurePassphrase, exportLines, linkProgram } from './environment';
export type { EngineOptions } from './environment';
export { formatErrors, labelOf, Progress } from './events';
export type { Diagnostic, EngineEvent } from './events';
export {
  contextOf,
  contextsIn,
  engineFiles,
  isLocalStack,
  ownBackend,
  ownKubeconfigs,
  ownPassphrase,
  stacks,
} from './owner';
export type { Environment } from './owner';
export { Planned, planUpdate } from './preview';
export type { Plan, PlannedAction, PlannedChange, PlannedField, PlanOptions } from './preview';
export { prepareEngine, resolveProgram } from './prepare';
export type { PreparedEngine } from './prepare';
export { classifyPulumiLock, pulumiLocks, readPulumiLock } from './pulumi-lock';
export type { LockState, PulumiLock } from './pulumi-lock';
export { clearPulumiLocks, endOrphans, orphans, recover, RUN_MARK, runMark } from './recovery';
export type { RecoverOptions } from './recovery';
export { LockedError, livingRun, runHolder, runLockFile, takeRunLock } from './run-lock';
export type { HeldLock, RunHolder, RunLockOptions } from './run-lock';
export { ensureStacks, hideSaltFromGit, removeSalts, withoutSalt, withSalt } from './stacks';
export type { StackOptions } from './stacks';
export { InterruptedError, runUpdate } from './update';
export type { UpdateOptions, UpdateResult } from './update';
