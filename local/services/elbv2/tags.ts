/** Tags of load balancers, listeners, rules and target groups. */
import type {
  AddTagsCommandInput,
  AddTagsCommandOutput,
  DescribeTagsCommandInput,
  DescribeTagsCommandOutput,
  RemoveTagsCommandInput,
  RemoveTagsCommandOutput,
  Tag,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { quotas } from './quotas.ts';
import type { Resources } from './resources.ts';

export class Tags {
  readonly #resources: Resources;
  readonly #tags = new Map<string, Map<string, string>>();

  constructor(resources: Resources) {
    this.#resources = resources;
  }

  /** Refuses tags that no resource can have; call before creating one. */
  check(tags: readonly Tag[] | undefined): void {
    const keys = (tags ?? []).map((tag) => tag.Key);
    const twice = keys.find((key, index) => keys.indexOf(key) !== index);
    if (twice !== undefined) {
      throw new AwsError('DuplicateTagKeysException', `Tag key '${twice}' was specified more than once`);
    }
    if (keys.length > quotas.tagsPerResource) throw tooMany();
  }

  put(resourceArn: string, tags: readonly Tag[] | undefined): void {
    const merged = new Map(this.#tags.get(resourceArn));
    for (const tag of tags ?? []) merged.set(tag.Key ?? '', tag.Value ?? '');
    if (merged.size > quotas.tagsPerResource) throw tooMany();
    this.#tags.set(resourceArn, merged);
  }

  of(resourceArn: string): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#tags.get(resourceArn) ?? []);
  }

  forget(resourceArn: string): void {
    this.#tags.delete(resourceArn);
  }

  get operations() {
    return {
      AddTags: (input: AddTagsCommandInput): Output<AddTagsCommandOutput> => {
        this.check(input.Tags);
        for (const resource of this.#existing(input.ResourceArns)) this.put(resource, input.Tags);
        return {};
      },
      RemoveTags: (input: RemoveTagsCommandInput): Output<RemoveTagsCommandOutput> => {
        for (const resource of this.#existing(input.ResourceArns)) {
          for (const key of input.TagKeys ?? []) this.#tags.get(resource)?.delete(key);
        }
        return {};
      },
      DescribeTags: (input: DescribeTagsCommandInput): Output<DescribeTagsCommandOutput> => ({
        TagDescriptions: this.#existing(input.ResourceArns).map((ResourceArn) => ({
          ResourceArn,
          Tags: Object.entries(this.of(ResourceArn)).map(([Key, Value]) => ({ Key, Value })),
        })),
      }),
    } satisfies Operations;
  }

  #existing(arns: readonly string[] | undefined): readonly string[] {
    for (const resource of arns ?? []) {
      const kind = resource.split(':')[5]?.split('/')[0];
      if (kind === 'loadbalancer') this.#resources.loadBalancer(resource);
      else if (kind === 'listener') this.#resources.listener(resource);
      else if (kind === 'listener-rule') this.#resources.rule(resource);
      else if (kind === 'targetgroup') this.#resources.targetGroup(resource);
      else throw new AwsError('ValidationError', `'${resource}' is not a valid load balancer ARN`);
    }
    return arns ?? [];
  }
}

function tooMany(): AwsError {
  return new AwsError(
    'TooManyTagsException',
    `The maximum number of tags per resource is '${quotas.tagsPerResource}'`,
  );
}
