/** Tags on what EC2 has, of every kind alike. */
import type {
  CreateTagsCommandInput,
  DeleteTagsCommandInput,
  DescribeTagsCommandInput,
  DescribeTagsCommandOutput,
  Tag,
} from '@aws-sdk/client-ec2';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { ec2Kind } from '../../iam/ec2-kinds.ts';
import { filtered, page, type Tagged, type TaggedKind } from './resources.ts';

export function tagOperations(kinds: readonly TaggedKind[]) {
  const tagged = (ids: readonly string[] = []): Tagged[] =>
    ids.map((id) => {
      const found = kinds.map((kind) => kind.find(id)).find((resource) => resource !== undefined);
      if (found === undefined) throw new AwsError('InvalidID', `The ID '${id}' is not valid`);
      return found;
    });

  return {
    CreateTags({ Resources, Tags = [] }: CreateTagsCommandInput): object {
      for (const resource of tagged(Resources)) {
        const kept = (resource.Tags ?? []).filter((tag) => !Tags.some(({ Key }) => Key === tag.Key));
        resource.Tags = [...kept, ...Tags];
      }
      return {};
    },

    /** Without tags all go; with a value only where it is the same. */
    DeleteTags({ Resources, Tags }: DeleteTagsCommandInput): object {
      const goes = (tag: Tag): boolean =>
        Tags === undefined ||
        Tags.some(({ Key, Value }) => Key === tag.Key && (Value === undefined || Value === tag.Value));
      for (const resource of tagged(Resources))
        resource.Tags = (resource.Tags ?? []).filter((tag) => !goes(tag));
      return {};
    },

    DescribeTags(input: DescribeTagsCommandInput): Output<DescribeTagsCommandOutput> {
      const all = kinds.flatMap((kind) =>
        [...kind.entries()].flatMap(([id, { Tags = [] }]) => Tags.map((tag) => ({ id, tag, Tags: [tag] }))),
      );
      const found = filtered(all, input.Filters, {
        key: ({ tag }) => [tag.Key],
        value: ({ tag }) => [tag.Value],
        'resource-id': ({ id }) => [id],
        'resource-type': ({ id }) => [ec2Kind(id)],
      });
      const { items, ...more } = page(found, input.MaxResults, input.NextToken);
      return {
        Tags: items.map(({ id, tag }) => ({ ResourceId: id, ResourceType: ec2Kind(id), ...tag })),
        ...more,
      };
    },
  } satisfies Operations;
}
