import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import type { KubernetesClient } from '../../../local/kubernetes-client';
import { kubernetesClientFile } from '../../../local/kubernetes-client';
import { root, typescript } from '../../../local/paths';

describe('the client library in one file', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-client-'));
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  test('has all that the verbs take from it, and reads a kubeconfig', async () => {
    const library = jest.requireActual<KubernetesClient>(await kubernetesClientFile(folder));
    const config = new library.KubeConfig();
    config.loadFromClusterAndUser(
      { name: 'c', server: 'https://127.0.0.1:1', skipTLSVerify: false },
      { name: 'u', token: 't' },
    );
    expect(config.getCurrentCluster()?.server).toBe('https://127.0.0.1:1');
    expect(config.makeApiClient(library.CoreV1Api)).toHaveProperty('listNamespacedPod');
    expect(config.makeApiClient(library.AppsV1Api)).toHaveProperty('listNamespacedDeployment');
    expect(config.makeApiClient(library.AutoscalingV2Api)).toHaveProperty('listNamespacedHorizontalPodAutoscaler');
    expect(config.makeApiClient(library.BatchV1Api)).toHaveProperty('listNamespacedJob');
    expect(config.makeApiClient(library.NetworkingV1Api)).toHaveProperty('listNamespacedIngress');
    expect(new library.Exec(config)).toHaveProperty('handler');
    expect(new library.Log(config)).toHaveProperty('config');
  });

  test('is made once, and takes the place of one from other packages', async () => {
    fs.mkdirSync(path.join(folder, 'old'));
    const earlier = await kubernetesClientFile(folder);
    fs.rmSync(path.dirname(earlier), { recursive: true });
    const file = await kubernetesClientFile(folder);
    const { mtimeMs } = fs.statSync(file);
    expect(await kubernetesClientFile(folder)).toBe(file);
    expect(fs.statSync(file).mtimeMs).toBe(mtimeMs);
    fs.rmSync(path.dirname(file), { recursive: true });
    await Promise.all([kubernetesClientFile(folder), kubernetesClientFile(folder)]);
    expect(fs.readdirSync(folder)).toEqual([path.basename(path.dirname(file))]);
  });

  test('is what a connection of the CLI has, and no module of the library itself is loaded', () => {
    const program = `
      const { kubernetesClient } = require('./local/index');
      kubernetesClient().then(({ CoreV1Api }) => {
        const loaded = Object.keys(require.cache).filter((file) => /node_modules.@kubernetes/.test(file));
        process.stdout.write(JSON.stringify([typeof CoreV1Api, loaded]));
      });`;
    const said = execFileSync(process.execPath, [...typescript, '--eval', program], { cwd: root, encoding: 'utf8' });
    expect(JSON.parse(said)).toEqual(['function', []]);
  });
});
