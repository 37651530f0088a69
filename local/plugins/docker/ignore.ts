/** One line of a `.dockerignore`: a pattern, and whether it takes paths back in. */
interface Rule {
  readonly expression: RegExp;
  readonly includes: boolean;
}

const special = /[.+^$(){}|\\]/;

/** Translates a pattern as Docker reads it: `*` and `?` stay within a name, `**` crosses directories. */
function translate(pattern: string): RegExp {
  let expression = '';
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index] ?? '';
    if (character === '*' && pattern[index + 1] === '*') {
      index++;
      if (pattern[index + 1] === '/') {
        index++;
        expression += '(?:.*/)?';
      } else expression += '.*';
    } else if (character === '*') expression += '[^/]*';
    else if (character === '?') expression += '[^/]';
    else if (character === '[' && pattern.includes(']', index + 1)) {
      const end = pattern.indexOf(']', index + 1);
      expression += `[${pattern.slice(index + 1, end).replace(/\\/g, '\\\\')}]`;
      index = end;
    } else if (character === '\\' && index + 1 < pattern.length) {
      index++;
      expression += (pattern[index] ?? '').replace(special, '\\$&');
    } else expression += character.replace(special, '\\$&');
  }
  return new RegExp(`^${expression}$`, 's');
}

/** Reads the rules, comments and blank lines left out; a leading slash means nothing. */
function parse(text: string): readonly Rule[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .flatMap((line) => {
      const includes = line.startsWith('!');
      const parts = (includes ? line.slice(1).trim() : line).split('/').filter((part) => part !== '' && part !== '.');
      return parts.length === 0 ? [] : [{ expression: translate(parts.join('/')), includes }];
    });
}

/** Which paths of a build context are sent to the builder. */
export class Ignore {
  private readonly rules: readonly Rule[];
  /** Whether a path below an ignored directory may still be taken in. */
  public readonly hasExceptions: boolean;

  /** `text` is the content of `.dockerignore`; empty where there is none. */
  public constructor(text: string) {
    this.rules = parse(text);
    this.hasExceptions = this.rules.some((rule) => rule.includes);
  }

  /** Whether a path, relative to the context and with `/`, is left out. A rule for a directory holds for all in it. */
  public excludes(path: string): boolean {
    const parts = path.split('/');
    const levels = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    let excluded = false;
    for (const { expression, includes } of this.rules) {
      if (excluded === includes && levels.some((level) => expression.test(level))) excluded = !includes;
    }
    return excluded;
  }
}
