import type { Duration } from 'cdk8s';
import type { Probe } from '../../components/kube';
import { compute } from '../../components/pod';
import type { Beside } from './server';

const VOLUME = 'pods';
const FOLDER = `/run/${VOLUME}`;
/** Its own `/tmp`. */
const SCRATCH = 'discovery-tmp';
/** It writes the time of its last question here. */
const ASKED = `${FOLDER}/.asked`;

/** File with the pods of a namespace. */
export const podFile = (namespace: string): string => `${FOLDER}/${namespace}.json`;

/** The program that writes the pods of namespaces into files, from the image of `images/prometheus`. */
export function podDiscovery(image: string, namespaces: readonly string[], interval: Duration): Beside {
  // Where the API server does not answer it goes on asking, and a restart would mend nothing; where it hangs, one does.
  const asked = (minutes: number): Probe => ({
    exec: { command: ['sh', '-c', `test -n "$(find ${ASKED} -mmin -${minutes})"`] },
  });
  return {
    volumes: [
      { name: VOLUME, emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
      { name: SCRATCH, emptyDir: { sizeLimit: '64Mi' } },
    ],
    mounts: [{ name: VOLUME, mountPath: FOLDER, readOnly: true }],
    containers: [
      {
        name: 'pod-discovery',
        image,
        command: ['/usr/bin/tini', '--', '/usr/local/bin/pod-discovery'],
        env: [
          { name: 'DISCOVERY_DIR', value: FOLDER },
          { name: 'DISCOVERY_NAMESPACES', value: namespaces.join(' ') },
          { name: 'DISCOVERY_SECONDS', value: String(interval.toSeconds()) },
        ],
        resources: compute([10, 200], [16, 64]),
        scratch: SCRATCH,
        mounts: [{ name: VOLUME, mountPath: FOLDER }],
        probes: {
          startup: { ...asked(3), periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 60 },
          liveness: { ...asked(5), periodSeconds: 60, timeoutSeconds: 5, failureThreshold: 2 },
          readiness: { ...asked(3), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
        },
      },
    ],
  };
}
