/** Which tags of a repository may be moved to another image. */
import type { ImageTagMutability, ImageTagMutabilityExclusionFilter } from '@aws-sdk/client-ecr';

export interface TagMutability {
  readonly imageTagMutability: ImageTagMutability;
  readonly imageTagMutabilityExclusionFilters?: ImageTagMutabilityExclusionFilter[];
}

/** Whether a tag that exists stays where it is for ever. */
export function isImmutable(tag: string, mutability: TagMutability): boolean {
  const isExcluded = (mutability.imageTagMutabilityExclusionFilters ?? []).some((exclusion) =>
    matchesWildcard(tag, exclusion.filter ?? ''),
  );
  switch (mutability.imageTagMutability) {
    case 'MUTABLE':
      return false;
    case 'IMMUTABLE':
      return true;
    case 'IMMUTABLE_WITH_EXCLUSION':
      return !isExcluded;
    case 'MUTABLE_WITH_EXCLUSION':
      return isExcluded;
  }
}

/** As in ECR's filters of tags and of repositories: `*` stands for any characters. */
export function matchesWildcard(name: string, wildcard: string): boolean {
  const pattern = wildcard.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}$`).test(name);
}
