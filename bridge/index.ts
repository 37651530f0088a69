export { DefinitionError } from './errors';
export { ExternalSecretValue, renderForGitOps } from './gitops';
export type { SecretStore } from './gitops';
export { READS_ANNOTATION } from './reads';
export { ClusterRelease } from './release';
export type { ClusterReleaseArgs } from './release';
export { render } from './render';
export type { Manifest, RenderedObject } from './render';
