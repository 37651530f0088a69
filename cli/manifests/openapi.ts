import * as fs from 'node:fs';
import * as https from 'node:https';
import * as path from 'node:path';
import { parse } from 'yaml';
import { CliError } from '../exit';

/** Part of a JSON schema, as the API server's OpenAPI document holds it. */
export type Schema = Readonly<Record<string, unknown>>;

interface Document {
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

/** Counts up when the conversion changes, so that files made by an older one are not used. */
const GENERATION = 1;

/** Where kubeconform finds the schema of a kind; the name that it fills in is the one that `fileOf` makes. */
export const schemaLocation = (folder: string): string =>
  path.join(folder, '{{ .ResourceKind }}{{ .KindSuffix }}.json');

/** `deployment-apps-v1.json`, `ingress-networking-v1.json`, `secret-v1.json`. */
export function fileOf(group: string, version: string, kind: string): string {
  const [first = ''] = group.split('.');
  return `${[kind, first, version].filter(Boolean).join('-').toLowerCase()}.json`;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A schema as kubeconform reads it: references into the file itself, no vendor fields, and no field beside those that are
 * named, since a misspelt one would be dropped by the server without a word.
 */
export function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (!isObject(schema)) return schema;
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties !== undefined;
  const entries = Object.entries(schema)
    .filter(([key]) => !key.startsWith('x-kubernetes-'))
    .map(([key, value]): [string, unknown] => {
      if (key === '$ref' && typeof value === 'string')
        return [key, value.replace('#/components/schemas/', '#/definitions/')];
      // Below `properties` the keys are names of fields: one that is called like a keyword is no keyword.
      if (key === 'properties' && isObject(value))
        return [key, Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, strict(inner)]))];
      return [key, key === 'default' || key === 'enum' ? value : strict(value)];
    });
  const closed = isObject(schema.properties) && !open ? [['additionalProperties', false] as const] : [];
  return Object.fromEntries([...entries, ...closed]);
}

/** Names of the schemas that one refers to, directly or through others, itself included. */
function closure(schemas: Readonly<Record<string, Schema>>, name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, target] of JSON.stringify(schemas[name] ?? {}).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
    closure(schemas, target ?? '', seen);
  return seen;
}

/** Every kind of a document with the text of its schema file. */
export function schemaFiles(document: Document): ReadonlyMap<string, string> {
  const schemas = document.components?.schemas ?? {};
  const files = new Map<string, string>();
  for (const [name, schema] of Object.entries(schemas)) {
    const kinds = schema['x-kubernetes-group-version-kind'];
    const isKind = isObject(schema.properties) && 'metadata' in schema.properties && Array.isArray(kinds);
    if (!isKind || kinds.length !== 1) continue;
    const { group, version, kind } = kinds[0] as { group: string; version: string; kind: string };
    const names = [...closure(schemas, name)];
    const definitions = Object.fromEntries(names.map((each) => [each, strict(schemas[each])]));
    const whole = { $schema: 'http://json-schema.org/draft-07/schema#', $ref: `#/definitions/${name}`, definitions };
    files.set(fileOf(group, version, kind), JSON.stringify(whole));
  }
  return files;
}

/** A definition of a custom resource, as far as it is read here. */
interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

/** Every kind that custom resources have, with the text of its schema file. */
export const customSchemaFiles = (definitions: readonly Definition[]): ReadonlyMap<string, string> =>
  new Map(
    definitions.flatMap(({ spec: { group, names, versions } }) =>
      versions.map(({ name, schema }): [string, string] => [
        fileOf(group, name, names.kind),
        JSON.stringify({
          $schema: 'http://json-schema.org/draft-07/schema#',
          ...(strict(schema.openAPIV3Schema) as Schema),
        }),
      ]),
    ),
  );

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
}

/** Asks the API server that a kubeconfig of ours names (it holds one cluster, one user and certificates). */
function getter(kubeconfig: string): (url: string) => Promise<unknown> {
  const { clusters, users } = parse(fs.readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const decode = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64');
  const agent = new https.Agent({
    keepAlive: true,
    ca: decode(clusters[0].cluster['certificate-authority-data']),
    cert: decode(users[0].user['client-certificate-data']),
    key: decode(users[0].user['client-key-data']),
  });
  return (url) =>
    new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new CliError(`The API server did not answer ${url}: ${why}.`));
      https
        .get(`${clusters[0].cluster.server ?? ''}${url}`, { agent, timeout: 30_000 }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            if (response.statusCode !== 200) return fail(`status ${response.statusCode ?? '?'}`);
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
          });
        })
        .on('error', (error) => fail(error.message));
    });
}

/** The folder that holds, or shall hold, the schemas of a version of Kubernetes. */
export const schemaFolder = (cache: string, version: string): string =>
  path.join(cache, 'schemas', `${version}-${GENERATION}`);

/** Writes the schemas of every kind that an API server knows; the folder appears whole or not at all. */
export async function writeSchemas(kubeconfig: string, folder: string): Promise<number> {
  const get = getter(kubeconfig);
  const { paths } = (await get('/openapi/v3')) as { paths: Record<string, { serverRelativeURL: string }> };
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  const temporary = fs.mkdtempSync(`${folder}.`);
  let count = 0;
  for (const [name, { serverRelativeURL }] of Object.entries(paths)) {
    if (!/^apis?\/.*v\d/.test(name)) continue;
    for (const [file, text] of schemaFiles((await get(serverRelativeURL)) as Document)) {
      fs.writeFileSync(path.join(temporary, file), text);
      count += 1;
    }
  }
  try {
    fs.renameSync(temporary, folder);
  } catch {
    fs.rmSync(temporary, { recursive: true, force: true }); // Another run was first; its files are the same.
  }
  return count;
}
