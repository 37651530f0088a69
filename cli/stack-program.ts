import type * as Rotation from '../stacks/rotation';
import type { Settings } from '../stacks/schema';
import type { Rendered } from './diff/compare';

interface Renderer {
  readonly renderEnvironment: (environment: string) => Promise<string>;
  readonly readSettings: (environment: string) => Promise<Settings>;
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

/** The numbers of every password that rotates in a stack, and the edit that comes next for one. */
export function rotationProgram(): {
  readonly rotations: (stack: string) => Promise<Rotation.Rotations>;
  readonly nextStep: typeof Rotation.nextStep;
} {
  const { rotationsOf, nextStep } = module.require('../stacks/rotation') as typeof Rotation;
  return { nextStep, rotations: async (stack) => rotationsOf(await renderer().readSettings(stack)) };
}
