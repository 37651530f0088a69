import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { parse, stringify } from 'yaml';
import type { GitOpsObject } from '../bridge/gitops';
import { ExternalSecretValue, gitOpsObjects } from '../bridge/gitops';
import { buildPlatform } from './platform';
import type { Settings } from './schema';
import type { ImageSource } from './schema-fields';
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
  return renderSettings(environment, await readSettings(environment));
}

/** Name of an image: an image that a deployment would build is named by tag. */
export const imageName = ({ registry, tag }: Settings['images'], source: ImageSource): string =>
  source.kind === 'image' ? source.reference : `${registry}/${path.basename(source.context)}:${tag}`;

/** The same of settings that were read before. */
export function renderSettings(environment: string, settings: Settings): readonly GitOpsObject[] {
  const { images, cluster } = settings;
  const named = mapSources(imageSources(settings), (source) => imageName(images, source));
  const secrets = mapSecrets(({ name }) => new ExternalSecretValue(`trellis/${environment}/${name}`));
  const app = buildPlatform(settings, {
    noodleCore: { images: named.noodleCore, secrets: secrets.noodleCore },
    noaServer: { images: named.noaServer, secrets: secrets.noaServer },
  });
  return gitOpsObjects(app, { kind: 'ClusterSecretStore', name: cluster.secretStore });
}

/** The same as plain YAML. */
export async function renderEnvironment(environment: string): Promise<string> {
  const objects = await renderObjects(environment);
  // Kubernetes' own tools read YAML 1.1, where a bare off or yes is no text.
  const options = { lineWidth: 0, compat: 'yaml-1.1' } as const;
  return objects.map(({ manifest }) => `---\n${stringify(manifest, options)}`).join('');
}
