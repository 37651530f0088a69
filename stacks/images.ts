import { existsSync } from 'node:fs';
import * as path from 'node:path';
import * as docker from '@pulumi/docker';
import type * as pulumi from '@pulumi/pulumi';
import { makeTinyModel } from '../images/llama-cpp/model/tiny';
import { bundleReferenceService } from '../images/reference-service/bundle';
import type { Settings } from './schema';
import type { ImageSource } from './schema-fields';
import type { ImagesOf } from './sources';
import { imageSources, mapSources } from './sources';
import { ConfigurationError } from './validate';

const ROOT = path.resolve(__dirname, '..');
const BASE = path.join(ROOT, 'images', 'base');
/** Keys of the settings that images have, where they differ from their names. */
const KEYS: Readonly<Record<string, string>> = {
  runtimeCanary: 'runtime.canary',
  uiCanary: 'ui.canary',
  pooler: 'postgres.pooler',
  postgresExporter: 'postgres.exporter',
  redisExporter: 'redis.exporter',
  backupStatus: 'backup.status',
  modelFetch: 'llamaCpp.model.fetch',
  fluentBit: 'logs',
};
/** What makes the files that a context of this repository takes from its `dist`. */
const PREPARED: ReadonlyMap<string, () => unknown> = new Map<string, () => unknown>([
  [path.join(ROOT, 'images', 'reference-service'), bundleReferenceService],
  [path.join(ROOT, 'images', 'llama-cpp'), makeTinyModel],
]);

/**
 * Builds and pushes what the configuration says to build, once a context, and takes the rest as it is named.
 * Every image is named by digest, so that what was reviewed is what runs. A preview builds nothing.
 * @throws ConfigurationError for a build context that does not exist
 */
export async function buildImages(settings: Settings): Promise<ImagesOf<pulumi.Input<string>>> {
  const sources = imageSources(settings);
  checkContexts(sources);
  const contexts = Object.values(sources)
    .flatMap((images): ImageSource[] => Object.values(images))
    .flatMap((source) => (source.kind === 'build' ? [path.resolve(ROOT, source.context)] : []));
  for (const context of new Set(contexts)) await PREPARED.get(context)?.();
  const builder = new ImageBuilder(settings.images);
  return mapSources(sources, (source) => builder.image(source));
}

function checkContexts(sources: ImagesOf<ImageSource>): void {
  const problems = Object.entries(sources).flatMap(([system, images]) =>
    Object.entries<ImageSource>(images).flatMap(([name, source]) =>
      source.kind === 'build' && !existsSync(path.resolve(ROOT, source.context, 'Dockerfile'))
        ? [
            `trellis:${system}.${KEYS[name] ?? name}.source: the folder must hold a Dockerfile, got 'build:${source.context}'`,
          ]
        : [],
    ),
  );
  if (problems.length > 0) throw new ConfigurationError('The configuration', problems);
}

class ImageBuilder {
  private readonly built = new Map<string, pulumi.Output<string>>();
  private base: docker.Image | undefined;

  public constructor(private readonly settings: Settings['images']) {}

  public image(source: ImageSource): pulumi.Input<string> {
    if (source.kind === 'image') return source.reference;
    const context = path.resolve(ROOT, source.context);
    const known = this.built.get(context);
    if (known !== undefined) return known;
    // Services share one base, named by what it is and not by its tag, so that a change of it rebuilds them.
    this.base ??= this.build('base', BASE, { BASE_IMAGE: this.settings.base });
    const name = path.basename(context);
    const digest = this.build(name, context, { BASE: this.base.repoDigest }).repoDigest;
    this.built.set(context, digest);
    return digest;
  }

  private build(name: string, context: string, args: Record<string, pulumi.Input<string>>): docker.Image {
    const { registry, tag, platform } = this.settings;
    return new docker.Image(name, {
      imageName: `${registry}/${name}:${tag}`,
      // A relative path keeps the state the same in every clone.
      build: {
        context: path.relative(process.cwd(), context),
        dockerfile: path.relative(process.cwd(), path.join(context, 'Dockerfile')),
        platform,
        args,
      },
    });
  }
}
