import * as http from 'node:http';
import type { AddressInfo } from 'node:net';

import { ClusterAccess } from '../../../../local/plugins/kubernetes/access';
import { messageOf } from '../../../../local/plugins/kubernetes/errors';

/** What a container printed though nobody may read it. */
const CANARY = 'canary-that-nobody-may-read';
const DEPLOYMENT = '/apis/apps/v1/namespaces/shop/deployments/web';

const deployment = {
  ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
  metadata: { name: 'web', namespace: 'shop', generation: 2 },
  spec: { replicas: 1, selector: { matchLabels: { app: 'web' } } },
  status: {
    observedGeneration: 2,
    conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'too late' }],
  },
};
const crashing = {
  metadata: { name: 'web-1', namespace: 'shop' },
  status: {
    containerStatuses: [
      {
        ...{ name: 'web', restartCount: 3, ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } },
        lastState: { terminated: { exitCode: 78, reason: 'Error' } },
      },
    ],
  },
};
const secret = { metadata: { name: 'web-secret' }, data: { KEY: Buffer.from(CANARY).toString('base64') } };

describe('access to a cluster', () => {
  let server: http.Server;
  let access: ClusterAccess;
  let answers: Record<string, unknown>;
  const asked: { readonly method: string; readonly url: string; readonly type: string; readonly body: string }[] = [];

  beforeAll(async () => {
    server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        asked.push({ method, url, type: headers['content-type'] ?? '', body });
        const answer = answers[url.split('?')[0] ?? ''];
        const code = typeof answer === 'number' ? answer : answer === undefined ? 404 : 200;
        const status = { kind: 'Status', message: `no ${url}`, reason: 'NotFound' };
        response.writeHead(code, { 'content-type': 'application/json' });
        response.end(typeof answer === 'string' ? answer : JSON.stringify(code === 200 ? answer : status));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const clusters = [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }];
    const contexts = [{ name: 'mine', context: { cluster: 'c' } }];
    access = new ClusterAccess(JSON.stringify({ clusters, contexts, 'current-context': 'other' }), 'mine');
  });
  beforeEach(() => {
    asked.length = 0;
    answers = {
      '/apis/apps/v1': { resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true }] },
      [DEPLOYMENT]: deployment,
      '/api/v1/namespaces/shop/pods': { items: [crashing] },
      '/api/v1/namespaces/shop/events': { items: [] },
      '/api/v1/namespaces/shop/pods/web-1/log': `starting\nbad key ${CANARY}`,
      '/api/v1/namespaces/shop/secrets': { items: [secret] },
    };
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const failure = async (): Promise<string> =>
    access.rolledOut(deployment, { progress: () => undefined }).then(() => 'it did not fail', messageOf);

  test('a roll-out that failed is told in the container’s own words, without what its Secrets hold', async () => {
    const told = await failure();
    expect(told).toContain('ProgressDeadlineExceeded: too late');
    expect(told).toContain('pod web-1, container web: ended with exit code 78, 3 restarts; its last lines:');
    expect(told).toContain('| starting');
    expect(told).toContain('| bad key [secret]');
    expect(told).not.toContain(CANARY);
  });

  test('and without its output at all where the Secrets can’t be read', async () => {
    answers['/api/v1/namespaces/shop/secrets'] = 403;
    const told = await failure();
    expect(told).toContain('ended with exit code 78, 3 restarts; see ./trellis logs');
    expect(told).not.toContain('starting');
    expect(told).not.toContain(CANARY);
  });

  test('a patch says how it is meant, and under which name', async () => {
    await access.patch({ path: DEPLOYMENT, body: { spec: { replicas: 2 } }, manager: 'kubectl-trellis' });
    await access.patch({ path: DEPLOYMENT, body: [], type: 'json', manager: 'trellis' });
    expect(asked.map(({ method, url, type }) => [method, url, type])).toEqual([
      ['PATCH', `${DEPLOYMENT}?fieldManager=kubectl-trellis`, 'application/merge-patch+json'],
      ['PATCH', `${DEPLOYMENT}?fieldManager=trellis`, 'application/json-patch+json'],
    ]);
  });

  test('a deletion is of the object with this uid; one that is gone is well', async () => {
    await access.remove('/api/v1/namespaces/shop/pods/gone', 'uid-1');
    expect(asked[0]).toMatchObject({ method: 'DELETE', body: expect.stringContaining('"uid":"uid-1"') as string });
  });

  test('what is not there, or served by nobody, is nothing', async () => {
    expect(await access.find('/apis/none/v1/things/x')).toBeUndefined();
    expect(await access.list('/apis/none/v1/things')).toEqual([]);
  });
});

test('another context than the one that was asked for is never taken', () => {
  const kubeconfig = JSON.stringify({ clusters: [], contexts: [], 'current-context': 'mine' });
  expect(() => new ClusterAccess(kubeconfig, 'other')).toThrow('context "other" does not exist');
});
