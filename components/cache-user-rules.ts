import type { CacheTopology } from './cache-topology';
import type { CacheUser } from './cache-users';
import { RESERVED_USERS } from './cache-users';
import { passwordProblems } from './database-rules';
import type { Password } from './rotating-password';
import type { Problems } from './validation';

/** What the rules of users look at. */
export interface UserRulesInput {
  readonly users: readonly CacheUser[];
  readonly password: Password | undefined;
  readonly allowedCommands: readonly string[];
  readonly topology: CacheTopology;
}

/** A command in small letters, with `|` before a subcommand. */
export const commandFits = (command: string): boolean => /^[a-z]+(\|[a-z-]+)?$/.test(command);

// Blanks end a rule, and a control character could end the line: the rest would be a rule of its own.
const patternFits = (pattern: string): boolean => /^[!-~]{1,256}$/.test(pattern);

/** Adds what is wrong with users and with the commands that are let through. */
export function userProblems(problems: Problems, input: UserRulesInput): void {
  const { users, password, allowedCommands } = input;
  for (const command of allowedCommands) {
    problems.require(
      commandFits(command),
      `allowedCommands: '${command}' must be a command in small letters, with '|' before a subcommand`,
    );
    secretProblem(problems, `allowedCommands: '${command}'`, command, input);
  }
  const names = users.map(({ name }) => name);
  for (const twice of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
    problems.require(false, `users: '${twice}' is named twice`);
  }
  problems.require(
    !(users.length > 0 && password === undefined),
    'users need a password to stand beside: without one every client may do all that clients may',
  );
  for (const user of users) oneUser(problems, user, input);
}

function oneUser(problems: Problems, user: CacheUser, input: UserRulesInput): void {
  const at = `users['${user.name}']`;
  problems
    .require(
      /^[a-z][a-z0-9-]{0,30}$/.test(user.name),
      `${at}: the name must be small letters, digits and '-', a letter first, at most 31`,
    )
    .require(!RESERVED_USERS.includes(user.name), `${at}: the name is the component's own`)
    .require(user.permissions.length > 0, `${at}: permissions must name at least one`)
    .require(
      user.keys.length + user.channels.length > 0,
      `${at} sees neither keys nor channels: give it patterns of either`,
    );
  for (const pattern of [...user.keys, ...user.channels]) {
    problems.require(patternFits(pattern), `${at}: the pattern '${pattern}' must be printable, without blanks`);
  }
  for (const { single } of user.permissions) {
    if (single === undefined) continue;
    problems.require(
      commandFits(single),
      `${at}: '${single}' must be a command in small letters, with '|' before a subcommand`,
    );
    secretProblem(problems, `${at}: '${single}'`, single, input);
  }
  passwordProblems(problems, user.password, `${at}: password`);
}

function secretProblem(problems: Problems, what: string, command: string, { topology }: UserRulesInput): void {
  problems.require(
    !(topology.members !== undefined && /^(config(\|get)?|acl(\|.*)?)$/.test(command)),
    `${what} would show or change the password of the members`,
  );
}
