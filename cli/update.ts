import { readCheckpoint, recover, runUpdate, type PreparedEngine } from '../local/index';
import { overridden } from './override';
import type { Setting } from './setting';
import type { StepUi } from './steps';

export interface UpdateRequest {
  readonly stack: string;
  readonly engine: PreparedEngine;
  /** Look first for changes made by hand, and undo them. @default false */
  readonly refresh?: boolean;
  /** Keys of the configuration that have another value this time. @default - none */
  readonly set?: readonly Setting[];
  /** What a user types to go on after an interruption. @default `./trellis up -s <stack>` */
  readonly again?: string;
}

/** `pulumi up` of a stack, after what a killed run left was put right. @returns what changed, in a few words */
export async function updateStack(request: UpdateRequest, { report, progress }: StepUi): Promise<string> {
  const { stack, engine, refresh = false, set = [], again } = request;
  const { pulumi, env, backend } = engine;
  if (backend === undefined) for (const line of await recover({ stack, pulumi, env, report })) report(line);
  const expected = backend === undefined ? (readCheckpoint(stack)?.resources ?? 0) : 0;
  const configFile = overridden(stack, set);
  const { summary } = await runUpdate({
    ...{ verb: 'up', stack, refresh, pulumi, env, expected, onProgress: progress },
    ...(configFile === undefined ? {} : { configFile }),
    ...(again === undefined ? {} : { again }),
  });
  return summary;
}
