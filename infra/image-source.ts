/** Images of an ECR repository as what a service deploys. */
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import { EventField, Match } from 'aws-cdk-lib/aws-events';
import { retainPrefix } from '../functions/core/images/tag-pattern.ts';
import type { ServiceSource } from './service-source.ts';

export interface ImageProps {
  readonly repository: IRepository;
  /** Patterns of the tags that are deployed; `*` stands for any characters. Tags that start with `retain-` never are. */
  readonly tags: readonly string[];
}

export function imageSource(service: string, { repository, tags }: ImageProps): ServiceSource {
  return {
    settings: {
      repository: repository.repositoryName,
      repositoryUri: repository.repositoryUri,
      tags: [...tags],
    },
    repository,
    rule: {
      description: `Pushes to ${service} start a deployment`,
      pattern: {
        source: ['aws.ecr'],
        detailType: ['ECR Image Action'],
        detail: {
          'action-type': ['PUSH'],
          result: ['SUCCESS'],
          'repository-name': [repository.repositoryName],
          // Those that keep images are put on by deployments; a push without a tag has nothing to compare.
          'image-tag': Match.anythingButPrefix(retainPrefix),
        },
      },
      event: EventField.fromPath('$'),
    },
    propOf: [],
    mistakes: vainTags(tags),
  };
}

/** A regular expression, or `v[0-9]*`, matches no tag that there can be. */
function vainTags(tags: readonly string[]): readonly string[] {
  return tags.flatMap((tag, index) => {
    if (tag.startsWith(retainPrefix))
      return [`tags/${index}: what starts with ${retainPrefix} is never deployed, got ${tag}`];
    return /^[\w.*-]*$/.test(tag)
      ? []
      : [
          `tags/${index}: must be of letters, digits, _, ., - and *, which stands for any characters, got ${tag}`,
        ];
  });
}
