import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import type { App } from 'cdk8s';
import { parse, stringify } from 'yaml';
import type { GitOpsObject } from '../bridge/gitops';
import { gitOpsObjects } from '../bridge/gitops';
import { buildPlatform } from './platform';
import type { Settings } from './schema';
import type { ImageSource } from './schema-fields';
import type { PlatformSecrets } from './secret-modes';
import { referredSecrets } from './secret-modes';
import { imageSources, mapSources } from './sources';
import { ConfigurationError, validateSettings } from './validate';

/** The project. */
export const ROOT = path.resolve(__dirname, '..');
const PREFIX = 'trellis:';

/** Reads one environment's file and checks it as a deployment would. */
export async function readSettings(environment: string, folder = ROOT): Promise<Settings> {
  const file = `Pulumi.${environment}.yaml`;
  const text = await readFile(path.join(folder, file), 'utf8').catch(() => {
    throw new ConfigurationError(file, [
      `there is no such file in ${folder === ROOT ? 'the project' : folder}; environments are dev, staging and prod`,
    ]);
  });
  return settingsIn(text, file);
}

/**
 * Checks the text of an environment's file.
 * @param file named in the error
 */
export function settingsIn(text: string, file: string): Settings {
  const { config = {} } = parse(text, { uniqueKeys: true }) as { config?: Record<string, unknown> };
  const values = Object.entries(config).flatMap(([key, value]) =>
    key.startsWith(PREFIX) ? [[key.slice(PREFIX.length), value] as const] : [],
  );
  return validateSettings(file, Object.fromEntries(values));
}

/**
 * The objects of one environment, each with its construct path, without an engine and without any secret: Secrets become references to
 * an external store, or ciphertexts. Images that a deployment would build are named by tag.
 */
export async function renderObjects(environment: string): Promise<readonly GitOpsObject[]> {
  return renderSettings(await readSettings(environment));
}

/** The same of settings that were read before. */
export function renderSettings(settings: Settings): readonly GitOpsObject[] {
  const secrets = referredSecrets(settings);
  return gitOpsObjects(platformByTag(settings, secrets), secrets.source);
}

/** Name of an image: one that a deployment would build is named by tag. */
export const imageName = ({ registry, tag }: Settings['images'], source: ImageSource): string =>
  source.kind === 'image' ? source.reference : `${registry}/${path.basename(source.context)}:${tag}`;

/** The definition with the images named by tag. */
export function platformByTag(settings: Settings, { values, receiverUrl }: PlatformSecrets): App {
  const named = mapSources(imageSources(settings), (source) => imageName(settings.images, source));
  return buildPlatform(settings, {
    noodleCore: { images: named.noodleCore, secrets: values.noodleCore },
    noaServer: { images: named.noaServer, secrets: values.noaServer },
    observability: { images: named.observability, secrets: values.observability, receiverUrl },
  });
}

/** The same as plain YAML. */
export async function renderEnvironment(environment: string): Promise<string> {
  const objects = await renderObjects(environment);
  // Kubernetes' own tools read YAML 1.1, where a bare off or yes is no text.
  const options = { lineWidth: 0, compat: 'yaml-1.1' } as const;
  return objects.map(({ manifest }) => `---\n${stringify(manifest, options)}`).join('');
}
