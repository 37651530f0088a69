import type { IConstruct } from 'constructs';

/**
 * Bad input to a component: every problem at once, each with what was found and what is allowed.
 * The construct path comes first, so that the line in the caller's program is found by its ids.
 */
export class ValidationError extends Error {
  /** Path of the construct that refused its props, such as `noodle-core/postgres`. */
  public readonly path: string;
  /** One sentence a problem, in the order of the checks. */
  public readonly problems: readonly string[];

  public constructor(scope: IConstruct | string, problems: readonly string[]) {
    const path = typeof scope === 'string' ? scope : scope.node.path;
    super(`${path}: ${problems.join('\n'.padEnd(path.length + 3))}`);
    this.name = 'ValidationError';
    this.path = path;
    this.problems = problems;
  }
}
