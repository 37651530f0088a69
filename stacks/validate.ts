import type { z } from 'zod';
import type { Settings } from './schema';
import { settingsSchema } from './schema';

/** Bad configuration: every problem at once, each with its key, what was found and what is allowed. */
export class ConfigurationError extends Error {
  public readonly problems: readonly string[];

  public constructor(where: string, problems: readonly string[]) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    super(`${where} has ${count}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

/**
 * Checks the configuration of one environment.
 * @param where named in the error, such as `Pulumi.dev.yaml`
 * @param values by key, without the project's prefix
 * @param secretKeys keys whose values must not be shown
 * @throws ConfigurationError with all problems
 */
export function validateSettings(
  where: string,
  values: Readonly<Record<string, unknown>>,
  secretKeys: ReadonlySet<string> = new Set(),
): Settings {
  const result = settingsSchema.safeParse(values, { reportInput: true });
  if (result.success) return result.data;
  throw new ConfigurationError(where, result.error.issues.flatMap((issue) => describe(issue, secretKeys)).sort());
}

function describe(issue: z.core.$ZodIssue, secretKeys: ReadonlySet<string>): readonly string[] {
  const key = keyOf(issue.path);
  const [top = ''] = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => `${keyOf([...issue.path, name])}: is not a known key`);
  }
  if (issue.input === undefined) return [`${key}: is missing; ${expected(issue)}`];
  const found = secretKeys.has(top) ? 'a secret value' : show(issue.input);
  return [`${key}: ${expected(issue)}, got ${found}`];
}

function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be of type ${issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must be at least ${String(issue.minimum)}`;
    case 'too_big':
      return `must be at most ${String(issue.maximum)}`;
    default:
      return issue.message;
  }
}

const keyOf = (path: readonly PropertyKey[]): string => {
  const [top = '', ...rest] = path.map(String);
  return `trellis:${[top, ...rest].join('.')}`;
};

// JSON, so that a control character or a look-alike blank is seen; cut, so that a pasted file does not fill the screen.
function show(value: unknown): string {
  const text = JSON.stringify(value);
  const plain = text.replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return plain.length > 80 ? `${plain.slice(0, 77)}…` : plain;
}
