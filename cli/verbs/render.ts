import { CliError, EXIT } from '../exit';
import { argocdTree } from '../gitops/argocd';
import { fluxTree } from '../gitops/flux';
import type { GitOpsTool } from '../gitops/options';
import { checkOptions } from '../gitops/options';
import { writeTree } from '../gitops/write';
import { fromCaller, put } from '../output';
import { renderStack, renderStackTree } from '../stack-program';

export interface RenderOptions {
  readonly stack: string;
  readonly output?: string;
  /** Tool that a tree is written for. */
  readonly for?: GitOpsTool;
  readonly repository?: string;
  readonly path: string;
  readonly revision: string;
  readonly prune: boolean;
  readonly selfHeal: boolean;
}

const TREES = { argocd: argocdTree, flux: fluxTree };

/** Prints a stack's manifests, or writes them whole into a file, or as a tree for a tool that reconciles from a repository. */
export async function render(options: RenderOptions): Promise<void> {
  const { stack, output, for: tool } = options;
  if (tool !== undefined) return renderTree(tool, options);
  const manifests = await renderStack(stack);
  put(manifests, output);
  if (output !== undefined) {
    process.stderr.write(`${output}: ${manifests.split(/^---$/m).length} objects of ${stack}\n`);
  }
}

async function renderTree(tool: GitOpsTool, options: RenderOptions): Promise<void> {
  const { stack, output, repository } = options;
  if (output === undefined || repository === undefined) {
    throw new CliError(`--for ${tool} needs -o FOLDER, and --repository, the URL that it fetches`, EXIT.usage);
  }
  const checked = checkOptions(tool, { ...options, repository });
  const { files, removed } = writeTree(fromCaller(output), TREES[tool](await renderStackTree(stack), checked));
  const gone = removed.length === 0 ? '' : `, ${removed.length} of an earlier render removed`;
  process.stderr.write(`${output}: ${files} files of ${stack} for ${tool}${gone}\n`);
}
