import type { App } from 'cdk8s';
import { Chart } from 'cdk8s';

import { podTemplate } from '../../bridge/references';
import type { RenderedObject } from '../../bridge/render';
import { render } from '../../bridge/render';
import { LateTokens } from '../../components/late';
import { Client } from '../../local/plugins/kubernetes/client';
import { connection } from '../../local/plugins/kubernetes/kubeconfig';
import { ApiServer } from './api-server';

/** Namespace that charts have to be in; Pod Security `restricted` is enforced there. */
export const ADMISSION_NAMESPACE = 'dry-run';

const PLURALS: Readonly<Record<string, string>> = { NetworkPolicy: 'networkpolicies', Ingress: 'ingresses' };

interface Claimed {
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
}

/** What a real API server says to the objects of a chart and to the pods that come of them; nothing of it is kept. */
export class Admission {
  public static async start(): Promise<Admission> {
    const server = await ApiServer.shared();
    await server.ensure('/api/v1/namespaces', {
      metadata: { name: ADMISSION_NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    const accounts = `/api/v1/namespaces/${ADMISSION_NAMESPACE}/serviceaccounts`;
    await server.ensure(accounts, { metadata: { name: 'default' } });
    return new Admission(server);
  }

  private readonly client: Client;

  private constructor(public readonly server: ApiServer) {
    this.client = new Client(connection({ kubeconfig: server.kubeconfig }));
  }

  /** Refusals and warnings, each after kind and name; none where everything is admitted. */
  public async problems(chart: Chart): Promise<readonly string[]> {
    const objects = render(Chart.of(chart).node.root as App);
    const said = objects.flatMap((object) => [this.ask(object, object.manifest), this.askPod(object)]);
    return (await Promise.all(said)).flat();
  }

  public destroy(): Promise<void> {
    return this.server.destroy();
  }

  private async ask(
    {
      apiVersion,
      kind,
      name,
      namespace = ADMISSION_NAMESPACE,
    }: Pick<RenderedObject, 'apiVersion' | 'kind' | 'name'> & {
      readonly namespace?: string | undefined;
    },
    manifest: unknown,
  ): Promise<readonly string[]> {
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
    // Late values are any text to the server.
    const parts = LateTokens.split(JSON.stringify(manifest)).map((part) => (part.token ? 'late' : part.text));
    const query = 'fieldManager=test&fieldValidation=Strict&dryRun=All';
    const path = `${group}/namespaces/${namespace}/${plural}/${name}?${query}`;
    const contentType = 'application/apply-patch+yaml';
    return this.client.send({ method: 'PATCH', path, contentType, body: JSON.parse(parts.join('')) }).then(
      ({ warnings }) => warnings.map((warning) => `${kind} ${name}: ${warning}`),
      (error: unknown) => [`${kind} ${name}: ${error instanceof Error ? error.message : String(error)}`],
    );
  }

  private async askPod(object: RenderedObject): Promise<readonly string[]> {
    const template = podTemplate(object);
    if (template === undefined) return [];
    const { volumes = [], ...spec } = template.spec as { readonly volumes?: readonly unknown[] };
    // A claim template becomes a volume when its controller makes the pod.
    const templates = (object.manifest.spec as Claimed).volumeClaimTemplates ?? [];
    const claims = templates.map(({ metadata: { name } }) => ({ name, persistentVolumeClaim: { claimName: name } }));
    const pod = { apiVersion: 'v1', kind: 'Pod', name: object.name };
    return this.ask(pod, {
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { ...(template.metadata as object), name: object.name },
      // Nothing is kept, its own account neither.
      spec: { ...spec, serviceAccountName: 'default', volumes: [...volumes, ...claims] },
    });
  }
}
