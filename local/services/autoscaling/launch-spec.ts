/** What an instance is launched with. */
import type { LaunchTemplateSpecification } from '@aws-sdk/client-auto-scaling';
import type { ResponseLaunchTemplateData } from '@aws-sdk/client-ec2';
import { AwsError } from '../../call.ts';
import { type Group, type Member } from './group.ts';
import type { InstanceSpec, MetadataAccess } from './instances.ts';
import type { ChosenTemplate, Compute } from './platform.ts';

/**
 * What a launch template says, when its image can be launched from. Throws EC2's own errors: that an image is needed is what
 * RunInstances answers without one.
 */
export function launchable(compute: Compute, named: LaunchTemplateSpecification): ChosenTemplate {
  const template = compute.launchTemplate(named);
  const { ImageId } = template.content;
  if (ImageId === undefined)
    throw new AwsError('MissingParameter', 'The request must contain the parameter ImageId');
  if (ImageId.startsWith('resolve:ssm:'))
    throw new AwsError('UnsupportedOperation', `${ImageId}: not modelled by the embedded AWS`);
  compute.launchableImage(ImageId);
  return template;
}

/**
 * Tags: those of the group that propagate, over those of the launch template, and AWS's own
 * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html).
 */
export function specOf(
  group: Group,
  { id, subnetId, place, template }: Pick<Member, 'id' | 'subnetId' | 'place' | 'template'>,
): InstanceSpec {
  const { ImageId, InstanceType, UserData, IamInstanceProfile, TagSpecifications = [] } = template.content;
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
    instanceProfile: IamInstanceProfile?.Arn ?? IamInstanceProfile?.Name,
    metadata: metadataAccess(template.content),
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

/**
 * Amazon Linux 2023 asks for tokens unless the template says otherwise, and no tags are shown unless it says so
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-options.html).
 */
function metadataAccess({ MetadataOptions: asked }: ResponseLaunchTemplateData): MetadataAccess {
  return {
    isEnabled: asked?.HttpEndpoint !== 'disabled',
    tokens: asked?.HttpTokens === 'optional' ? 'optional' : 'required',
    tags: asked?.InstanceMetadataTags === 'enabled',
  };
}
