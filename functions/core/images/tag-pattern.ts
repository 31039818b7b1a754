/** Which tags of a repository are deployed. */

/** Tags that keep an image from expiring; pushing one is an event too and must never start a deployment. */
export const retainPrefix = 'retain-';

/**
 * Names of signatures, attestations and SBOMs: `sha256-<digest>`, with an ending where cosign made them.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
 */
const referrers = /^sha256-[0-9a-f]{64}(?:\.|$)/;

/**
 * `*` stands for any run of characters, everything else for itself, as in ECR's own tag filters. Takes time linear in the
 * tag for each star: a regular expression of many stars would try every way to share the tag among them.
 */
export function matchesTag(pattern: string, tag: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return tag === first;
  if (!tag.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = tag.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return tag.length - last.length >= at && tag.endsWith(last);
}

export function namesReferrer(tag: string): boolean {
  return referrers.test(tag);
}

export function isDeployable(patterns: readonly string[], tag: string): boolean {
  return (
    !tag.startsWith(retainPrefix) &&
    !namesReferrer(tag) &&
    patterns.some((pattern) => matchesTag(pattern, tag))
  );
}
