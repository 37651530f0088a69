import type * as pulumi from '@pulumi/pulumi';
import { Provider } from '@pulumi/kubernetes/provider';
import { ClusterRelease } from '../bridge/release';
import { loadSettings } from './config';
import { buildImages } from './images';
import { checkRotations } from './last-rotation';
import { noaServerOutputs } from './noa-server';
import { noodleCoreOutputs } from './noodle-core';
import { observabilityOutputs, receiverUrl } from './observability';
import { buildPlatform } from './platform';
import { rotationsOf } from './rotation';
import { generateSecrets } from './secrets';

/** One environment: configuration → images → secrets → charts → release → outputs. */
async function stack(): Promise<Record<string, pulumi.Input<unknown>>> {
  const settings = loadSettings();
  const rotation = rotationsOf(settings);
  await checkRotations(rotation);
  const images = await buildImages(settings);
  const { digestKey, ...secrets } = generateSecrets(settings);
  const app = buildPlatform(settings, {
    noodleCore: { images: images.noodleCore, secrets: secrets.noodleCore },
    noaServer: { images: images.noaServer, secrets: secrets.noaServer },
    observability: {
      ...{ images: images.observability, secrets: secrets.observability },
      receiverUrl: receiverUrl(settings),
    },
  });
  const provider = new Provider('cluster', {
    context: settings.cluster.context,
    enableServerSideApply: true,
    // Content changes in place: a replacement of a named object would delete the live one first.
    enableConfigMapMutable: true,
    enableSecretMutable: true,
  });
  new ClusterRelease('platform', { app, digestKey }, { provider });
  return {
    noodleCore: { ...noodleCoreOutputs(settings), images: images.noodleCore },
    noaServer: { ...noaServerOutputs(settings), images: images.noaServer },
    observability: { ...observabilityOutputs(settings), images: images.observability },
    rotation,
  };
}

// The engine calls what a CommonJS program exports.
export = stack;
