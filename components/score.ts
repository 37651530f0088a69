/** Annotations that tell kube-score what to skip, each check with its reason beside it. */
export function scoreIgnored(ignored: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const checks = Object.entries(ignored);
  if (checks.length === 0) return {};
  return {
    'kube-score/ignore': checks.map(([check]) => check).join(','),
    'trellis.dev/kube-score-reason': checks.map(([check, reason]) => `${check}: ${reason}`).join('; '),
  };
}
