import { LateTokens } from '../components/late';
import { RemovalPolicy } from '../components/release-options';
import type { RenderedObject } from './render';
import type { SecretStore } from './secret-source';
import { literal } from './secret-template';
import type { ReferenceLookup, SecretMaker } from './secret-template';

/** The ExternalSecret that makes the same Secret: a template a key, with each secret taken from the store once. */
export function externalSecret(object: RenderedObject, lookup: ReferenceLookup, store: SecretStore): SecretMaker {
  const remote = new Map<string, string>();
  const data: Record<string, string> = {};
  for (const [key, text] of Object.entries((object.manifest.stringData ?? {}) as Record<string, string>)) {
    data[key] = LateTokens.split(text)
      .map((part) => {
        if (!part.token) return literal(part.text);
        const remoteKey = lookup(key, part.text);
        if (remoteKey === undefined) return '';
        const variable = remoteKey.replace(/[^A-Za-z0-9]/g, '_');
        remote.set(variable, remoteKey);
        return `{{ .${variable} }}`;
      })
      .join('');
  }
  const { type } = object.manifest as { type?: string };
  return {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    metadata: object.manifest.metadata,
    spec: {
      refreshInterval: '1h0m0s',
      secretStoreRef: { kind: store.kind, name: store.name },
      target: {
        name: object.name,
        // An owned Secret goes with its ExternalSecret: not the credentials of a database that stays.
        creationPolicy: object.removalPolicy === RemovalPolicy.RETAIN ? 'Orphan' : 'Owner',
        // A key that vanishes from the store must not take the credentials of a running database with it.
        deletionPolicy: 'Retain',
        template: { engineVersion: 'v2', ...(type === undefined ? {} : { type }), data },
      },
      data: [...remote].map(([secretKey, key]) => ({ secretKey, remoteRef: { key } })),
    },
  };
}
