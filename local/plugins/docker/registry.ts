import * as http from 'node:http';
import * as https from 'node:https';

import type { ImageReference } from './reference';

/** What a registry says of a manifest. `unknown`: it could not be asked, or not by us. */
export type Presence =
  | { readonly state: 'present'; readonly digest: string | undefined }
  | { readonly state: 'absent' }
  | { readonly state: 'unknown'; readonly reason: string };

const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const TIMEOUT_MS = 10_000;

const isLoopback = (registry: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(registry);

/** Asks a registry for a manifest by digest, or by tag where `reference` has no digest. Never rejects. */
export function manifestPresence(
  reference: ImageReference,
  credentials: { readonly username: string; readonly password: string },
): Promise<Presence> {
  const { registry, path, tag, digest } = reference;
  if (registry === '' || registry === 'docker.io')
    return Promise.resolve({ state: 'unknown', reason: 'it needs a token' });
  const loopback = isLoopback(registry);
  const url = `${loopback ? 'http' : 'https'}://${registry}/v2/${path}/manifests/${digest ?? tag ?? 'latest'}`;
  const { username, password } = credentials;
  const auth = username !== '' && password !== '' ? { auth: `${username}:${password}` } : {};
  return new Promise((resolve) => {
    const request = (loopback ? http : https).request(
      url,
      { method: 'HEAD', headers: { accept: MANIFESTS }, timeout: TIMEOUT_MS, ...auth },
      (response) => {
        response.resume();
        const header = response.headers['docker-content-digest'];
        if (response.statusCode === 200) {
          resolve({ state: 'present', digest: typeof header === 'string' ? header : undefined });
        } else if (response.statusCode === 404) resolve({ state: 'absent' });
        else resolve({ state: 'unknown', reason: `it answered ${response.statusCode}` });
      },
    );
    request.on('timeout', () => request.destroy(new Error('it did not answer')));
    request.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ state: 'unknown', reason: error.code ?? error.message }),
    );
    request.end();
  });
}
