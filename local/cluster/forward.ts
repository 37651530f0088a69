import * as esbuild from 'esbuild';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { root } from '../paths';
import type { Forward } from './forwarder';
import type { Layout } from './layout';
import type { Program } from './supervise';

const SOURCE = path.join(root, 'local', 'cluster', 'forwarder.ts');

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** The forwarder as a program: one bundled file, run by this very Node, on the host's side of the link. */
export function forwarderProgram(layout: Layout, forwards: readonly Forward[]): Program {
  const bundle = path.join(layout.config, 'forwarder.cjs');
  esbuild.buildSync({ entryPoints: [SOURCE], outfile: bundle, bundle: true, platform: 'node', target: 'node20' });
  return {
    name: 'forwarder',
    argv: [process.execPath, '--max-old-space-size=64', bundle, JSON.stringify(forwards)],
    reads: [fs.readFileSync(bundle, 'utf8')],
    ready: async () => (await Promise.all(forwards.map(({ port }) => accepts(port)))).every((open) => open),
  };
}
