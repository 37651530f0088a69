export { tearDown as default } from './engine-suite';
