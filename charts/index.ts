export * from './noodle-core';
