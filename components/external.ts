import type { IConstruct } from 'constructs';

const TYPE = 'trellis:external-object';

/** An object that the definition reads and somebody else makes. */
export interface ExternalObject {
  readonly kind: 'Secret' | 'ConfigMap' | 'ServiceAccount' | 'PersistentVolumeClaim';
  readonly name: string;
}

/**
 * Says that an object is made outside this definition, such as the Secret of a managed database.
 * A reference to anything that is neither defined nor declared is refused, since its pod would never start.
 */
export function declareExternal(scope: IConstruct, kind: ExternalObject['kind'], name: string): void {
  scope.node.addMetadata(TYPE, { kind, name } satisfies ExternalObject);
}

/** Everything declared under `root`. */
export const externalObjects = (root: IConstruct): readonly ExternalObject[] =>
  root.node
    .findAll()
    .flatMap((construct) => construct.node.metadata)
    .flatMap((entry) => (entry.type === TYPE ? [entry.data as ExternalObject] : []));
