import { put } from '../output';
import { renderStack } from '../stack-program';

export interface RenderOptions {
  readonly stack: string;
  readonly output?: string;
}

/** Prints a stack's manifests, or writes them whole into a file. */
export async function render({ stack, output }: RenderOptions): Promise<void> {
  const manifests = await renderStack(stack);
  put(manifests, output);
  if (output !== undefined) {
    process.stderr.write(`${output}: ${manifests.split(/^---$/m).length} objects of ${stack}\n`);
  }
}
