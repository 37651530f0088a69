import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';

import type { V1CronJob, V1Job, V1PersistentVolume, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';

import { Cluster, isReady, NAMESPACE, request, until } from '../support/cluster';
import { ApiToken } from './support/notes';
import type { Note } from './support/notes';

jest.setTimeout(300_000);

const core = (kind: string, name: string): string => `/api/v1/namespaces/${NAMESPACE}/${kind}/${name}`;
const batch = (kind: string): string => `/apis/batch/v1/namespaces/${NAMESPACE}/${kind}`;

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

  test('the backup leaves a dump with its checksum, and keeps no more than it should', async () => {
    await user.write('before the backup');
    const cron = await cluster.get<V1CronJob>(`${batch('cronjobs')}/postgres-backup`);
    const name = `backup-by-hand-${Date.now()}`;
    const { spec, metadata } = cron.spec?.jobTemplate ?? {};
    await cluster.create(batch('jobs'), {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { ...metadata, name, annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' } },
      spec,
    });
    try {
      const job = await until('the end of the backup', async () => {
        const { status } = await cluster.get<V1Job>(`${batch('jobs')}/${name}`);
        return status?.conditions?.find(({ type, status: is }) => is === 'True' && /^(Complete|Failed)$/.test(type));
      });
      expect(job.type).toBe('Complete');
    } finally {
      await cluster.remove(`${batch('jobs')}/${name}`);
    }

    const claim = await cluster.get<V1PersistentVolumeClaim>(core('persistentvolumeclaims', 'postgres-backup'));
    const volume = await cluster.get<V1PersistentVolume>(
      `/api/v1/persistentvolumes/${claim.spec?.volumeName ?? 'none'}`,
    );
    const folder = volume.spec?.local?.path ?? volume.spec?.hostPath?.path ?? '';
    const files = fs.readdirSync(folder).filter((file) => !file.startsWith('.'));
    const dumps = files.filter((file) => file.endsWith('.dump')).sort();
    expect(dumps.length).toBeGreaterThanOrEqual(1);
    expect(dumps.length).toBeLessThanOrEqual(2);
    expect(files.filter((file) => file.endsWith('.sha256')).sort()).toEqual(dumps.map((dump) => `${dump}.sha256`));
    for (const dump of dumps) {
      const content = fs.readFileSync(path.join(folder, dump));
      expect(content.subarray(0, 5).toString()).toBe('PGDMP');
      expect(content.includes('notes')).toBe(true);
      const sum = createHash('sha256').update(content).digest('hex');
      expect(fs.readFileSync(path.join(folder, `${dump}.sha256`), 'utf8')).toBe(`${sum}  ${dump}\n`);
    }
  });
});
