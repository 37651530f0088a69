import { createHmac } from 'node:crypto';

import { ClusterTestError, NAMESPACE, request } from '../../support/cluster';
import type { Answer, Cluster, RequestOptions } from '../../support/cluster';

/** One row of the reference service. */
export interface Note {
  readonly id: string;
  readonly body: string;
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A user of the reference service's API, with a token signed by the key that the stack generated. */
export class ApiToken {
  private constructor(public readonly token: string) {}

  public static async create(cluster: Cluster): Promise<ApiToken> {
    const url = `/api/v1/namespaces/${NAMESPACE}/secrets/noodle-runtime-secret`;
    const { data } = await cluster.get<{ readonly data: { readonly SECRET_KEY: string } }>(url);
    const claims = { sub: 'test', aud: 'noodle-runtime', exp: Math.floor(Date.now() / 1000) + 3600 };
    const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
    const key = Buffer.from(data.SECRET_KEY, 'base64');
    return new ApiToken(`${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`);
  }

  public request(target: string, options: RequestOptions = {}): Promise<Answer> {
    return request(target, { ...options, headers: { authorization: `Bearer ${this.token}` } });
  }

  /** Writes a row, and a copy of it into the cache. @throws ClusterTestError unless both took it */
  public async write(body: string): Promise<Note> {
    const answer = await this.request('/api/notes', { method: 'POST', json: { body } });
    const parsed = answer.status === 201 ? (JSON.parse(answer.body) as { note: Note; cached: boolean }) : undefined;
    if (parsed?.cached !== true)
      throw new ClusterTestError(`a note was answered with ${answer.status}: ${answer.body}`);
    return parsed.note;
  }

  /** The newest rows, from the database alone. */
  public async list(): Promise<readonly Note[]> {
    return (JSON.parse((await this.request('/api/notes')).body) as { notes: readonly Note[] }).notes;
  }
}
