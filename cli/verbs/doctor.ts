import { checks, type Check, type CheckResult } from '../../local/index';
import { EXIT } from '../exit';

/** What `up` installs or starts by itself. */
const MENDED_BY_UP = new Set(['Docker', 'System packages']);

export interface Finding {
  readonly title: string;
  readonly result: CheckResult;
  /** `up` can't go on before it is mended. */
  readonly blocking: boolean;
}

/** Looks at everything at once; a check that can't be made is a finding too. */
export function examine(list: readonly Check[] = checks()): Promise<readonly Finding[]> {
  return Promise.all(
    list.map(async (check) => {
      const result = await check
        .run()
        .catch((error: unknown): CheckResult => ({ ok: false, detail: `can't be looked at: ${String(error)}` }));
      return { title: check.title, result, blocking: !result.ok && !MENDED_BY_UP.has(check.title) };
    }),
  );
}

/** A line for each finding, and below it the one command that mends it. */
export function report(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ title }) => title.length));
  return findings
    .map(({ title, result, blocking }) => {
      const sign = result.ok ? '✔' : blocking ? '✖' : '○';
      const fix = result.ok || result.fix === undefined ? '' : `\n  ${''.padEnd(width)}  To mend it: ${result.fix}`;
      return `${sign} ${title.padEnd(width)}  ${result.detail}${fix}\n`;
    })
    .join('');
}

export async function doctor(): Promise<void> {
  const findings = await examine();
  const blocking = findings.filter((finding) => finding.blocking).length;
  process.stdout.write(report(findings));
  process.stdout.write(
    blocking === 0 ? '\nNothing stands in the way of ./trellis up.\n' : `\n${blocking} to mend before ./trellis up.\n`,
  );
  if (blocking > 0) process.exitCode = EXIT.machine;
}
