/** Tags of ECS resources by ARN, and the three operations on them. */
import type {
  ListTagsForResourceCommandInput,
  ListTagsForResourceCommandOutput,
  Tag,
  TagResourceCommandInput,
  TagResourceCommandOutput,
  UntagResourceCommandInput,
  UntagResourceCommandOutput,
} from '@aws-sdk/client-ecs';
import { AwsError, type Operations, type Output } from '../../call.ts';

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html: 50 tags a resource. */
const maximumTags = 50;

export class Tags {
  readonly #tags = new Map<string, Map<string, string>>();
  readonly #exists: (arn: string) => boolean;

  /** `exists`: whether a resource of this ARN can be tagged now. */
  constructor(exists: (arn: string) => boolean) {
    this.#exists = exists;
  }

  /** Sets tags that a request gave; refuses what AWS refuses. */
  add(arn: string, tags: readonly Tag[] | undefined): void {
    for (const { key } of tags ?? []) {
      if (key === undefined || key === '' || key.length > 128)
        throw new AwsError('InvalidParameterException', 'Tag keys must be between 1 and 128 characters.');
      if (key.toLowerCase().startsWith('aws:'))
        throw new AwsError('InvalidParameterException', `Tag keys cannot start with aws: (${key}).`);
    }
    this.addManaged(arn, tags ?? []);
  }

  /** Sets tags that ECS itself gives (`aws:ecs:…`), or that were checked before. */
  addManaged(arn: string, tags: readonly Tag[]): void {
    const all = new Map(this.#tags.get(arn));
    for (const { key, value } of tags) all.set(key ?? '', value ?? '');
    if (all.size > maximumTags)
      throw new AwsError('InvalidParameterException', `A resource can have at most ${maximumTags} tags.`);
    this.#tags.set(arn, all);
  }

  of(arn: string): Tag[] {
    return [...(this.#tags.get(arn) ?? [])].map(([key, value]) => ({ key, value }));
  }

  forget(arn: string): void {
    this.#tags.delete(arn);
  }

  readonly operations = {
    TagResource: (input: TagResourceCommandInput): Output<TagResourceCommandOutput> => {
      this.add(this.#known(input.resourceArn), input.tags);
      return {};
    },
    UntagResource: (input: UntagResourceCommandInput): Output<UntagResourceCommandOutput> => {
      const tags = this.#tags.get(this.#known(input.resourceArn));
      for (const key of input.tagKeys ?? []) tags?.delete(key);
      return {};
    },
    ListTagsForResource: (
      input: ListTagsForResourceCommandInput,
    ): Output<ListTagsForResourceCommandOutput> => ({
      tags: this.of(this.#known(input.resourceArn)),
    }),
  } satisfies Operations;

  #known(arn: string | undefined): string {
    if (arn !== undefined && this.#exists(arn)) return arn;
    const kind = arn?.split(':')[5]?.split('/')[0];
    if (kind === 'cluster') throw new AwsError('ClusterNotFoundException', 'Cluster not found.');
    if (kind === 'service') throw new AwsError('ServiceNotFoundException', 'Service not found.');
    throw new AwsError('InvalidParameterException', `The specified resource is not found: ${arn}`);
  }
}
