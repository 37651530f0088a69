import * as pulumi from '@pulumi/pulumi';
import { Provider } from '@pulumi/kubernetes/provider';
import { ClusterRelease } from '../bridge/release';
import { loadSettings } from './config';
import { buildImages } from './images';
import { buildPlatform } from './platform';
import { generateSecrets } from './secrets';

/** One environment: configuration → images → secrets → charts → release → outputs. */
async function stack(): Promise<Record<string, pulumi.Input<unknown>>> {
  const settings = loadSettings();
  const { namespace, host } = settings.noodleCore;
  const images = await buildImages(settings);
  const { digestKey, ...secrets } = generateSecrets();
  const app = buildPlatform(settings, { noodleCore: { images, secrets } });
  const provider = new Provider('cluster', {
    context: settings.cluster.context,
    enableServerSideApply: true,
    // Content changes in place: a replacement of a named object would delete the live one first.
    enableConfigMapMutable: true,
    enableSecretMutable: true,
  });
  new ClusterRelease('platform', { app, digestKey }, { provider });
  return {
    noodleCore: {
      url: `https://${host}/`,
      namespace,
      secrets: {
        postgres: `${namespace}/postgres-secret`,
        redis: `${namespace}/redis-secret`,
        runtime: `${namespace}/noodle-runtime-secret`,
      },
      images: {
        runtime: pulumi.output(images.runtime),
        postgres: pulumi.output(images.postgres),
        redis: pulumi.output(images.redis),
      },
    },
  };
}

// The engine calls what a CommonJS program exports.
export = stack;
