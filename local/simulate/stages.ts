import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { LocalError } from '../errors';
import { root } from '../paths';

/** One step in the life of a kind of objects, as kwok plays it. */
export interface Stage {
  readonly apiVersion: string;
  readonly kind: 'Stage';
  readonly metadata: { readonly name: string };
  readonly spec: { readonly resourceRef: { readonly apiGroup: string; readonly kind: string } };
}

const FOLDER = path.join(root, 'local', 'simulate', 'stages');

/** Every stage that is written here, whether its kind exists or not. @throws LocalError where a file is no YAML */
export const allStages = (folder: string = FOLDER): readonly Stage[] =>
  fs
    .readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .flatMap((file) =>
      parseAllDocuments(fs.readFileSync(path.join(folder, file), 'utf8')).map((document) => {
        const [problem] = document.errors;
        if (problem !== undefined) throw new LocalError(`${file} is no YAML: ${problem.message}`);
        return document.toJS() as Stage;
      }),
    );

/** What the API server serves without any definition; the other kinds come from custom resource definitions. */
const BUILT_IN: ReadonlySet<string> = new Set(['v1', 'networking.k8s.io/v1']);

/** A kind that a custom resource definition adds. */
export interface ServedKind {
  readonly group: string;
  readonly kind: string;
}

/** kwok's configuration: the stages whose kinds are served, since it ends where it is to watch one that nobody serves. */
export function kwokConfiguration(custom: readonly ServedKind[]): string {
  const served = allStages().filter(({ spec: { resourceRef } }) => {
    const [group] = resourceRef.apiGroup.split('/');
    return (
      BUILT_IN.has(resourceRef.apiGroup) ||
      custom.some((each) => each.group === group && each.kind === resourceRef.kind)
    );
  });
  return served.map((stage) => `---\n${stringify(stage, { lineWidth: 0 })}`).join('');
}
