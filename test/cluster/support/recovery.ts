import * as path from 'node:path';

import type { V1Pod } from '@kubernetes/client-node';
import { App, Chart, Duration, Size } from 'cdk8s';

import type { ExecResult } from '../../../cli/cluster/exec';
import { ArchiveKeys } from '../../../components/database-archive-keys';
import { DatabaseArchive } from '../../../components/database-archive';
import { DatabaseEngine } from '../../../components/database-engine';
import { root, typescript } from '../../../local/paths';
import { compute } from '../../../components/pod';
import type { StatefulDatabaseProps } from '../../../components/stateful-database';
import { StatefulDatabase } from '../../../components/stateful-database';
import type { Cluster } from '../../support/cluster';
import { ClusterTestError, info, isReady, start, until } from '../../support/cluster';
import { applyApp } from './objects';
import type { ObjectStorage } from './object-storage';
import type { RemoteCall } from './remote';

/** Does it on the local cluster, with administrator's rights. */
async function remote<T>(call: RemoteCall): Promise<T> {
  const program = path.join(root, 'test', 'cluster', 'support', 'remote.ts');
  const argv = [process.execPath, ...typescript, program, info().kubeconfig, JSON.stringify(call)];
  const { code, stdout, output } = await start(argv).exited;
  if (code !== 0) throw new ClusterTestError(output);
  return JSON.parse(stdout) as T;
}

/** What `./trellis promote` does, in a namespace that no stack has. */
export const promote = (namespace: string, database: string): Promise<string> =>
  remote({ kind: 'promote', namespace, database });

/** A namespace that stands for a region: nothing of it is shared with another but the object storage. */
export class Region {
  public constructor(
    private readonly cluster: Cluster,
    public readonly namespace: string,
    private readonly image: string,
    private readonly store: ObjectStorage,
  ) {}

  /** @param secrets of the namespace, by name */
  public async create(secrets: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<void> {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await this.cluster.create('/api/v1/namespaces', { metadata: { name: this.namespace, labels } });
    for (const [name, stringData] of Object.entries(secrets))
      await this.cluster.create(`/api/v1/namespaces/${this.namespace}/secrets`, { metadata: { name }, stringData });
  }

  /** The archive below `prefix`, as this region reaches it. */
  public archive(prefix: string, keys = ArchiveKeys.fromSecret('archive-keys')): DatabaseArchive {
    const { host: endpoint, port, region, bucket, namespace } = this.store;
    return DatabaseArchive.objectStorage({
      ...{ endpoint, port, region, bucket, prefix, keys, pathStyle: true },
      authority: { secretName: 'store-ca', key: 'ca.crt' },
      peer: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
      maxLoss: Duration.seconds(5),
    });
  }

  /** Applies a database with all that belongs to it. */
  public async apply(
    name: string,
    props: Pick<StatefulDatabaseProps, 'password' | 'archive' | 'recovery'>,
  ): Promise<void> {
    const app = new App();
    const chart = new Chart(app, 'recovery', { namespace: this.namespace });
    new StatefulDatabase(chart, name, {
      engine: DatabaseEngine.postgres('15', { image: this.image }),
      storage: Size.gibibytes(1),
      resources: compute([20, 1000], [128, 384]),
      ...props,
    });
    await applyApp(this.cluster, app, this.namespace);
  }

  public pods(): Promise<readonly V1Pod[]> {
    return this.cluster.list<V1Pod>(`/api/v1/namespaces/${this.namespace}/pods`);
  }

  public async ready(name: string): Promise<void> {
    const pod = `/api/v1/namespaces/${this.namespace}/pods/${name}-0`;
    await until(`${this.namespace}/${name}-0 ready`, async () => isReady(await this.cluster.get(pod)), 180);
  }

  /** Runs a command beside the server, and throws what it says where it fails. */
  public async run(name: string, ...command: readonly string[]): Promise<string> {
    const place = { namespace: this.namespace, pod: `${name}-0`, container: 'postgres' };
    const { code, stdout, stderr } = await remote<ExecResult>({ kind: 'execute', place, command });
    if (code !== 0) throw new ClusterTestError(`${name}: ${command.join(' ')} ended with ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** As the owner of the database, over TCP and with the password of this region. */
  public sql(name: string, text: string): Promise<string> {
    const script =
      'PGPASSWORD=$(cat /run/secrets/postgres/password) exec psql -X -At -w -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -U app -d app -c "$1"';
    return this.run(name, 'sh', '-c', script, 'sh', text);
  }

  /** As the superuser, through the socket: the passwords of a standby are its primary's. */
  public look(name: string, text: string): Promise<string> {
    return this.run(name, 'psql', '-X', '-At', '-w', '-q', '-U', 'postgres', '-d', 'app', '-c', text);
  }

  /** Everything that its containers have said. */
  public async logs(): Promise<string> {
    const pods = await this.pods();
    const said = pods.flatMap(({ metadata, spec }) =>
      [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name }) => {
        const url = `/api/v1/namespaces/${this.namespace}/pods/${metadata?.name ?? ''}/log?container=${name}`;
        return this.cluster.text(url).catch(() => '');
      }),
    );
    return (await Promise.all(said)).join('\n');
  }
}
