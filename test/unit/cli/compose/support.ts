import { composition } from '../../../../cli/compose/composition';
import type { Composition, KubeObject } from '../../../../cli/compose/model';
import { renderOnOneMachine } from '../../../../stacks/compose';

/** A service of a Compose file, as far as tests look at it. */
export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly args: Readonly<Record<string, string>> };
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly network_mode?: string;
  readonly networks?: Readonly<Record<string, { readonly aliases: readonly string[] }>>;
  readonly deploy: { readonly resources: { readonly limits: Readonly<Record<string, string>> } };
}

const SYSTEMS = ['noodle-core', 'noa-server'];
/** A program that is taken from a folder of this machine. */
export const RELOAD = { folder: 'dist', target: '/app/dist', command: ['node', '--watch', '/app/dist/server.js'] };

/** An environment as `./trellis compose` makes it. */
export async function compositionOf(environment: string): Promise<Composition> {
  const { objects, contexts, base, proxy, development } = await renderOnOneMachine(environment);
  const reference = [...contexts]
    .filter(([, context]) => context === 'images/reference-service')
    .map(([image]) => image);
  return composition(
    objects.map(({ manifest }) => manifest as unknown as KubeObject),
    {
      ...{ environment, contexts, base },
      systems: development ? [...SYSTEMS, 'observability'] : SYSTEMS,
      ...(development
        ? { reload: new Map(reference.map((image) => [image, RELOAD])), consoles: 'observability' }
        : { proxy }),
    },
  );
}

export const serviceOf = ({ file }: Composition, name: string): Service => {
  const found = file.services[name];
  expect(found).toBeDefined();
  return found as unknown as Service;
};
