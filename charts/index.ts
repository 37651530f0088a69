export * from './noa-server';
export * from './noodle-core';
export type { CacheValues, DatabaseValues, IngressValues, ServiceValues, StoreValues, SystemValues } from './values';
