import { CliError } from '../exit';

/** Where a job speaks to GitHub, as its environment says. */
export interface Github {
  /** Such as `https://api.github.com`. */
  readonly api: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly token: string;
}

/** @throws CliError where a variable is missing */
export function githubOf(environment: Readonly<Record<string, string | undefined>>): Github {
  const read = (name: string): string => {
    const value = environment[name];
    if (value === undefined || value === '') throw new CliError(`${name} is not set: this runs in a job of GitHub.`);
    return value;
  };
  return {
    api: read('GITHUB_API_URL').replace(/\/$/, ''),
    repository: read('GITHUB_REPOSITORY'),
    token: read('GITHUB_TOKEN'),
  };
}

/** @throws CliError with the status and GitHub's own words, never with the token */
export async function call<T>(github: Github, method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${github.api}/repos/${github.repository}/${path}`, {
    method,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${github.token}`,
      'content-type': 'application/json',
      'x-github-api-version': '2022-11-28',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new CliError(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

const PAGE = 100;

/** Every item of a list, page by page. */
export async function all<T>(github: Github, path: string): Promise<readonly T[]> {
  const found: T[] = [];
  for (let page = 1; ; page += 1) {
    const separator = path.includes('?') ? '&' : '?';
    const items = await call<readonly T[]>(github, 'GET', `${path}${separator}per_page=${PAGE}&page=${page}`);
    found.push(...items);
    if (items.length < PAGE) return found;
  }
}
