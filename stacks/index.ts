import './sdk-diagnostics';
import type * as pulumi from '@pulumi/pulumi';
import { Provider } from '@pulumi/kubernetes/provider';
import type { App } from 'cdk8s';
import type { ClusterReleaseArgs } from '../bridge/release';
import { ClusterRelease } from '../bridge/release';
import { loadSettings } from './config';
import { buildImages } from './images';
import { checkRotations } from './last-rotation';
import { noaServerOutputs } from './noa-server';
import { noodleCoreOutputs } from './noodle-core';
import { observabilityOutputs } from './observability';
import { buildPlatform } from './platform';
import { rotationsOf } from './rotation';
import type { PlatformSecrets } from './secret-modes';
import { platformSecrets } from './secrets';

/** One environment: configuration → images → secrets → charts → release → outputs. */
async function stack(): Promise<Record<string, pulumi.Input<unknown>>> {
  const settings = loadSettings();
  const rotation = rotationsOf(settings);
  await checkRotations(rotation);
  const images = await buildImages(settings);
  const secrets = platformSecrets(settings);
  const app = buildPlatform(settings, {
    noodleCore: { images: images.noodleCore, secrets: secrets.values.noodleCore },
    noaServer: { images: images.noaServer, secrets: secrets.values.noaServer },
    observability: {
      ...{ images: images.observability, secrets: secrets.values.observability },
      receiverUrl: secrets.receiverUrl,
    },
  });
  const provider = new Provider('cluster', {
    context: settings.cluster.context,
    enableServerSideApply: true,
    // Content changes in place: a replacement of a named object would delete the live one first.
    enableConfigMapMutable: true,
    enableSecretMutable: true,
  });
  new ClusterRelease('platform', releaseArgs(app, secrets), { provider });
  return {
    noodleCore: { ...noodleCoreOutputs(settings), images: images.noodleCore },
    noaServer: { ...noaServerOutputs(settings), images: images.noaServer },
    observability: { ...observabilityOutputs(settings), images: images.observability },
    rotation,
  };
}

function releaseArgs(app: App, { source, digestKey }: PlatformSecrets): ClusterReleaseArgs {
  return {
    app,
    ...(source === undefined ? {} : { secrets: source }),
    ...(digestKey === undefined ? {} : { digestKey }),
  };
}

// The engine calls what a CommonJS program exports.
export = stack;
