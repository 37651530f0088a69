import type { Rendered } from './diff/compare';
import type { TreeObject } from './gitops/waves';
import type { Sealing } from './seal/run';

interface Renderer {
  readonly renderEnvironment: (environment: string) => Promise<string>;
  readonly renderObjects: (environment: string) => Promise<readonly TreeObject[]>;
}

interface Sealer {
  readonly sealingOf: (environment: string) => Promise<Sealing>;
}

/** Environments that there are. */
export const ENVIRONMENTS: readonly string[] = ['dev', 'staging', 'prod'];

/** The program is read only now, since it brings cdk8s and the Pulumi SDK with it. */
const renderer = (): Renderer => module.require('../stacks/render') as Renderer;

/** A stack's manifests as YAML. */
export const renderStack = (stack: string): Promise<string> => renderer().renderEnvironment(stack);

/** A stack's objects, each with its construct path. */
export const renderStackObjects = (stack: string): Promise<readonly Rendered[]> => renderer().renderObjects(stack);

/** The same, each with its order and what is to become of it. */
export const renderStackTree = (stack: string): Promise<readonly TreeObject[]> => renderer().renderObjects(stack);

/** What has to be sealed for a stack. */
export const sealingOf = (stack: string): Promise<Sealing> =>
  (module.require('../stacks/sealing') as Sealer).sealingOf(stack);
