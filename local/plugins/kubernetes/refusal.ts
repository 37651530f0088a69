import type { ApiError } from './errors';
import { KubernetesError } from './errors';
import type { KubeObject } from './objects';
import { display } from './objects';

/** What the API server said about an object, field by field, with the object's name in front. */
export function explain(error: ApiError, object: KubeObject): string {
  const causes = error.status.details?.causes ?? [];
  const what = display(object);
  if (error.code === 409 && causes.some((cause) => cause.reason === 'FieldManagerConflict')) {
    const lines = causes.map((cause) => {
      const manager = /conflict with "([^"]*)"/.exec(cause.message ?? '')?.[1] ?? 'another manager';
      return `  - ${cause.field ?? 'a field'} is managed by "${manager}"`;
    });
    return [
      `${what}: other managers own fields that this program sets:`,
      ...lines,
      '  Take the field out of the program, or set the annotation pulumi.com/patchForce: "true" to take it over.',
    ].join('\n');
  }
  if (causes.length > 1) {
    const lines = causes.map((cause) => `  - ${[cause.field, cause.message].filter(Boolean).join(': ')}`);
    return [`${what} is refused by the API server:`, ...lines].join('\n');
  }
  return `${what} is refused by the API server: ${error.message}`;
}

/** An object of that name exists and was not made by this resource. */
export function alreadyExists(object: KubeObject): KubernetesError {
  return new KubernetesError(
    `${display(object)} already exists and is not managed by this resource. ` +
      'Import it, add an alias if the resource was renamed, or set upsertExistingObjects on the provider.',
  );
}
