import type { V1Pod } from '@kubernetes/client-node';

import { Cluster, isReady, NAMESPACE, request, until } from '../support/cluster';
import { ApiToken } from './support/notes';
import type { Note } from './support/notes';

jest.setTimeout(300_000);

const core = (kind: string, name: string): string => `/api/v1/namespaces/${NAMESPACE}/${kind}/${name}`;

describe('what a pod wrote outlives it', () => {
  let cluster: Cluster;
  let user: ApiToken;

  /** Deletes a pod, and waits for another in its place that is Ready. */
  const replace = async (service: string): Promise<void> => {
    const selector = `app.kubernetes.io/name=${service}`;
    const before = (await cluster.pods(selector)).map((pod) => pod.metadata?.uid);
    expect(before).not.toHaveLength(0);
    for (const pod of await cluster.pods(selector)) await cluster.remove(core('pods', pod.metadata?.name ?? ''));
    await until(`a new pod of ${service}`, async () => {
      const now = (await cluster.pods(selector)).filter((pod: V1Pod) => !before.includes(pod.metadata?.uid));
      return now.length > 0 && now.every(isReady);
    });
    await cluster.healthy();
  };

  beforeAll(async () => {
    cluster = new Cluster();
    await cluster.healthy();
    user = await ApiToken.create(cluster);
  });

  test('the API asks for a token that was signed with the generated key', async () => {
    expect((await request('/api/notes')).status).toBe(401);
    const forged = user.token.replace(/\.[^.]+$/, `.${Buffer.alloc(32).toString('base64url')}`);
    expect((await request('/api/notes', { headers: { authorization: `Bearer ${forged}` } })).status).toBe(401);
    expect((await user.request('/api/notes')).status).toBe(200);
  });

  test('another runtime pod takes the place of one that was deleted', async () => {
    const note = await user.write('before the runtime pod was deleted');
    await replace('noodle-runtime');
    const { status, body } = await user.request(`/api/notes/${note.id}`);
    expect({ status, note: (JSON.parse(body) as { note: Note }).note }).toEqual({ status: 200, note });
  });

  test('a row is read back after the PostgreSQL pod was deleted', async () => {
    const note = await user.write('before the PostgreSQL pod was deleted');
    await replace('postgres');
    expect(await user.list()).toContainEqual(note);
  });

  test('a cached value is read back after the Redis pod was deleted', async () => {
    const note = await user.write('before the Redis pod was deleted');
    await replace('redis');
    const { body } = await user.request(`/api/notes/${note.id}`);
    expect(JSON.parse(body)).toEqual({ note, source: 'redis' });
  });
});
