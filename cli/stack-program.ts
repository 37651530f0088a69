import type { OneMachine } from '../stacks/compose';
import type { Rendered } from './diff/compare';

interface Renderer {
  readonly renderEnvironment: (environment: string) => Promise<string>;
  readonly renderObjects: (environment: string) => Promise<readonly Rendered[]>;
}

/** Environments that there are. */
export const ENVIRONMENTS: readonly string[] = ['dev', 'staging', 'prod'];

/** The program is read only now, since it brings cdk8s and the Pulumi SDK with it. */
const renderer = (): Renderer => module.require('../stacks/render') as Renderer;

/** A stack's manifests as YAML. */
export const renderStack = (stack: string): Promise<string> => renderer().renderEnvironment(stack);

/** A stack's objects, each with its construct path. */
export const renderStackObjects = (stack: string): Promise<readonly Rendered[]> => renderer().renderObjects(stack);

/** A stack as one machine runs it. */
export const renderForOneMachine = (stack: string): Promise<OneMachine> =>
  (
    module.require('../stacks/compose') as { renderOnOneMachine: (environment: string) => Promise<OneMachine> }
  ).renderOnOneMachine(stack);
