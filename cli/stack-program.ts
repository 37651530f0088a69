import * as fs from 'node:fs';
import * as path from 'node:path';
import type { OneMachine } from '../stacks/compose';
import type * as Rotation from '../stacks/rotation';
import type { Settings } from '../stacks/schema';
import type { Rendered } from './diff/compare';
import type { TreeObject } from './gitops/waves';
import type { Sealing } from './seal/run';

type SystemKey = 'noodleCore' | 'noaServer';

interface Renderer {
  readonly renderEnvironment: (environment: string) => Promise<string>;
  readonly readSettings: (environment: string) => Promise<Settings>;
  readonly renderObjects: (environment: string) => Promise<readonly TreeObject[]>;
}

interface Sealer {
  readonly sealingOf: (environment: string) => Promise<Sealing>;
}

const GIVEN = ['dev', 'staging', 'prod'];

/** Environments that have a file: the three, and those that were added, such as a second region. */
export const environmentsIn = (folder: string): readonly string[] => {
  const found = fs.readdirSync(folder).flatMap((file) => /^Pulumi\.([a-z0-9-]+)\.yaml$/.exec(file)?.[1] ?? []);
  return [...GIVEN, ...found.filter((name) => !GIVEN.includes(name)).sort()];
};

/** Environments that there are. */
export const ENVIRONMENTS: readonly string[] = environmentsIn(path.resolve(__dirname, '..'));

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

/** Namespace of each system of a stack. */
export async function readNamespaces(stack: string): Promise<Readonly<Record<SystemKey, string>>> {
  const { noodleCore, noaServer } = await renderer().readSettings(stack);
  return { noodleCore: noodleCore.namespace, noaServer: noaServer.namespace };
}

/** The same, each with its order and what is to become of it. */
export const renderStackTree = (stack: string): Promise<readonly TreeObject[]> => renderer().renderObjects(stack);

/** What has to be sealed for a stack. */
export const sealingOf = (stack: string): Promise<Sealing> =>
  (module.require('../stacks/sealing') as Sealer).sealingOf(stack);

/** A stack as one machine runs it. */
export const renderForOneMachine = (stack: string): Promise<OneMachine> =>
  (
    module.require('../stacks/compose') as { renderOnOneMachine: (environment: string) => Promise<OneMachine> }
  ).renderOnOneMachine(stack);
