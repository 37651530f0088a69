import { App, Chart } from 'cdk8s';
import { NamespaceBaseline } from '../../components/namespace-baseline';
import { LateTokens } from '../../components/late';
import { podTemplate } from '../../bridge/references';
import type { RenderedObject } from '../../bridge/render';
import { render } from '../../bridge/render';
import { Client } from '../../local/plugins/kubernetes/client';
import { connection } from '../../local/plugins/kubernetes/kubeconfig';
import { ApiServer } from '../support/api-server';
import type { ComponentCase } from '../support/props';
import { componentCases } from '../support/props';
import { serviceCases } from '../support/service-cases';

jest.setTimeout(300_000);

const PLURALS: Readonly<Record<string, string>> = { NetworkPolicy: 'networkpolicies', Ingress: 'ingresses' };
const baseline: ComponentCase = { name: 'NamespaceBaseline', build: () => undefined };

describe('a real API server admits, strictly and under Pod Security restricted,', () => {
  let server: ApiServer;
  let client: Client;
  beforeAll(async () => {
    server = await ApiServer.shared();
    client = new Client(connection({ kubeconfig: server.kubeconfig }));
    await server.ensure('/apis/node.k8s.io/v1/runtimeclasses', {
      metadata: { name: 'nvidia' },
      handler: 'nvidia',
    });
  });
  afterAll(async () => {
    await server.destroy();
  });

  /** Server-side apply of one object; unknown or repeated fields are errors. */
  const apply = async (
    object: Pick<RenderedObject, 'apiVersion' | 'kind' | 'name' | 'namespace'>,
    manifest: unknown,
    query = '',
  ) => {
    const group = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
    const scope = object.kind === 'Namespace' ? '' : `/namespaces/${object.namespace ?? ''}`;
    const plural = PLURALS[object.kind] ?? `${object.kind.toLowerCase()}s`;
    const answer = await client.send({
      method: 'PATCH',
      path: `${group}${scope}/${plural}/${object.name}?fieldManager=test&fieldValidation=Strict${query}`,
      contentType: 'application/apply-patch+yaml',
      // Late values are any text to the server.
      body: JSON.parse(
        LateTokens.split(JSON.stringify(manifest))
          .map((part) => (part.token ? 'late' : part.text))
          .join(''),
      ),
    });
    return { warnings: answer.warnings, object: JSON.parse(answer.text) as { metadata: { resourceVersion: string } } };
  };

  test.each([baseline, ...componentCases, ...serviceCases].map((one, index) => ({ ...one, index })))(
    '$name, with its pods, and a second apply changes nothing',
    async ({ build, index }) => {
      const chart = new Chart(new App(), 'chart', { namespace: `case-${index}` });
      new NamespaceBaseline(chart, 'baseline', {});
      build(chart);
      const objects = render(App.of(chart));
      const versions: string[] = [];
      for (const object of objects) {
        const { warnings, object: made } = await apply(object, object.manifest);
        expect({ path: object.path, warnings }).toEqual({ path: object.path, warnings: [] });
        versions.push(made.metadata.resourceVersion);
      }
      for (const [position, object] of objects.entries()) {
        // The API server itself writes these once more at their second apply, though nothing in them changes: a Gateway gets the
        // status that its definition has as a default.
        if (['PersistentVolumeClaim', 'Gateway'].includes(object.kind)) continue;
        const { object: again } = await apply(object, object.manifest);
        expect(`${object.path} ${again.metadata.resourceVersion}`).toBe(`${object.path} ${versions[position] ?? ''}`);
      }
      for (const object of objects) {
        const template = podTemplate(object);
        if (template === undefined) continue;
        const pod = { apiVersion: 'v1', kind: 'Pod', name: 'probe', namespace: object.namespace };
        // A claim template becomes a volume when its controller makes the pod.
        const claims = (
          (object.manifest.spec as { volumeClaimTemplates?: readonly { metadata: { name: string } }[] })
            .volumeClaimTemplates ?? []
        ).map(({ metadata: { name } }) => ({ name, persistentVolumeClaim: { claimName: name } }));
        const spec = template.spec as { volumes?: readonly unknown[] };
        const manifest = {
          ...template,
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { ...(template.metadata as object), name: 'probe' },
          spec: { ...spec, volumes: [...(spec.volumes ?? []), ...claims] },
        };
        expect((await apply(pod, manifest, '&dryRun=All')).warnings).toEqual([]);
      }
    },
  );

  test('and refuses a pod that is not hardened, so that the check above can fail', async () => {
    await server.call('POST', '/api/v1/namespaces', {
      metadata: { name: 'strict', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    await server.call('POST', '/api/v1/namespaces/strict/serviceaccounts', { metadata: { name: 'default' } });
    const pod = { apiVersion: 'v1', kind: 'Pod', name: 'probe', namespace: 'strict' };
    const manifest = { ...pod, metadata: { name: 'probe' }, spec: { containers: [{ name: 'c', image: 'web' }] } };
    await expect(
      apply(pod, { apiVersion: 'v1', kind: 'Pod', metadata: manifest.metadata, spec: manifest.spec }, '&dryRun=All'),
    ).rejects.toThrow(/violates PodSecurity "restricted/);
  });
});
