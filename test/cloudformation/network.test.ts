import type {
  DescribeNetworkInterfacesCommandOutput,
  DescribeRouteTablesCommandOutput,
  DescribeSecurityGroupsCommandOutput,
  DescribeSubnetsCommandOutput,
  DescribeVpcsCommandOutput,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { Ec2 } from '../../local/services/ec2/ec2.ts';
import { ManualClock } from '../manual-clock.ts';
import { Account, rootCall } from './account.ts';

function client(ec2: Ec2) {
  return async <T>(operation: string, input: object = {}): Promise<T> =>
    (ec2.operations[operation] as (input: unknown, call: unknown) => T)(input, rootCall);
}

async function subnetOf(ec2: Ec2, cidr: string): Promise<{ vpcId: string; subnetId: string }> {
  const run = client(ec2);
  const { Vpc } = await run<{ Vpc: { VpcId: string } }>('CreateVpc', { CidrBlock: '10.0.0.0/16' });
  const { Subnet } = await run<{ Subnet: { SubnetId: string } }>('CreateSubnet', {
    VpcId: Vpc.VpcId,
    CidrBlock: cidr,
  });
  return { vpcId: Vpc.VpcId, subnetId: Subnet.SubnetId };
}

describe('addresses of a subnet', () => {
  it('are each given once, never the five that AWS keeps, and again after their release', async () => {
    const ec2 = new Ec2({ clock: new ManualClock() });
    const { subnetId } = await subnetOf(ec2, '10.0.0.0/28');
    const run = client(ec2);
    const free = async () =>
      (await run<DescribeSubnetsCommandOutput>('DescribeSubnets')).Subnets![0]!.AvailableIpAddressCount;
    expect(await free()).toBe(11);
    const taken = Array.from({ length: 11 }, () => ec2.address(subnetId)!);
    expect(taken.map(({ privateIp }) => Number(privateIp.split('.')[3])).toSorted((a, b) => a - b)).toEqual([
      4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    ]);
    expect(ec2.address(subnetId)).toBeUndefined();
    expect(await free()).toBe(0);
    const [one] = taken;
    const enis = await run<DescribeNetworkInterfacesCommandOutput>('DescribeNetworkInterfaces', {
      NetworkInterfaceIds: [one!.eniId],
    });
    expect(enis.NetworkInterfaces).toMatchObject([
      { PrivateIpAddress: one!.privateIp, MacAddress: one!.mac, SubnetId: subnetId },
    ]);
    await expect(run('DeleteSubnet', { SubnetId: subnetId })).rejects.toMatchObject({
      code: 'DependencyViolation',
    });
    ec2.release(one!.eniId);
    expect(ec2.address(subnetId)!.privateIp).toBe(one!.privateIp);
    expect(ec2.address('subnet-none')).toBeUndefined();
  });
});

describe('EC2', () => {
  it.each<[string, string, object, string]>([
    ['a VPC that is too large', 'CreateVpc', { CidrBlock: '10.0.0.0/8' }, 'InvalidVpc.Range'],
    ['a subnet outside its VPC', 'CreateSubnet', { CidrBlock: '10.1.0.0/24' }, 'InvalidSubnet.Range'],
    ['a subnet over another', 'CreateSubnet', { CidrBlock: '10.0.0.0/20' }, 'InvalidSubnet.Conflict'],
    [
      'a zone that is not there',
      'CreateSubnet',
      { CidrBlock: '10.0.9.0/24', AvailabilityZone: 'us-east-1z' },
      'InvalidParameterValue',
    ],
    ['an unknown subnet', 'DescribeSubnets', { SubnetIds: ['subnet-none'] }, 'InvalidSubnetID.NotFound'],
    [
      'an unknown filter',
      'DescribeSubnets',
      { Filters: [{ Name: 'colour', Values: ['red'] }] },
      'InvalidParameterValue',
    ],
    ['a VPC in use', 'DeleteVpc', {}, 'DependencyViolation'],
  ])('refuses %s', async (_name, operation, input, code) => {
    const ec2 = new Ec2({ clock: new ManualClock() });
    const { vpcId } = await subnetOf(ec2, '10.0.0.0/24');
    await expect(client(ec2)(operation, { VpcId: vpcId, ...input })).rejects.toMatchObject({ code });
  });

  it('pages and filters', async () => {
    const ec2 = new Ec2({ clock: new ManualClock() });
    await subnetOf(ec2, '10.0.0.0/24');
    const { vpcId } = await subnetOf(ec2, '10.0.1.0/24');
    const run = client(ec2);
    const page = await run<DescribeSubnetsCommandOutput>('DescribeSubnets', { MaxResults: 1 });
    const rest = await run<DescribeSubnetsCommandOutput>('DescribeSubnets', {
      MaxResults: 1,
      NextToken: page.NextToken,
    });
    expect([page.Subnets!.length, rest.Subnets!.length, rest.NextToken]).toEqual([1, 1, undefined]);
    const found = await run<DescribeSubnetsCommandOutput>('DescribeSubnets', {
      Filters: [{ Name: 'vpc-id', Values: [vpcId] }],
    });
    expect(found.Subnets!.map(({ CidrBlock }) => CidrBlock)).toEqual(['10.0.1.0/24']);
  });
});

describe('a VPC by template', () => {
  const ref = (Ref: string) => ({ Ref });
  const template = {
    Resources: {
      Vpc: {
        Type: 'AWS::EC2::VPC',
        Properties: {
          CidrBlock: '10.0.0.0/16',
          EnableDnsHostnames: true,
          Tags: [{ Key: 'Name', Value: 'shop' }],
        },
      },
      Public: {
        Type: 'AWS::EC2::Subnet',
        Properties: {
          VpcId: ref('Vpc'),
          CidrBlock: { 'Fn::Select': [0, { 'Fn::Cidr': [{ 'Fn::GetAtt': ['Vpc', 'CidrBlock'] }, 2, 8] }] },
          AvailabilityZone: { 'Fn::Select': [1, { 'Fn::GetAZs': '' }] },
          MapPublicIpOnLaunch: true,
        },
      },
      Gateway: { Type: 'AWS::EC2::InternetGateway' },
      Attachment: {
        Type: 'AWS::EC2::VPCGatewayAttachment',
        Properties: { VpcId: ref('Vpc'), InternetGatewayId: ref('Gateway') },
      },
      Table: { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: ref('Vpc') } },
      Association: {
        Type: 'AWS::EC2::SubnetRouteTableAssociation',
        Properties: { RouteTableId: ref('Table'), SubnetId: ref('Public') },
      },
      Route: {
        Type: 'AWS::EC2::Route',
        DependsOn: 'Attachment',
        Properties: {
          RouteTableId: ref('Table'),
          DestinationCidrBlock: '0.0.0.0/0',
          GatewayId: ref('Gateway'),
        },
      },
      Ip: { Type: 'AWS::EC2::EIP', Properties: { Domain: 'vpc' } },
      Nat: {
        Type: 'AWS::EC2::NatGateway',
        Properties: { SubnetId: ref('Public'), AllocationId: { 'Fn::GetAtt': ['Ip', 'AllocationId'] } },
      },
      Group: {
        Type: 'AWS::EC2::SecurityGroup',
        Properties: {
          VpcId: ref('Vpc'),
          GroupDescription: 'web',
          SecurityGroupEgress: [
            { CidrIp: '255.255.255.255/32', IpProtocol: 'icmp', FromPort: 252, ToPort: 86 },
          ],
        },
      },
      Ingress: {
        Type: 'AWS::EC2::SecurityGroupIngress',
        Properties: {
          GroupId: { 'Fn::GetAtt': ['Group', 'GroupId'] },
          IpProtocol: 'tcp',
          FromPort: 80,
          ToPort: '80',
          CidrIp: '0.0.0.0/0',
        },
      },
    },
    Outputs: { Subnet: { Value: ref('Public') } },
  };

  it('comes to be as written, and goes without a trace', async () => {
    const account = new Account();
    const stack = await account.create(template);
    expect(stack.StackStatus).toBe('CREATE_COMPLETE');
    const run = <T>(operation: string): Promise<T> => account.call('ec2', operation, {}) as Promise<T>;
    expect((await run<DescribeVpcsCommandOutput>('DescribeVpcs')).Vpcs).toMatchObject([
      { CidrBlock: '10.0.0.0/16', Tags: [{ Key: 'Name', Value: 'shop' }] },
    ]);
    expect((await run<DescribeSubnetsCommandOutput>('DescribeSubnets')).Subnets).toMatchObject([
      {
        CidrBlock: '10.0.0.0/24',
        AvailabilityZone: 'us-east-1b',
        MapPublicIpOnLaunch: true,
        SubnetId: stack.Outputs![0]!.OutputValue,
      },
    ]);
    const tables = (await run<DescribeRouteTablesCommandOutput>('DescribeRouteTables')).RouteTables!;
    expect(tables.map(({ Associations }) => Associations!.map(({ Main }) => Main))).toEqual([
      [true],
      [false],
    ]);
    expect(tables[1]!.Routes).toMatchObject([{ GatewayId: 'local' }, { DestinationCidrBlock: '0.0.0.0/0' }]);
    const groups = (await run<DescribeSecurityGroupsCommandOutput>('DescribeSecurityGroups')).SecurityGroups!;
    expect(groups.find(({ Description }) => Description === 'web')).toMatchObject({
      IpPermissions: [{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
      IpPermissionsEgress: [{ IpProtocol: 'icmp' }],
    });
    expect((await account.delete()).StackStatus).toBe('DELETE_COMPLETE');
    expect((await run<DescribeVpcsCommandOutput>('DescribeVpcs')).Vpcs).toEqual([]);
    expect((await run<DescribeSecurityGroupsCommandOutput>('DescribeSecurityGroups')).SecurityGroups).toEqual(
      [],
    );
  });
});
