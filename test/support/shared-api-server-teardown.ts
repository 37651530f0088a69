export { tearDown as default } from './shared-api-server';
