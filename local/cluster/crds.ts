import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalError } from '../errors';
import { root } from '../paths';
import type { Report } from '../report';
import type { Api } from './api';
import { until } from './supervise';

/** A schema of the OpenAPI subset that a CustomResourceDefinition takes. */
export type CrdSchema = Readonly<Record<string, unknown>>;

/** A CustomResourceDefinition, as far as it is read here. */
export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: {
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly group: string;
    readonly scope: 'Cluster' | 'Namespaced';
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly schema: { readonly openAPIV3Schema: CrdSchema };
    }[];
  };
}

/** Read from the clone, not from beside this file: the CLI may run as a bundle that lies elsewhere. */
export const CRD_FOLDER = path.join(root, 'local', 'cluster', 'crds');

/** Every definition that the project pins, written by `npm run imports`: what their authors publish, without the descriptions. */
export const customResourceDefinitions = (folder: string = CRD_FOLDER): readonly CustomResourceDefinition[] =>
  fs
    .readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')) as CustomResourceDefinition);

/** Tells by itself whether the cluster has a definition as it is here: to compare all of its fields is slow. */
const DIGEST = 'trellis.local/digest';

const digestOf = (crd: CustomResourceDefinition): string =>
  createHash('sha256').update(JSON.stringify(crd)).digest('hex').slice(0, 16);

interface LiveDefinition {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** What the cluster has, by name; with a digest only where the kind is served already. */
async function served(api: Api): Promise<ReadonlyMap<string, string | undefined>> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const { items } = (await api.get<{ readonly items: readonly LiveDefinition[] }>(path)) ?? { items: [] };
  const established = ({ status }: LiveDefinition): boolean =>
    (status?.conditions ?? []).some((one) => one.type === 'Established' && one.status === 'True');
  return new Map(
    items.map((one) => [one.metadata.name, established(one) ? one.metadata.annotations?.[DIGEST] : undefined]),
  );
}

/** Seconds that a kind may take until it is served; it takes one on a quiet machine. */
const SERVED_SECONDS = 60;

/**
 * Makes the API server know every kind of `customResourceDefinitions`, so that definitions are checked and stored here as they are elsewhere.
 * Whether a program acts on them is another matter: here Traefik does on those of the Gateway API.
 *
 * @throws LocalError naming each kind that is not served in time
 */
export async function installCustomResources(api: Api, report: Report): Promise<void> {
  const wanted = customResourceDefinitions().map((crd) => ({ crd, digest: digestOf(crd) }));
  const missing = async (): Promise<typeof wanted> => {
    const live = await served(api);
    return wanted.filter(({ crd, digest }) => live.get(crd.metadata.name) !== digest);
  };
  const toApply = await missing();
  if (toApply.length === 0) return;
  report(`${toApply.length} definitions of custom resources`);
  await Promise.all(
    toApply.map(({ crd, digest }) => {
      const metadata = { ...crd.metadata, annotations: { ...crd.metadata.annotations, [DIGEST]: digest } };
      return api.apply({ ...crd, metadata });
    }),
  );
  if (await until(async () => (await missing()).length === 0, SERVED_SECONDS)) return;
  const names = (await missing()).map(({ crd }) => crd.metadata.name);
  throw new LocalError(`Not served after ${SERVED_SECONDS} seconds: ${names.join(', ')}.`);
}
