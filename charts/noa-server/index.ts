export { NoaServer } from './noa-server';
export type { LlamaValues, MemoryBoundValues, NoaServerValues } from './values';
export { VARIABLES as NOA_SERVER_VARIABLES } from './variables';
