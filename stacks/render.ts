import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import type { App } from 'cdk8s';
import { parse, stringify } from 'yaml';
import type { GitOpsObject } from '../bridge/gitops';
import { ExternalSecretValue, gitOpsObjects } from '../bridge/gitops';
import { buildPlatform } from './platform';
import type { Settings } from './schema';
import type { ImageSource } from './schema-fields';
import type { SecretsOf } from './secret-names';
import { mapSecrets } from './secret-names';
import { imageSources, mapSources } from './sources';
import { ConfigurationError, validateSettings } from './validate';

const ROOT = path.resolve(__dirname, '..');
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
 * an external store. Images that a deployment would build are named by tag.
 */
export async function renderObjects(environment: string): Promise<readonly GitOpsObject[]> {
  const settings = await readSettings(environment);
  const secrets = mapSecrets(({ name }) => new ExternalSecretValue(`trellis/${environment}/${name}`));
  const app = platformByTag(settings, secrets);
  return gitOpsObjects(app, { kind: 'ClusterSecretStore', name: settings.cluster.secretStore });
}

/** The definition with the images named by tag. */
export function platformByTag(settings: Settings, secrets: SecretsOf<ExternalSecretValue>): App {
  const { images } = settings;
  const image = (source: ImageSource): string =>
    source.kind === 'image' ? source.reference : `${images.registry}/${path.basename(source.context)}:${images.tag}`;
  const named = mapSources(imageSources(settings), image);
  return buildPlatform(settings, {
    noodleCore: { images: named.noodleCore, secrets: secrets.noodleCore },
    noaServer: { images: named.noaServer, secrets: secrets.noaServer },
  });
}

/** The same as plain YAML. */
export async function renderEnvironment(environment: string): Promise<string> {
  const objects = await renderObjects(environment);
  // Kubernetes' own tools read YAML 1.1, where a bare off or yes is no text.
  const options = { lineWidth: 0, compat: 'yaml-1.1' } as const;
  return objects.map(({ manifest }) => `---\n${stringify(manifest, options)}`).join('');
}
