import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { dockerProvider } from '../../../../local/plugins/docker/provider';
import type { ReadResponse } from '../../../../local/plugins/shared/provider';
import { plain, Secret } from '../../../../local/plugins/shared/values';
import { context, DIGEST, inputs, lines, withFakeDocker } from './docker-support';

withFakeDocker();

describe('read', () => {
  let server: http.Server;
  let seen: http.IncomingMessage[];
  let respond: (response: http.ServerResponse) => void;
  let registry: string;
  beforeEach(async () => {
    seen = [];
    server = http.createServer((request, response) => {
      seen.push(request);
      respond(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => server.close());

  const read = async (): Promise<ReadResponse> => {
    const given = inputs({ registry: { username: 'u', password: new Secret('p') } });
    const state = { repoDigest: `${registry}/team/app@${DIGEST}`, imageName: 'x' };
    return (await dockerProvider().read?.({ id: 'image', state, inputs: given }, context())) as ReadResponse;
  };

  test('what the registry has is there', async () => {
    respond = (response) => response.writeHead(200).end();
    expect((await read()).id).toBe('image');
    expect([seen[0]?.method, seen[0]?.url]).toEqual(['HEAD', `/v2/team/app/manifests/${DIGEST}`]);
    expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('u:p').toString('base64')}`);
  });
  test('what the registry lost is gone', async () => {
    respond = (response) => response.writeHead(404).end();
    expect((await read()).id).toBe('');
  });
  test('what can’t be asked counts as there, with a warning', async () => {
    respond = (response) => response.writeHead(503).end();
    expect((await read()).id).toBe('image');
    expect(lines[0]).toMatch(/^warning could not ask the registry.*503/);
  });
  test('an image is imported by its name', async () => {
    respond = (response) => response.writeHead(200, { 'docker-content-digest': DIGEST }).end();
    const id = `${registry}/team/app:v1`;
    const answer = (await dockerProvider().read?.({ id, state: {}, inputs: {} }, context())) as ReadResponse;
    expect([answer.id, answer.inputs, plain(answer.outputs)['repoDigest']]).toEqual([
      id,
      { imageName: id },
      `${registry}/team/app@${DIGEST}`,
    ]);
  });
});
