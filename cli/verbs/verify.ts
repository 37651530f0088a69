import { siteOf } from '../cluster/site';
import { EXIT } from '../exit';
import { NOTICE, rehearsalAsked } from '../rehearsal';
import { count, failures, lines } from '../verify/result';
import { findings } from '../verify/verify';

export interface VerifyOptions {
  readonly stack: string;
  /** The rehearsal, not the environment. @default false */
  readonly simulate?: boolean;
  /** Minutes for which what fails is looked at again. */
  readonly wait: number;
}

/** The smoke test, a line for each check; exits 1 where one failed. */
export async function verify({ stack, simulate, wait }: VerifyOptions): Promise<void> {
  const site = await siteOf(stack, rehearsalAsked(stack, simulate));
  if (site.rehearsal !== undefined) process.stdout.write(`${NOTICE}\n\n`);
  const found = await findings(site, { waitMs: wait * 60_000 });
  process.stdout.write(`${lines(found)}\n${count(found)}\n`);
  if (failures(found).length > 0) process.exitCode = EXIT.failed;
}
