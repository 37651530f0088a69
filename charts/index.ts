export * from './noa-server';
export * from './noodle-core';
export * from './observability';
export type {
  CacheValues,
  DatabaseValues,
  FrontValues,
  IngressValues,
  ServiceValues,
  StorageValues,
  StoreValues,
  SystemValues,
} from './values';
