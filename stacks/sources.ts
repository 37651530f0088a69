import { noaServerSources } from './noa-server';
import { noodleCoreSources } from './noodle-core';
import { observabilitySources } from './observability';
import type { PlatformValues } from './platform';
import type { Settings } from './schema';
import type { ImageSource } from './schema-fields';

/** Something of every kind of value for each image of each system. */
export type ImagesOf<T> = {
  readonly [System in keyof PlatformValues]: Readonly<Record<keyof PlatformValues[System]['images'], T>>;
};

/** Where every image comes from. */
export const imageSources = (settings: Settings): ImagesOf<ImageSource> => ({
  noodleCore: noodleCoreSources(settings),
  noaServer: noaServerSources(settings),
  observability: observabilitySources(settings),
});

/** Makes something of each source. */
export function mapSources<T>(sources: ImagesOf<ImageSource>, make: (source: ImageSource) => T): ImagesOf<T> {
  const system = <K extends string>(images: Readonly<Record<K, ImageSource>>): Readonly<Record<K, T>> =>
    Object.fromEntries(Object.entries<ImageSource>(images).map(([name, source]) => [name, make(source)])) as Record<
      K,
      T
    >;
  return {
    noodleCore: system(sources.noodleCore),
    noaServer: system(sources.noaServer),
    observability: system(sources.observability),
  };
}
