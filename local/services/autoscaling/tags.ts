/**
 * The tags of groups (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html). What propagates
 * is read when an instance is launched: those that run keep what they have.
 */
import type {
  CreateOrUpdateTagsCommandInput,
  DeleteTagsCommandInput,
  DescribeTagsCommandInput,
  DescribeTagsCommandOutput,
  Filter,
  Tag,
  TagDescription,
} from '@aws-sdk/client-auto-scaling';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { type Group, invalid } from './group.ts';
import { pageOf } from './page.ts';

/** As of every resource, by ec2-auto-scaling-tagging.html; so are the limits of keys and values. Words of refusals are assumed. */
const mostPerGroup = 50;
const groups = 'auto-scaling-group';

/** The tags of a group after a request; what the request does not say of a tag is empty, and does not propagate. */
export function withTags(
  groupName: string,
  before: readonly TagDescription[],
  given: readonly Tag[] = [],
): TagDescription[] {
  const tags = new Map(before.map((tag) => [tag.Key ?? '', tag]));
  for (const { Key = '', Value = '', PropagateAtLaunch = false } of given) {
    check(Key, Value);
    tags.set(Key, { ResourceId: groupName, ResourceType: groups, Key, Value, PropagateAtLaunch });
  }
  if (tags.size > mostPerGroup)
    throw new AwsError('LimitExceededFault', `Only ${mostPerGroup} tags are allowed per group.`);
  return [...tags.values()];
}

export function tagOperations(options: {
  all: () => Iterable<Group>;
  group: (name: string | undefined) => Group;
}) {
  const { all, group: named } = options;
  return {
    /** All or none, which AWS does not tell. */
    CreateOrUpdateTags({ Tags = [] }: CreateOrUpdateTagsCommandInput): object {
      const changed = [...byGroup(Tags)].map(([name, tags]) => {
        const group = named(name);
        return { group, tags: withTags(group.name, group.tags, tags) };
      });
      for (const { group, tags } of changed) group.tags = tags;
      return {};
    },

    /** By their keys; one that is not there is no error. Both assumed: the reference only says "deletes the specified tags". */
    DeleteTags({ Tags = [] }: DeleteTagsCommandInput): object {
      const going = [...byGroup(Tags)].map(([name, tags]) => ({
        group: named(name),
        keys: new Set(tags.map(({ Key }) => Key)),
      }));
      for (const { group, keys } of going) group.tags = group.tags.filter(({ Key }) => !keys.has(Key));
      return {};
    },

    DescribeTags(input: DescribeTagsCommandInput): Output<DescribeTagsCommandOutput> {
      const found = [...all()].flatMap(({ tags }) => tags).filter((tag) => fits(tag, input.Filters));
      const key = ({ ResourceId, Key }: TagDescription) => `${ResourceId} ${Key}`;
      const { entries, token } = pageOf(found, key, 100, { fallback: 50, asked: input });
      return { Tags: entries, ...(token === undefined ? {} : { NextToken: token }) };
    },
  } satisfies Operations;
}

function byGroup(tags: readonly Tag[]): Map<string | undefined, Tag[]> {
  const strange = tags.find(({ ResourceType }) => ResourceType !== undefined && ResourceType !== groups);
  if (strange !== undefined)
    throw invalid(
      `Resource type ${strange.ResourceType} is not valid. The only supported value is ${groups}`,
    );
  return Map.groupBy(tags, ({ ResourceId }) => ResourceId);
}

function check(key: string, value: string): void {
  if (key.length < 1 || key.length > 128) throw invalid('Tag keys must have between 1 and 128 characters');
  if (value.length > 256) throw invalid('Tag values must have at most 256 characters');
  if (/^aws:/i.test(key))
    throw invalid('Tag keys starting with aws: are reserved for system use and cannot be created');
}

/** API_Filter: "auto-scaling-group, key, value, propagate-at-launch"; all filters must fit, of each one value. */
function fits(tag: TagDescription, filters: readonly Filter[] = []): boolean {
  return filters.every(({ Name = '', Values = [] }) => Values.includes(read(tag, Name)));
}

function read(tag: TagDescription, name: string): string {
  if (name === groups) return tag.ResourceId ?? '';
  if (name === 'key') return tag.Key ?? '';
  if (name === 'value') return tag.Value ?? '';
  if (name === 'propagate-at-launch') return String(tag.PropagateAtLaunch);
  throw invalid(`Invalid filter name: ${name}`);
}
