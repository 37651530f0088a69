import * as path from 'node:path';
import type { GitOpsObject } from '../bridge/gitops';
import { onOneMachine } from './one-machine';
import { imageName, readSettings, renderSettings } from './render';
import { imageSources } from './sources';

/** One environment as one machine runs it. */
export interface OneMachine {
  readonly objects: readonly GitOpsObject[];
  /** Image → folder of the project that it is built from. */
  readonly contexts: ReadonlyMap<string, string>;
  readonly base: { readonly image: string; readonly context: string; readonly from: string };
  /** Image of Nginx. */
  readonly proxy: string;
  readonly development: boolean;
}

const BASE = 'images/base';
const PROXY = 'images/nginx';

/** Renders an environment for one machine; no value of a secret is read or made. */
export async function renderOnOneMachine(environment: string): Promise<OneMachine> {
  const settings = onOneMachine(await readSettings(environment));
  const { images } = settings;
  const built = (context: string): string => imageName(images, { kind: 'build', context });
  const sources = Object.values(imageSources(settings)).flatMap((own) => Object.values(own));
  const contexts = sources.flatMap((source) =>
    source.kind === 'build' ? [[imageName(images, source), path.normalize(source.context)] as const] : [],
  );
  return {
    objects: renderSettings(settings),
    contexts: new Map([...contexts, [built(PROXY), PROXY]]),
    base: { image: built(BASE), context: BASE, from: images.base },
    proxy: built(PROXY),
    development: settings.environment === 'development',
  };
}
