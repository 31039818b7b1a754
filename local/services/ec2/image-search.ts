/** Which images DescribeImages is asked for: by owner, by who may launch from them, by filters. */
import type { DescribeImagesCommandInput, Image } from '@aws-sdk/client-ec2';
import { accountId } from '../../account.ts';
import { type FilterValues, filtered } from './resources.ts';

export function searched(images: readonly Image[], input: DescribeImagesCommandInput): Image[] {
  const { Owners: owners = [], ExecutableUsers: users = [] } = input;
  const found = images.filter(
    (image) =>
      (owners.length === 0 || owners.some((owner) => isOwner(owner, image))) &&
      // None is shared with single accounts.
      (users.length === 0 || (users.includes('all') && image.Public === true)),
  );
  return filtered(found, input.Filters, filters);
}

function isOwner(owner: string, { OwnerId, ImageOwnerAlias }: Image): boolean {
  return owner === 'self' ? OwnerId === accountId : owner === OwnerId || owner === ImageOwnerAlias;
}

const filters: FilterValues<Image> = {
  architecture: ({ Architecture }) => [Architecture],
  'creation-date': ({ CreationDate }) => [CreationDate],
  description: ({ Description }) => [Description],
  hypervisor: ({ Hypervisor }) => [Hypervisor],
  'image-id': ({ ImageId }) => [ImageId],
  'image-type': ({ ImageType }) => [ImageType],
  'is-public': ({ Public }) => [String(Public)],
  name: ({ Name }) => [Name],
  'owner-alias': ({ ImageOwnerAlias }) => [ImageOwnerAlias],
  'owner-id': ({ OwnerId }) => [OwnerId],
  'root-device-name': ({ RootDeviceName }) => [RootDeviceName],
  'root-device-type': ({ RootDeviceType }) => [RootDeviceType],
  'source-instance-id': ({ SourceInstanceId }) => [SourceInstanceId],
  state: ({ State }) => [State],
  'tag-key': ({ Tags = [] }) => Tags.map(({ Key }) => Key),
  'virtualization-type': ({ VirtualizationType }) => [VirtualizationType],
};
