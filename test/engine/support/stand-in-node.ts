import { setTimeout as sleep } from 'node:timers/promises';
import { quantity } from '../../../local/plugins/kubernetes/equivalence';
import type { KubeObject } from '../../../local/plugins/kubernetes/objects';
import { annotation, list, namespaceOf, nameOf, pluck, text } from '../../../local/plugins/kubernetes/objects';
import type { ApiServer } from '../../support/api-server';

const CLAIMS = '/api/v1/persistentvolumeclaims';
const SIZE = ['spec', 'resources', 'requests', 'storage'] as const;

/** The node did not get to what a test waited for. */
class StandInError extends Error {
  public constructor(message: string) {
    super(message);
    this.name = 'StandInError';
  }
}

/**
 * What a node, a provisioner and a resizer would do, for an API server that has none: pods are Ready at once, claims get volumes, and those of
 * a class that expands get the size they ask for. A claim annotated `trellis.test/unbound` stays without a volume.
 */
export class StandInNode {
  private running = true;
  private work: Promise<void> = Promise.resolve();

  private constructor(private readonly server: ApiServer) {}

  /** @param classes names of StorageClasses, and whether they can expand */
  public static async start(server: ApiServer, classes: Readonly<Record<string, boolean>>): Promise<StandInNode> {
    const node = new StandInNode(server);
    for (const [name, allowVolumeExpansion] of Object.entries(classes)) {
      await server.call('POST', '/apis/storage.k8s.io/v1/storageclasses', {
        metadata: { name },
        provisioner: 'trellis.test/none',
        volumeBindingMode: 'WaitForFirstConsumer',
        allowVolumeExpansion,
      });
    }
    node.work = node.loop();
    return node;
  }

  public async stop(): Promise<void> {
    this.running = false;
    await this.work;
  }

  /** @throws StandInError after 30 s */
  public async until(done: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + 30_000; !(await done()); await sleep(100)) {
      if (Date.now() > end) throw new StandInError('not within 30 s');
    }
  }

  /** A claim with a volume, made by somebody else; resolves when it is bound. */
  public async claim(namespace: string, name: string, storage: string, className: string, by: string): Promise<void> {
    const url = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
    await this.server.call('POST', `${url}?fieldManager=${by}`, {
      metadata: { name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: className,
        resources: { requests: { storage } },
      },
    });
    await this.until(async () => {
      return text(await this.server.call('GET', `${url}/${name}`), 'status', 'phase') === 'Bound';
    });
  }

  private async loop(): Promise<void> {
    while (this.running) {
      for (const pod of await this.items('/api/v1/pods')) await this.attempt(() => this.ready(pod));
      for (const claim of await this.items(CLAIMS)) await this.attempt(() => this.serve(claim));
      await sleep(150);
    }
  }

  private async items(url: string): Promise<readonly KubeObject[]> {
    return list(await this.server.call('GET', url), 'items') as readonly KubeObject[];
  }

  /** Objects come and go while they are looked at; the next round sees what is there then. */
  private async attempt(step: () => Promise<void>): Promise<void> {
    await step().catch(() => undefined);
  }

  private async ready(pod: KubeObject): Promise<void> {
    const url = `/api/v1/namespaces/${namespaceOf(pod)}/pods/${nameOf(pod)}`;
    if (text(pod, 'metadata', 'deletionTimestamp') !== undefined) {
      await this.server.call('DELETE', `${url}?gracePeriodSeconds=0`);
    } else if (text(pod, 'status', 'phase') !== 'Running') {
      const conditions = [{ type: 'Ready', status: 'True' }];
      await this.server.call('PATCH', `${url}/status`, { status: { phase: 'Running', conditions } });
    }
  }

  private async serve(claim: KubeObject): Promise<void> {
    const [namespace, name] = [namespaceOf(claim), nameOf(claim)];
    if (annotation(claim, 'trellis.test/unbound') !== undefined) return;
    const [storage, volume] = [text(claim, ...SIZE), `pv-${namespace}-${name}`];
    if (text(claim, 'status', 'phase') === 'Pending') {
      await this.server.call('POST', '/api/v1/persistentvolumes', {
        metadata: { name: volume },
        spec: {
          ...{ capacity: { storage }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/nowhere' } },
          storageClassName: text(claim, 'spec', 'storageClassName'),
          claimRef: { namespace, name },
        },
      });
    } else if ((quantity(pluck(claim, 'status', 'capacity', 'storage')) ?? 0) < (quantity(storage) ?? 0)) {
      await this.server.call('PATCH', `/api/v1/persistentvolumes/${volume}`, { spec: { capacity: { storage } } });
      const url = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}/status`;
      await this.server.call('PATCH', url, { status: { capacity: { storage } } });
    }
  }
}
