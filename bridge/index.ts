export { DefinitionError } from './errors';
export { renderForGitOps } from './gitops';
export { READS_ANNOTATION } from './reads';
export { ClusterRelease } from './release';
export type { ClusterReleaseArgs } from './release';
export { render } from './render';
export type { Manifest, RenderedObject } from './render';
export { ExternalSecretValue, SealedSecretValue } from './secret-source';
export type { SealedSecrets, SecretSource, SecretStore } from './secret-source';
