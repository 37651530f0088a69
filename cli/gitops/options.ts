import { CliError, EXIT } from '../exit';

/** Tools that reconcile a cluster from a repository. */
export const GITOPS_TOOLS = ['argocd', 'flux'] as const;
export type GitOpsTool = (typeof GITOPS_TOOLS)[number];

/** What a tree is written for. */
export interface GitOpsOptions {
  readonly stack: string;
  /** URL that the tool fetches. */
  readonly repository: string;
  /** Where the tree lies in the repository; empty for its root. */
  readonly path: string;
  /** Branch, `refs/…` or commit. */
  readonly revision: string;
  /** Whether what leaves the repository leaves the cluster too. */
  readonly prune: boolean;
  /** Whether what is changed by hand is changed back. */
  readonly selfHeal: boolean;
}

const URL_FORM = /^(https?|ssh):\/\/[^\s]+$/;
const SCP_FORM = /^[\w.-]+@[\w.-]+:[^\s]+$/;

/**
 * Checks what was asked for.
 * @throws CliError with all problems
 */
export function checkOptions(tool: GitOpsTool, options: GitOpsOptions): GitOpsOptions {
  const { repository, path, revision, selfHeal } = options;
  const problems: string[] = [];
  if (!URL_FORM.test(repository) && (tool === 'flux' || !SCP_FORM.test(repository)))
    problems.push(`--repository: must be a URL such as https://git.example.com/team/platform.git`);
  // The URL becomes part of a manifest.
  if (/^\w+:\/\/[^/@]*:[^/@]*@/.test(repository))
    problems.push('--repository: must hold no password; the tool has its credentials in the cluster');
  const parts = path === '' ? [] : path.split('/');
  if (parts.some((part) => !/^[\w.-]+$/.test(part) || part === '..'))
    problems.push(`--path: must be a path inside of the repository, got '${path}'`);
  if (!/^[\w][\w./-]*$/.test(revision))
    problems.push(`--revision: must be a branch, refs/… or a commit, got '${revision}'`);
  if (tool === 'flux' && !selfHeal)
    problems.push('--no-self-heal: is for argocd; Flux changes back what was changed by hand, always');
  if (problems.length === 0) return { ...options, path: parts.filter((part) => part !== '.').join('/') };
  throw new CliError(problems.join('\n'), EXIT.usage);
}

/** A path in the repository, with `/` whatever the machine's separator is. */
export const inRepository = ({ path }: GitOpsOptions, ...parts: readonly string[]): string =>
  [path, ...parts].filter((part) => part !== '').join('/');
