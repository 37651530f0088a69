import { kubernetesClientFile } from '../../../local/index';
import { ClusterTestError, info, start } from '../../support/cluster';

const EXEC = `
  const [client, file, namespace, pod, container, ...command] = process.argv.slice(1);
  const { Exec, KubeConfig } = require(client);
  const config = new KubeConfig();
  config.loadFromFile(file);
  const ended = ({ status }) => { process.exitCode = status === 'Success' ? 0 : 1; };
  new Exec(config).exec(namespace, pod, container, command, process.stdout, process.stderr, null, false, ended);
`;

/** What a command in a container prints. @throws ClusterTestError with all that it printed where it fails */
export async function inContainer(
  where: { readonly namespace: string; readonly pod: string; readonly container: string },
  ...command: readonly string[]
): Promise<string> {
  const { namespace, pod, container } = where;
  const node = [process.execPath, '-e', EXEC, await kubernetesClientFile(), info().kubeconfig];
  const { code, stdout, output } = await start([...node, namespace, pod, container, ...command]).exited;
  if (code !== 0) throw new ClusterTestError(`${command[0] ?? ''} in ${pod} ended with ${code}: ${output}`);
  return stdout.trim();
}
