/** What came of one check. */
export interface Finding {
  /** What was looked at: `https://noodle.example.com/ready`. */
  readonly title: string;
  /** Nothing could be said of it here; it is no failure. @default false */
  readonly skipped?: boolean;
  readonly ok: boolean;
  /** What was found. */
  readonly detail: string;
}

const sign = ({ ok, skipped }: Finding): string => (skipped === true ? '○' : ok ? '✔' : '✖');

/** A line for each check. */
export const lines = (findings: readonly Finding[]): string =>
  findings.map((finding) => `${sign(finding)} ${finding.title}: ${finding.detail}\n`).join('');

export const failures = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ ok, skipped }) => !ok && skipped !== true);

/** `14 checks`, or `2 of 14 checks failed`. */
export function count(findings: readonly Finding[]): string {
  const made = findings.filter(({ skipped }) => skipped !== true).length;
  const failed = failures(findings).length;
  return failed === 0 ? `${made} checks` : `${failed} of ${made} checks failed`;
}
