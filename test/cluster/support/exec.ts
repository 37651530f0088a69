import { ClusterTestError, info, start } from '../../support/cluster';

// The client library is made of ES modules, which only a process of its own can load.
const EXEC = `
  import { Exec, KubeConfig } from '@kubernetes/client-node';
  const [file, namespace, pod, container, ...command] = process.argv.slice(1);
  const config = new KubeConfig();
  config.loadFromFile(file);
  await new Exec(config).exec(namespace, pod, container, command, process.stdout, process.stderr, null, false, ({ status }) => {
    process.exitCode = status === 'Success' ? 0 : 1;
  });
`;

/** What a command in a container prints. @throws ClusterTestError with all that it printed where it fails */
export async function inContainer(
  where: { readonly namespace: string; readonly pod: string; readonly container: string },
  ...command: readonly string[]
): Promise<string> {
  const { namespace, pod, container } = where;
  const node = [process.execPath, '--input-type=module', '-e', EXEC];
  const { code, stdout, output } = await start([...node, info().kubeconfig, namespace, pod, container, ...command])
    .exited;
  if (code !== 0) throw new ClusterTestError(`${command[0] ?? ''} in ${pod} ended with ${code}: ${output}`);
  return stdout.trim();
}
