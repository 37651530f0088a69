export * from './noa-server';
export * from './noodle-core';
export type { DatabaseValues, ServiceValues, StoreValues, SystemValues } from './values';
