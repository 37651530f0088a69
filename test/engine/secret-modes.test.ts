import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../../local/plugins/kubernetes/errors';
import { ApiServer } from '../support/api-server';
import { until } from '../support/cluster';
import { Engine } from '../support/engine';
import type { Step } from '../support/engine';

jest.setTimeout(600_000);

const CANARY = 'canary-4e1b-must-not-leak';
const REPOSITORY = path.resolve(__dirname, '../..');
const NAMESPACE = 'secret-modes';
const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`;
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/web`;
const KINDS = {
  external: {
    url: `/apis/external-secrets.io/v1/namespaces/${NAMESPACE}/externalsecrets/db`,
    source: `{ kind: 'ClusterSecretStore', name: 'store' }`,
    value: `new ExternalSecretValue('trellis/password')`,
    condition: 'Ready',
  },
  sealed: {
    url: `/apis/bitnami.com/v1alpha1/namespaces/${NAMESPACE}/sealedsecrets/db`,
    source: `{ kind: 'SealedSecret', ciphertexts: { '${NAMESPACE}/db': { password: 'AgB4' } } }`,
    value: `new SealedSecretValue('password')`,
    condition: 'Synced',
  },
};

/** A Secret with a URL, and pods that read it. */
const release = ({ source, value }: { readonly source: string; readonly value: string }): string => `
  require('${REPOSITORY}/local/register-typescript');
  const { App, Chart, ApiObject } = require('cdk8s');
  const { ClusterRelease, ExternalSecretValue, SealedSecretValue } = require('${REPOSITORY}/bridge');
  const { LateTokens } = require('${REPOSITORY}/components/late');
  const app = new App();
  const chart = new Chart(app, 'chart', { namespace: '${NAMESPACE}' });
  const password = LateTokens.of(app).asSecret(chart, ${value});
  const stringData = { PASSWORD: password, URL: 'postgres://u:' + password + '@h/d' };
  new ApiObject(chart, 'db', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db' }, stringData });
  const env = [{ name: 'URL', valueFrom: { secretKeyRef: { name: 'db', key: 'URL' } } }];
  new ApiObject(chart, 'web', {
    apiVersion: 'apps/v1', kind: 'Deployment',
    metadata: { name: 'web', annotations: { 'pulumi.com/skipAwait': 'true' } },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'web', env }] } },
    },
  });
  new ClusterRelease('release', { app, secrets: ${source} }, { provider });
`;

describe('a release whose Secrets are made in the cluster', () => {
  let server: ApiServer;
  let engine: Engine;
  beforeAll(async () => {
    server = await ApiServer.shared();
    await server.namespace(NAMESPACE);
  });
  beforeEach(async () => {
    engine = await Engine.create({ kubeconfig: server.kubeconfig });
  });
  afterEach(async () => {
    // Not by the engine, which would wait for a garbage collector to end each of them.
    for (const url of [DEPLOYMENT, `${SECRETS}/db`, ...Object.values(KINDS).map(({ url }) => url)])
      if (await exists(url)) await server.call('DELETE', url);
    await engine.dispose();
  });
  afterAll(async () => {
    await server.destroy();
  });

  const exists = (url: string): Promise<boolean> =>
    server.call('GET', url).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ApiError && error.code === 404) return false;
        throw error;
      },
    );
  /** Stands in for the operator: makes the Secret with a value that nobody else knows, and says so. */
  const operate = async (kind: keyof typeof KINDS): Promise<void> => {
    const stringData = { PASSWORD: CANARY, URL: `postgres://u:${CANARY}@h/d` };
    await server.call('POST', SECRETS, { metadata: { name: 'db' }, stringData });
    const conditions = [{ type: KINDS[kind].condition, status: 'True' }];
    await server.call('PATCH', `${KINDS[kind].url}/status`, { status: { conditions } });
  };
  const changes = async (): Promise<readonly string[]> =>
    (await engine.steps()).map(({ op, urn }: Step) => `${op} ${urn.split('::').at(-1) ?? ''}`).sort();

  test.each(['external', 'sealed'] as const)(
    '%s: pods start once the operator has made it, and no value comes near the engine',
    async (kind) => {
      engine.program(release(KINDS[kind]));
      const { exited } = engine.start(['up', '--yes', '--skip-preview']);
      await until('the operator’s work is asked for', () => exists(KINDS[kind].url));
      // Longer than an engine that takes silence for readiness would wait.
      await sleep(5_000);
      expect(await exists(DEPLOYMENT)).toBe(false);
      expect(await exists(`${SECRETS}/db`)).toBe(false);
      await operate(kind);
      const run = await exited;
      expect({ code: run.code, output: run.output }).toMatchObject({ code: 0 });
      expect(await exists(DEPLOYMENT)).toBe(true);
      expect(await changes()).toEqual([]);
      const types = (await engine.resources()).map(({ type }) => type);
      expect(types.filter((type) => /random|core\/v1:Secret$/.test(type))).toEqual([]);
      for (const needle of [CANARY, Buffer.from(CANARY).toString('base64')]) {
        expect(run.output).not.toContain(needle);
        expect(engine.filesWith(needle)).toEqual([]);
      }
      const changed = {
        external: { value: `new ExternalSecretValue('trellis/other')`, source: KINDS.external.source },
        sealed: { value: KINDS.sealed.value, source: KINDS.sealed.source.replace('AgB4', 'AgB5') },
      };
      engine.program(release(changed[kind]));
      expect(await changes()).toEqual(['update chart/db', 'update chart/web']);
    },
  );
});
