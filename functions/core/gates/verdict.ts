/** What the gates say together, each with its reasons in words. */

export type Verdict =
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'wait'; readonly missing: readonly string[] }
  | { readonly verdict: 'fail'; readonly reasons: readonly string[] };

const pass: Verdict = { verdict: 'pass' };

/** One failing gate fails all, with every reason; one that waits makes all wait. */
export function together(verdicts: readonly Verdict[]): Verdict {
  const reasons = verdicts.flatMap((each) => (each.verdict === 'fail' ? each.reasons : []));
  if (reasons.length > 0) return { verdict: 'fail', reasons };
  const missing = verdicts.flatMap((each) => (each.verdict === 'wait' ? each.missing : []));
  return missing.length > 0 ? { verdict: 'wait', missing } : pass;
}
