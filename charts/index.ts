export * from './noa-server';
export * from './noodle-core';
export type { CacheValues, DatabaseValues, ServiceValues, StoreValues, SystemValues } from './values';
