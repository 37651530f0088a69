import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

import { ensureAuthority, ensureCertificate } from '../../../local/cluster/pki';
import { silent } from '../../../local/report';
import { ensureTool } from '../../../local/toolchain';
import type { Cluster } from '../../support/cluster';
import { isReady, until } from '../../support/cluster';
import { pushImage } from './images';

/** A user of the store, who may do everything there. */
export interface StoreUser {
  readonly id: string;
  readonly secret: string;
}

/** Object storage in a namespace of its own: S3 over TLS, with one bucket, which is the volume of the claim of its name. */
export class ObjectStorage {
  public readonly port = 7443;
  public readonly region = 'local';
  public readonly bucket = 'backups';
  /** PEM of the authority that signed its certificate. */
  public readonly authority: string;
  public readonly host: string;

  private constructor(
    private readonly cluster: Cluster,
    public readonly namespace: string,
    authority: string,
  ) {
    this.authority = authority;
    this.host = `store.${namespace}.svc`;
  }

  /** @param registry folder in the registry, as the cluster names it */
  public static async start(
    cluster: Cluster,
    namespace: string,
    registry: string,
    user: StoreUser,
  ): Promise<ObjectStorage> {
    const folder = fs.mkdtempSync(path.join(tmpdir(), 'trellis-store-'));
    try {
      const authority = await ensureAuthority(folder, 'authority', 'object storage of a test');
      const request = { name: 'store', commonName: 'store', dns: [`store.${namespace}.svc`] };
      const { certFile, keyFile } = await ensureCertificate(folder, authority, request);
      const store = new ObjectStorage(cluster, namespace, fs.readFileSync(authority.certFile, 'utf8'));
      const image = await buildImage(folder, registry);
      await store.apply(image, user, {
        'tls.crt': fs.readFileSync(certFile, 'utf8'),
        'tls.key': fs.readFileSync(keyFile, 'utf8'),
      });
      return store;
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }

  public async ready(): Promise<void> {
    const pod = `/api/v1/namespaces/${this.namespace}/pods/store`;
    await until('the object storage', async () => isReady(await this.cluster.get(pod)));
  }

  private async apply(image: string, user: StoreUser, tls: Readonly<Record<string, string>>): Promise<void> {
    const core = `/api/v1/namespaces/${this.namespace}`;
    await this.cluster.create('/api/v1/namespaces', { metadata: { name: this.namespace } });
    const stringData = { ...tls, id: user.id, secret: user.secret };
    await this.cluster.create(`${core}/secrets`, { metadata: { name: 'store' }, stringData });
    const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    await this.cluster.create(`${core}/persistentvolumeclaims`, { metadata: { name: this.bucket }, spec: claim });
    const spec = { selector: { app: 'store' }, ports: [{ port: this.port }] };
    await this.cluster.create(`${core}/services`, { metadata: { name: 'store' }, spec });
    await this.cluster.create(`${core}/pods`, {
      metadata: { name: 'store', labels: { app: 'store' } },
      spec: this.pod(image),
    });
  }

  private pod(image: string): object {
    const fromSecret = (key: string) => ({ valueFrom: { secretKeyRef: { name: 'store', key } } });
    return {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: 10_001, fsGroup: 10_001 },
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'store',
          image,
          args: [
            ...['--port', `:${this.port}`, '--region', this.region, '--quiet'],
            ...['--cert', '/tls/tls.crt', '--key', '/tls/tls.key', 'posix', '/data'],
          ],
          env: [
            { name: 'ROOT_ACCESS_KEY', ...fromSecret('id') },
            { name: 'ROOT_SECRET_KEY', ...fromSecret('secret') },
          ],
          readinessProbe: { tcpSocket: { port: this.port }, periodSeconds: 1 },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts: [
            { name: 'tls', mountPath: '/tls', readOnly: true },
            { name: 'data', mountPath: '/data' },
            // A folder at its root is a bucket.
            { name: 'bucket', mountPath: `/data/${this.bucket}` },
          ],
        },
      ],
      volumes: [
        { name: 'tls', secret: { secretName: 'store', defaultMode: 0o440 } },
        { name: 'data', emptyDir: {} },
        { name: 'bucket', persistentVolumeClaim: { claimName: this.bucket } },
      ],
    };
  }
}

/** An image of nothing but the program, in the registry of the cluster. */
async function buildImage(folder: string, registry: string): Promise<string> {
  fs.copyFileSync(await ensureTool('versitygw', silent), path.join(folder, 'versitygw'));
  fs.writeFileSync(
    path.join(folder, 'Dockerfile'),
    'FROM scratch\nCOPY versitygw /versitygw\nENTRYPOINT ["/versitygw"]\n',
  );
  return pushImage(registry, 'versitygw', folder);
}
