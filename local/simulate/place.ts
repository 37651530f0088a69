import * as path from 'node:path';
import { layoutOf, type Layout } from '../cluster/layout';
import { contextOf } from '../engine/owner';
import { state } from '../paths';
import type { Rehearsed } from './capacity';

/** Where one environment's rehearsal lies. It shares nothing with the environment itself but the program and its configuration. */
export interface Rehearsal {
  readonly environment: Rehearsed;
  readonly dir: string;
  /** A kubeconfig that leads to the simulated cluster under the name that the stack's configuration asks for. */
  readonly kubeconfig: string;
  readonly context: string;
  /** File back end of Pulumi, with this one stack. */
  readonly backend: string;
  /** The stack's configuration, copied from `Pulumi.<environment>.yaml` before each update. */
  readonly configFile: string;
  /** Holds a project without a program; the stack is made from it. */
  readonly scratch: string;
  readonly layout: Layout;
}

/** Everything of all rehearsals. */
export const rehearsalsDir = state('simulate');

/** Pulumi's home for rehearsals: it holds the embedded image plugin even where the user has the vendor's. */
export const rehearsalHome = path.join(rehearsalsDir, 'home');

/** @param folder that holds all of it. @default - `.trellis/simulate/<environment>` */
export function rehearsalOf(environment: Rehearsed, folder?: string): Rehearsal {
  const dir = folder ?? path.join(rehearsalsDir, environment);
  const layout = layoutOf(path.join(dir, 'cluster'));
  return {
    environment,
    dir,
    kubeconfig: layout.kubeconfig,
    context: contextOf(environment),
    backend: path.join(dir, 'state'),
    configFile: path.join(dir, `Pulumi.${environment}.yaml`),
    scratch: path.join(dir, 'scratch'),
    layout,
  };
}
