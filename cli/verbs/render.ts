import * as fs from 'node:fs';
import * as path from 'node:path';
import { renderStack } from '../stack-program';

export interface RenderOptions {
  readonly stack: string;
  readonly output?: string;
}

/** Prints a stack's manifests, or writes them whole into a file. */
export async function render({ stack, output }: RenderOptions): Promise<void> {
  const manifests = await renderStack(stack);
  if (output === undefined) process.stdout.write(manifests);
  else {
    const file = path.resolve(process.env.TRELLIS_CWD ?? '.', output);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, manifests);
    process.stderr.write(`${output}: ${manifests.split(/^---$/m).length} objects of ${stack}\n`);
  }
}
