export { NoodleCore } from './noodle-core';
export type { IdeValues, NoodleCoreValues, ProxyValues, RuntimeValues } from './values';
export { VARIABLES as NOODLE_CORE_VARIABLES } from './variables';
