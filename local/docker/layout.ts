import * as path from 'node:path';
import { cloneId, runtimeDir, state } from '../paths';

/** Where the private engine of a clone keeps what it has. */
export interface DockerLayout {
  /** Images and layers. */
  readonly data: string;
  /** Sockets and what lives as long as the engine. */
  readonly run: string;
  readonly socket: string;
  readonly config: string;
  readonly recordFile: string;
  readonly logFile: string;
}

/** The kernel takes 108 bytes for the path of a socket, its end included; the engine's longest name below `run`. */
const SOCKET_LIMIT = 107;
const LONGEST_SOCKET = 'containerd/containerd-debug.sock.ttrpc';

/** The layout under `base`; sockets move to /run where the clone's path is too long for them. */
export function dockerLayout(base: string = state('docker'), id: string = cloneId): DockerLayout {
  const near = path.join(base, 'run');
  const run = path.join(near, LONGEST_SOCKET).length <= SOCKET_LIMIT ? near : path.join(runtimeDir(id), 'docker');
  return {
    data: path.join(base, 'data'),
    run,
    socket: path.join(run, 'docker.sock'),
    config: path.join(base, 'daemon.json'),
    recordFile: path.join(base, 'dockerd.json'),
    logFile: path.join(base, 'dockerd.log'),
  };
}
