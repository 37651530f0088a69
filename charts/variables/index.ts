export { variablesPage } from './page';
export type { SystemVariables } from './page';
export { VariableType } from './type';
export {
  connected,
  connectedSecret,
  derived,
  maybeConnected,
  secret,
  setting,
  settingProblems,
  settingsOf,
} from './variable';
export type { Category, Origin, Variable } from './variable';
