/** What an instance is launched with. */
import { type Group, type Member } from './group.ts';
import type { InstanceSpec } from './instances.ts';

/**
 * Tags: those of the group that propagate, over those of the launch template, and AWS's own
 * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html).
 */
export function specOf(
  group: Group,
  { id, subnetId, place, template }: Pick<Member, 'id' | 'subnetId' | 'place' | 'template'>,
): InstanceSpec {
  const { ImageId, InstanceType, UserData, TagSpecifications = [] } = template.content;
  const templates = TagSpecifications.filter(({ ResourceType }) => ResourceType === 'instance');
  const tags = [
    ...templates.flatMap(({ Tags = [] }) => Tags),
    ...group.tags.filter(({ PropagateAtLaunch }) => PropagateAtLaunch === true),
  ];
  return {
    id,
    imageId: ImageId,
    instanceType: InstanceType,
    userData: UserData,
    subnetId,
    availabilityZone: place.availabilityZone,
    privateIp: place.privateIp,
    tags: {
      ...Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value])),
      'aws:autoscaling:groupName': group.name,
      'aws:ec2launchtemplate:id': template.id,
      'aws:ec2launchtemplate:version': String(template.version),
    },
  };
}
