/** Which tags of a repository are deployed. */

/** Tags that keep an image from expiring; pushing one is an event too and must never start a deployment. */
export const retainPrefix = 'retain-';

/** `*` stands for any run of characters, everything else for itself, as in ECR's own tag filters. */
export function matchesTag(pattern: string, tag: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(tag);
}

export function isDeployable(patterns: readonly string[], tag: string): boolean {
  return !tag.startsWith(retainPrefix) && patterns.some((pattern) => matchesTag(pattern, tag));
}
