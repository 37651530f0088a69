import { previewReport } from '../../cli/preview-report';
import { planUpdate } from '../../local/engine/preview';
import { ApiServer } from '../support/api-server';
import { Engine } from '../support/engine';

jest.setTimeout(600_000);

const CANARIES = ['canary-7c2d-before', 'canary-7c2d-after'] as const;

/** A release with one object of each fate; `now` is how they shall be. */
const program = (now: boolean): string => {
  const [value, secret, gone] = now
    ? ['2', CANARIES[1], "config('fresh', 'x')"]
    : ['1', CANARIES[0], "config('gone', 'x')"];
  return `
  const metadata = (name) => ({ name, namespace: 'preview', annotations: { 'pulumi.com/skipAwait': 'true' } });
  const config = (name, a) => new k8s.core.v1.ConfigMap(name, { metadata: metadata(name), data: { a } }, opts);
  config('settings', '${value}');
  config('url', pulumi.interpolate\`postgres://u:\${pulumi.secret('${secret}')}@h\`);
  ${gone};
  new k8s.core.v1.Secret('db', { metadata: metadata('db'), stringData: { password: '${secret}' } }, opts);
  new k8s.batch.v1.Job('load', { metadata: metadata('load'), spec: { suspend: true, template: { spec: {
    restartPolicy: 'Never', containers: [{ name: 'load', image: 'load:${value}' }] } } } }, opts);
`;
};

describe('a plan from the real engine', () => {
  let server: ApiServer;
  let engine: Engine;
  beforeAll(async () => {
    server = await ApiServer.shared();
    await server.namespace('preview');
    engine = await Engine.create({ kubeconfig: server.kubeconfig });
    engine.program(program(false));
    await engine.up();
    engine.program(program(true));
  });
  afterAll(async () => {
    await engine.dispose();
    await server.destroy();
  });

  test('names each change with its fields, and no secret', async () => {
    const plan = await planUpdate({ stack: 'test', ...engine.prepared });
    const found = plan.changes.map(({ action, resource, fields }) => ({
      what: `${action} ${resource}`,
      fields: fields.map(({ field, left, right, forces }) => ({ field, left, right, forces })),
    }));
    const hidden = { left: '(secret)', right: '(secret)', forces: false };
    expect(found.sort((a, b) => (a.what < b.what ? -1 : 1))).toEqual([
      { what: 'create ConfigMap fresh', fields: [] },
      { what: 'delete ConfigMap gone', fields: [] },
      {
        what: 'replace Job load',
        fields: [{ field: 'spec.template.spec.containers[0].image', left: 'load:1', right: 'load:2', forces: true }],
      },
      { what: 'update ConfigMap settings', fields: [{ field: 'data.a', left: '1', right: '2', forces: false }] },
      { what: 'update ConfigMap url', fields: [{ field: 'data.a', ...hidden }] },
      { what: 'update Secret db', fields: [{ field: 'stringData.password', ...hidden }] },
    ]);
    const report = previewReport('Preview', [{ stack: 'test', plan }], 65_536);
    for (const canary of CANARIES) {
      expect(JSON.stringify(plan) + report).not.toContain(canary);
      expect(JSON.stringify(plan) + report).not.toContain(Buffer.from(canary).toString('base64'));
    }
  });

  test('is empty where nothing would change, and says why where it can’t be made', async () => {
    await engine.up();
    expect((await planUpdate({ stack: 'test', ...engine.prepared })).changes).toEqual([]);
    engine.program(`throw new Error('the definition is broken');`);
    await expect(planUpdate({ stack: 'test', ...engine.prepared })).rejects.toThrow('the definition is broken');
    await expect(planUpdate({ stack: 'nowhere', ...engine.prepared })).rejects.toThrow(
      "no stack named 'nowhere' found",
    );
  });
});
