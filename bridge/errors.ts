/** A definition that must not reach a cluster. Every problem is listed, each with its construct path and field. */
export class DefinitionError extends Error {
  public readonly problems: readonly string[];

  public constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    super(`The definition has ${count}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'DefinitionError';
    this.problems = problems;
  }
}
