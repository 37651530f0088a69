import { parse } from 'yaml';
import { argocdTree } from '../../cli/gitops/argocd';
import { fluxTree } from '../../cli/gitops/flux';
import type { Tree } from '../../cli/gitops/tree';
import { secretId, secretTexts } from '../../bridge/secret-source';
import { render } from '../../bridge/render';
import { LateTokens } from '../../components/late';
import { Client } from '../../local/plugins/kubernetes/client';
import { connection } from '../../local/plugins/kubernetes/kubeconfig';
import { platformByTag, readSettings, renderObjects } from '../../stacks/render';
import { RECEIVER_URL } from '../../stacks/secret-modes';
import { mapSecrets } from '../../stacks/secret-names';
import { inClear } from '../support/clear';
import { ApiServer } from '../support/api-server';

jest.setTimeout(300_000);

interface Parsed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: unknown;
}
interface External extends Parsed {
  readonly spec: {
    readonly target: { readonly name: string; readonly template: { readonly data: Readonly<Record<string, string>> } };
    readonly data: readonly { readonly secretKey: string; readonly remoteRef: { readonly key: string } }[];
  };
}

const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  Ingress: 'ingresses',
  GitRepository: 'gitrepositories',
};
const ENVIRONMENTS = ['staging', 'prod'] as const;
const TREES = { argocd: argocdTree, flux: fluxTree };
const CASES = ENVIRONMENTS.flatMap((environment) =>
  (['argocd', 'flux'] as const).map((tool) => [tool, environment] as const),
);
/** Nobody but kustomize itself reads these. */
const isList = ({ apiVersion }: Parsed): boolean => apiVersion.startsWith('kustomize.config.k8s.io/');

async function treeFor(tool: keyof typeof TREES, stack: string): Promise<Tree> {
  const where = { stack, repository: 'https://git.example.com/p.git', path: `deploy/${stack}`, revision: 'main' };
  return TREES[tool](await renderObjects(stack), { ...where, prune: true, selfHeal: true });
}
const objectsIn = (tree: Tree): readonly Parsed[] =>
  [...tree.values()].map((text) => parse(text) as Parsed).filter((object) => !isList(object));

describe('a real API server accepts, strictly and without a warning,', () => {
  let server: ApiServer;
  let client: Client;
  beforeAll(async () => {
    server = await ApiServer.shared();
    client = new Client(connection({ kubeconfig: server.kubeconfig }));
    for (const name of ['argocd', 'flux-system']) await server.namespace(name);
  });
  afterAll(async () => {
    await server.destroy();
  });

  const apply = async (
    { apiVersion, kind, metadata }: Parsed,
    body: unknown,
    dry: boolean,
  ): Promise<readonly string[]> => {
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
    const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
    const query = `fieldManager=test&fieldValidation=Strict${dry ? '&dryRun=All' : ''}`;
    const path = `${group}${scope}/${plural}/${metadata.name}?${query}`;
    return client.send({ method: 'PATCH', path, contentType: 'application/apply-patch+yaml', body }).then(
      ({ warnings }) => warnings.map((warning) => `${kind} ${metadata.name}: ${warning}`),
      (error: unknown) => [`${kind} ${metadata.name}: ${error instanceof Error ? error.message : String(error)}`],
    );
  };

  test.each(CASES)('every object of a tree for %s, %s', async (tool, environment) => {
    const objects = objectsIn(await treeFor(tool, environment));
    expect(objects.length).toBeGreaterThan(100);
    for (const object of objects.filter(({ kind }) => kind === 'Namespace'))
      expect(await apply(object, object, false)).toEqual([]);
    const said = await Promise.all(objects.map((object) => apply(object, object, true)));
    expect(said.flat()).toEqual([]);
    const kinds = new Set(objects.map(({ kind }) => kind));
    expect([...kinds]).toEqual(
      expect.arrayContaining(tool === 'argocd' ? ['Application'] : ['Kustomization', 'GitRepository']),
    );
  });

  test('and refuses a field that a tool does not know, so that the check above can fail', async () => {
    const [application] = objectsIn(await treeFor('argocd', 'prod')).filter(({ kind }) => kind === 'Application');
    const typo = { ...application, spec: { ...(application?.spec as object), proejct: 'x' } };
    expect(await apply(application as Parsed, typo, true)).toEqual([expect.stringContaining('proejct')]);
  });
});

describe('a tree for a repository', () => {
  const canary = (name: string): string => `canary${name.replaceAll('-', '')}`.padEnd(64, 'x');

  test.each(CASES)('for %s, %s, is the same each time', async (tool, environment) => {
    expect([...(await treeFor(tool, environment))]).toEqual([...(await treeFor(tool, environment))]);
  });

  test.each(CASES)(
    'for %s, %s, refers to a secret exactly where a deployment has its value',
    async (tool, environment) => {
      const objects = objectsIn(await treeFor(tool, environment));
      expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
      const settings = await readSettings(environment);
      // What a deployment would fill in, with values that can be told.
      const app = platformByTag(settings, {
        values: mapSecrets(settings, ({ name }) => canary(name)),
        receiverUrl: canary(RECEIVER_URL),
      });
      const tokens = LateTokens.of(app);
      const deployed = new Map(
        render(app)
          .filter(({ kind }) => kind === 'Secret')
          .map((object) => [
            secretId(object),
            Object.fromEntries(Object.entries(secretTexts(object)).map(([key, text]) => [key, inClear(tokens, text)])),
          ]),
      );
      const externals = objects.filter((object): object is External => object.kind === 'ExternalSecret');
      const { prefix } = settings.secrets.store;
      const templated = externals.map(({ metadata, spec }) => {
        const values = new Map(
          spec.data.map(({ secretKey, remoteRef: { key } }) => [secretKey, canary(key.slice(prefix.length + 1))]),
        );
        const filled = Object.entries(spec.target.template.data).map(([key, text]) => [
          key,
          text.replace(/\{\{ \.(\w+) \}\}/g, (_, variable: string) => values.get(variable) ?? 'nothing'),
        ]);
        return [`${metadata.namespace ?? ''}/${spec.target.name}`, Object.fromEntries(filled)] as const;
      });
      expect(JSON.stringify([...deployed])).toContain('canary');
      expect(Object.fromEntries(templated)).toEqual(Object.fromEntries(deployed));
    },
  );
});
