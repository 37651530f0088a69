import * as fs from 'node:fs';
import { stringify } from 'yaml';
import { writeAtomic } from '../process';
import type { Certificate } from './pki';

export interface KubeconfigOptions {
  /** `https://host:port`. */
  readonly server: string;
  /** The certificate of the authority that signed the server's. */
  readonly caFile: string;
  readonly client: Certificate;
  /** All of them point to this one cluster; the first is current. @default ['trellis'] */
  readonly contexts?: readonly string[];
  /** Lines that stand above the document. */
  readonly comment?: readonly string[];
}

const base64 = (file: string): string => fs.readFileSync(file).toString('base64');

/** The text of a kubeconfig that needs no other file. It holds a private key. */
export function kubeconfig(options: KubeconfigOptions): string {
  const contexts = options.contexts ?? ['trellis'];
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'trellis',
        cluster: { server: options.server, 'certificate-authority-data': base64(options.caFile) },
      },
    ],
    users: [
      {
        name: 'trellis',
        user: {
          'client-certificate-data': base64(options.client.certFile),
          'client-key-data': base64(options.client.keyFile),
        },
      },
    ],
    contexts: contexts.map((name) => ({ name, context: { cluster: 'trellis', user: 'trellis' } })),
    'current-context': contexts[0],
  };
  const comment = (options.comment ?? []).map((line) => `# ${line}\n`).join('');
  return comment + stringify(document, { lineWidth: 0 });
}

/** Writes a kubeconfig, readable by its owner only. */
export const writeKubeconfig = (file: string, options: KubeconfigOptions): void =>
  writeAtomic(file, kubeconfig(options), 0o600);
