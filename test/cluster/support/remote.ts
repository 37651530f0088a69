import type { Connection } from '../../../cli/cluster/client';
import type { Container } from '../../../cli/cluster/exec';
import { execute } from '../../../cli/cluster/exec';
import { promoteDatabase } from '../../../cli/cluster/promote';
import { kubernetesClient } from '../../../local/index';

/** What the verbs of `./trellis` do in a pod. */
export type RemoteCall =
  | { readonly kind: 'execute'; readonly place: Container; readonly command: readonly string[] }
  | { readonly kind: 'promote'; readonly namespace: string; readonly database: string };

/** A program of its own, since the client of Kubernetes is an ES module, which Jest does not load. Prints its answer as JSON. */
async function main(kubeconfig: string, call: RemoteCall): Promise<void> {
  const client = await kubernetesClient();
  const config = new client.KubeConfig();
  config.loadFromFile(kubeconfig);
  config.setCurrentContext('trellis-dev');
  const connection: Pick<Connection, 'config' | 'client'> = { config, client };
  const answer =
    call.kind === 'execute'
      ? await execute(connection, call.place, call.command)
      : await promoteDatabase(connection, call.namespace, call.database);
  process.stdout.write(JSON.stringify(answer));
}

const [kubeconfig = '', call = ''] = process.argv.slice(2);
main(kubeconfig, JSON.parse(call) as RemoteCall).catch((error: unknown) => {
  process.stderr.write(error instanceof Error ? error.message : JSON.stringify(error));
  process.exitCode = 1;
});
