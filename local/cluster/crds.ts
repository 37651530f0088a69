import * as fs from 'node:fs';
import * as path from 'node:path';
import { root } from '../paths';

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
