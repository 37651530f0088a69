export { NoodleCore } from './noodle-core';
export type { NoodleCoreValues, RuntimeValues, StoreValues } from './values';
