/** One machine image: who has it, and whether it can be launched from. */
import type { Image } from '@aws-sdk/client-ec2';
import { accountId } from '../../account.ts';
import { AwsError } from '../../call.ts';
import type { PublicImage } from '../amazon-linux.ts';

/** Amazon's account in the commercial Regions, as DescribeImages shows it for Amazon Linux. */
const amazon = '137112412989';

export function publicImage({ id, name, architecture, publishedAt }: PublicImage): Image {
  return {
    ...machine,
    ImageId: id,
    Name: name,
    ImageLocation: `amazon/${name}`,
    Architecture: architecture,
    OwnerId: amazon,
    ImageOwnerAlias: 'amazon',
    Public: true,
    State: 'available',
    CreationDate: publishedAt.toISOString(),
    RootDeviceName: '/dev/xvda',
    BlockDeviceMappings: [
      {
        DeviceName: '/dev/xvda',
        Ebs: {
          SnapshotId: id.replace('ami-', 'snap-'),
          VolumeSize: 8,
          VolumeType: 'gp3',
          DeleteOnTermination: true,
          Encrypted: false,
        },
      },
    ],
    VirtualizationType: 'hvm',
    EnaSupport: true,
  };
}

/** What all images here are: of Linux, on EBS. */
const machine = {
  ImageType: 'machine',
  Hypervisor: 'xen',
  PlatformDetails: 'Linux/UNIX',
  UsageOperation: 'RunInstances',
  RootDeviceType: 'ebs',
} as const satisfies Image;

export function ownImage(
  given: Pick<Image, 'ImageId' | 'Name' | 'CreationDate' | 'Architecture' | 'BlockDeviceMappings'> & Image,
): Image {
  return {
    ...machine,
    OwnerId: accountId,
    ImageLocation: `${accountId}/${given.Name}`,
    Public: false,
    State: 'pending',
    ...given,
  };
}

/** Words: https://github.com/webdigi/AWS-AMI-Automated-Creation-Deletion/issues/6; which characters: API_RegisterImage. */
export function checkName(name: string): void {
  if (/^[\w()[\] ./'@-]{3,128}$/.test(name)) return;
  throw new AwsError(
    'InvalidAMIName.Malformed',
    "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'",
  );
}

/** Words: https://github.com/hashicorp/terraform/issues/22172 */
export function checkId(id: string): void {
  if (/^ami-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id)) return;
  const hint = id.startsWith('ami-') ? '' : ' (expecting "ami-...")';
  throw new AwsError('InvalidAMIID.Malformed', `Invalid id: "${id}"${hint}`);
}

/** The list's brackets are EC2's own: https://github.com/aws/aws-sdk/issues/97 */
export function noSuchImage(...ids: readonly string[]): AwsError {
  const [words, verb] = ids.length === 1 ? ['image id', 'does'] : ['image ids', 'do'];
  return new AwsError('InvalidAMIID.NotFound', `The ${words} '[${ids.join(', ')}]' ${verb} not exist`);
}

/**
 * Why nothing can be launched from an image that is there. Words:
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-ami.html; code: "or is not in a state from which you can launch
 * an instance" (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
 */
export function notLaunchable({ ImageId, State }: Image): AwsError {
  return new AwsError('InvalidAMIID.Unavailable', `AMI '${ImageId}' is ${State}, and cannot be run`);
}
