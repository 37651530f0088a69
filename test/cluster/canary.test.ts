import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { Cluster, endCommands, info, NAMESPACE, startTrellis, trellis, until } from '../support/cluster';
import { imageOf, pushImage, registryOf } from './support/images';
import { Traffic } from './support/traffic';

jest.setTimeout(300_000);

const SERVICE = 'noodleCore.runtime';
const CANARY = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/noodle-runtime-canary`;
const ROUTES = `/apis/gateway.networking.k8s.io/v1/namespaces/${NAMESPACE}/httproutes`;
const CERTIFICATES = { [NAMESPACE]: 'noodle-tls', 'noa-server-dev': 'noa-tls' } as const;
/** The controller of the local cluster keeps to weights behind a Gateway alone, which wants certificates by name and has no limit of bodies. */
const BEHIND_A_GATEWAY = [
  'cluster.ingress.backend=gateway',
  ...['noodleCore', 'noaServer'].flatMap((system) => [`${system}.tls.source=secret`, `${system}.ingress.maxBodySize=`]),
];

/** Loaded before the reference service: a version of it with a mistake. */
const MISTAKE = `
const { ServerResponse } = require('node:http');
const { writeHead } = ServerResponse.prototype;
ServerResponse.prototype.writeHead = function (status, ...rest) {
  return writeHead.call(this, this.req.url === '/' ? 500 : status, ...rest);
};
`;

interface Route {
  readonly spec: {
    readonly rules: readonly {
      readonly backendRefs?: readonly { readonly name: string; readonly weight?: number }[];
    }[];
  };
}

describe('a canary on the local cluster, judged by the Prometheus that runs there', () => {
  let cluster: Cluster;
  let good: string;
  let bad: string;
  let traffic: Traffic;

  const argv = (image: string, steps: string, time: string): readonly string[] => {
    const set = [...BEHIND_A_GATEWAY, `${SERVICE}.canary.source=image:${image}`].flatMap((one) => ['--set', one]);
    return ['canary', SERVICE, '--steps', steps, '--step-time', time, ...set];
  };
  /** Where requests to the runtime go, with their weights. */
  const weights = async (): Promise<Readonly<Record<string, number | undefined>>> => {
    const routes = await cluster.list<Route>(ROUTES);
    const refs = routes.flatMap(({ spec }) => spec.rules.flatMap(({ backendRefs = [] }) => backendRefs));
    const own = refs.filter(({ name }) => name.startsWith('noodle-runtime'));
    return Object.fromEntries(own.map(({ name, weight }) => [name, weight]));
  };

  /** A second version in the registry, made of the first one. */
  async function buildMistake(registry: string): Promise<string> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-canary-'));
    try {
      fs.writeFileSync(path.join(folder, 'mistake.js'), MISTAKE);
      const lines = [`FROM ${registry}/reference-service:dev`, 'COPY mistake.js /app/mistake.js'];
      fs.writeFileSync(
        path.join(folder, 'Dockerfile'),
        [...lines, 'ENV NODE_OPTIONS=--require=/app/mistake.js', ''].join('\n'),
      );
      return await pushImage(registry, 'reference-service-mistake', folder);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }

  beforeAll(async () => {
    cluster = new Cluster();
    await cluster.healthy();
    good = await imageOf(cluster, 'apps/v1/deployments/noodle-runtime');
    bad = await buildMistake(registryOf(good));
    const folder = path.dirname(info().caFile);
    const pem = (name: string): string => fs.readFileSync(path.join(folder, name), 'utf8');
    const stringData = { 'tls.crt': pem('ingress.crt'), 'tls.key': pem('ingress.key') };
    for (const [namespace, name] of Object.entries(CERTIFICATES))
      await cluster.create(`/api/v1/namespaces/${namespace}/secrets`, {
        ...{ metadata: { name }, type: 'kubernetes.io/tls', stringData },
      });
    traffic = new Traffic('/');
  });
  afterAll(async () => {
    await traffic?.end();
    await endCommands();
    await trellis('up');
    for (const [namespace, name] of Object.entries(CERTIFICATES))
      await cluster.remove(`/api/v1/namespaces/${namespace}/secrets/${name}`);
    await cluster.healthy();
  });

  test('that does well is given its share, and keeps it', async () => {
    const { stdout, output } = await trellis(...argv(good, '50', '30s'));
    expect(output).toMatch(
      /✔ 50 % of the requests for the canary of noodleCore\.runtime .*the budget of noodle-runtime-canary-availability burns at 0\.0 times/,
    );
    expect(stdout).toContain('The canary of noodleCore.runtime did well up to 50 %');
    expect(await weights()).toEqual({ 'noodle-runtime-service': 50, 'noodle-runtime-canary-service': 50 });
  });

  test('that answers with errors is taken back at its first step, by itself', async () => {
    const { code, output } = await startTrellis(argv(bad, '20,60', '3m')).exited;
    expect(code).toBe(1);
    expect(output).toMatch(
      /The canary of noodleCore\.runtime was taken back to 0 at 20 %: the budget of noodle-runtime-canary-availability burns at \d+\.\d times/,
    );
    expect(output).toContain('✔ Back to 0 % for the canary of noodleCore.runtime');
    expect(output).not.toContain('60 % of the requests');
    expect(await cluster.find(CANARY)).toBeUndefined();
    expect(Object.keys(await weights())).toEqual(['noodle-runtime-service']);
  });

  test('whose errors ended with it: every request is answered again', async () => {
    const { failed } = traffic;
    expect(failed.some((request) => request.includes(' ms: 500 '))).toBe(true);
    await until('requests without an error', async () => {
      const [sent, before] = [traffic.sent, failed.length];
      await until('a hundred more', () => traffic.sent >= sent + 100);
      return failed.length === before;
    });
  });
});
