import { Size } from 'cdk8s';
import type { GpuInferenceDeploymentProps } from './gpu-inference-deployment';
import type { Volume, VolumeMount } from './kube';
import type { Lifecycle } from './lifecycle';

/** Key of the Secret. */
export const API_KEY_NAME = 'API_KEY';
/** Directory that the Secret is mounted on: a file, since environment is shown by `kubectl describe` and inherited by children. */
export const API_KEY_MOUNT = '/run/secrets/inference';
export const API_KEY_FILE = `${API_KEY_MOUNT}/${API_KEY_NAME}`;

const DEFAULT_SLOTS = 4;
const DEFAULT_CONTEXT = 4096;
export const DEFAULT_SHARED_MEMORY = Size.mebibytes(256);

/** Arguments of llama.cpp's server that the component decides; a user's own must not contradict them. */
export const OWN_ARGS: ReadonlySet<string> = new Set(
  `--host --port --metrics --slots --no-slots --ui --no-ui --webui --no-webui --cors-origins --cors-credentials --no-cors-credentials
   --model -m --parallel -np --ctx-size -c --n-gpu-layers --gpu-layers -ngl --timeout -to --api-key --api-key-file`.split(
    /\s+/,
  ),
);

/**
 * Arguments of llama.cpp's server. Its own defaults listen on loopback, hide the metrics, show every user's prompt on `/slots`,
 * allow pages of any origin to call it with credentials, and serve a web interface.
 */
export function serverArgs(
  server: { readonly host: string; readonly port: number; readonly targetPort: number; readonly lifecycle: Lifecycle },
  props: GpuInferenceDeploymentProps,
  apiKeyFile: string | undefined,
): readonly string[] {
  const { slots = DEFAULT_SLOTS, contextPerSlot = DEFAULT_CONTEXT, corsOrigins = [], extraArgs = [] } = props;
  const own = `http://${server.host}${server.port === 80 ? '' : `:${server.port}`}`;
  return [
    ...['--host', '0.0.0.0', '--port', String(server.targetPort)],
    '--metrics',
    '--no-slots',
    '--no-webui',
    ...['--cors-origins', corsOrigins.length > 0 ? corsOrigins.join(',') : own],
    '--no-cors-credentials',
    ...['--model', props.model._path],
    // The server divides the context among the slots.
    ...['--parallel', String(slots), '--ctx-size', String(slots * contextPerSlot)],
    // More layers than any model has: all of them, in every version of the server.
    ...['--n-gpu-layers', props.gpu.accelerated ? '999' : '0'],
    ...['--timeout', String(server.lifecycle.longestRequestSeconds)],
    ...(apiKeyFile === undefined ? [] : ['--api-key-file', apiKeyFile]),
    ...extraArgs,
  ];
}

/** The API key as a file that the server's group may read. */
export const apiKeyVolume = (secretName: string): { volumes: readonly Volume[]; mounts: readonly VolumeMount[] } => ({
  volumes: [{ name: 'api-key', secret: { secretName, defaultMode: 0o440 } }],
  mounts: [{ name: 'api-key', mountPath: API_KEY_MOUNT, readOnly: true }],
});
