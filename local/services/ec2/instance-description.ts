/** An instance as DescribeInstances shows it. */
import type { Instance, InstanceStateName, ResponseLaunchTemplateData } from '@aws-sdk/client-ec2';
import type { TaskAddress } from './addresses.ts';
import { coresOf, instanceType } from './instance-types.ts';

/** What an instance is launched with. */
export interface InstanceLaunch {
  readonly id: string;
  readonly imageId: string | undefined;
  readonly instanceType: string | undefined;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly address: TaskAddress;
  readonly tags: Readonly<Record<string, string>>;
  /** The rest of what its launch template says. */
  readonly template: ResponseLaunchTemplateData;
}

/** "The low byte represents the state" (API_InstanceState). */
export const stateCodes: Readonly<Record<InstanceStateName, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

interface Moment {
  readonly state: InstanceStateName;
  readonly launchedAt: Date;
  readonly endedAt: number | undefined;
}

/** Without its tags. */
export function describeInstance(launch: InstanceLaunch, { state, launchedAt, endedAt }: Moment): Instance {
  const type = instanceType(launch.instanceType);
  const { KeyName, IamInstanceProfile, Monitoring } = launch.template;
  return {
    InstanceId: launch.id,
    ImageId: launch.imageId,
    InstanceType: launch.instanceType as Instance['InstanceType'],
    State: { Code: stateCodes[state], Name: state },
    StateTransitionReason:
      endedAt === undefined
        ? ''
        : `User initiated (${new Date(endedAt).toISOString().slice(0, 19).replace('T', ' ')} GMT)`,
    LaunchTime: launchedAt,
    AmiLaunchIndex: 0,
    ...(KeyName === undefined ? {} : { KeyName }),
    ...(IamInstanceProfile?.Arn === undefined ? {} : { IamInstanceProfile: { Arn: IamInstanceProfile.Arn } }),
    Monitoring: { State: Monitoring?.Enabled === true ? 'enabled' : 'disabled' },
    Placement: { AvailabilityZone: launch.address.availabilityZone, GroupName: '', Tenancy: 'default' },
    // "The value xen is used for both Xen and Nitro hypervisors" (API_Instance).
    Hypervisor: 'xen',
    VirtualizationType: 'hvm',
    RootDeviceType: 'ebs',
    ...(type === undefined ? {} : { Architecture: type.architecture, CpuOptions: coresOf(type) }),
    ...(state === 'terminated' ? {} : network(launch)),
  };
}

/** Security groups are shown where the template names them; the network lets everything through. */
function network({ subnetId, vpcId, address, template }: InstanceLaunch): Instance {
  const { privateIp, eniId, mac } = address;
  const groups = template.SecurityGroupIds ?? template.NetworkInterfaces?.[0]?.Groups ?? [];
  const PrivateDnsName = `ip-${privateIp.replaceAll('.', '-')}.ec2.internal`;
  const SecurityGroups = groups.map((GroupId) => ({ GroupId }));
  return {
    PrivateIpAddress: privateIp,
    PrivateDnsName,
    SubnetId: subnetId,
    VpcId: vpcId,
    SourceDestCheck: true,
    SecurityGroups,
    NetworkInterfaces: [
      {
        NetworkInterfaceId: eniId,
        MacAddress: mac,
        PrivateIpAddress: privateIp,
        PrivateDnsName,
        SubnetId: subnetId,
        VpcId: vpcId,
        Status: 'in-use',
        Groups: SecurityGroups,
      },
    ],
  };
}
