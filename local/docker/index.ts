export { BASE_IMAGE, ensureBaseImage } from './base-image';
export { dockerEnvironment, ensureDocker, stopDocker, usersEngine } from './engine';
export type { Docker, DockerOptions } from './engine';
export { dockerLayout } from './layout';
export type { DockerLayout } from './layout';
