/** VPCs and subnets, and the addresses in them. */
import type {
  CreateSubnetCommandInput,
  CreateSubnetCommandOutput,
  CreateVpcCommandInput,
  CreateVpcCommandOutput,
  DeleteSubnetCommandInput,
  DeleteVpcCommandInput,
  DescribeNetworkInterfacesCommandInput,
  DescribeNetworkInterfacesCommandOutput,
  DescribeSubnetsCommandInput,
  DescribeSubnetsCommandOutput,
  DescribeVpcAttributeCommandInput,
  DescribeVpcAttributeCommandOutput,
  DescribeVpcsCommandInput,
  DescribeVpcsCommandOutput,
  ModifySubnetAttributeCommandInput,
  ModifyVpcAttributeCommandInput,
  Subnet,
  Vpc,
} from '@aws-sdk/client-ec2';
import { accountId, arn } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { Addresses, type TaskAddress } from './addresses.ts';
import { overlap, parseBlock, within } from './cidr.ts';
import {
  filtered,
  missing,
  page,
  type Random,
  Resources,
  resourceId,
  type TaggedKind,
  tagsOf,
} from './resources.ts';

export const availabilityZones = ['us-east-1a', 'us-east-1b'];

interface VpcRecord extends Vpc {
  VpcId: string;
  CidrBlock: string;
  dns: { support: boolean; hostnames: boolean };
}

interface SubnetRecord extends Subnet {
  SubnetId: string;
  VpcId: string;
  CidrBlock: string;
  AvailabilityZone: string;
}

export class Vpcs {
  readonly #random: Random;
  readonly #addresses: Addresses;
  readonly #vpcs = new Resources<VpcRecord>('VpcID', 'vpc');
  readonly #subnets = new Resources<SubnetRecord>('SubnetID', 'subnet');
  /** Told of each VPC: it gets its default security group and main route table. */
  readonly #onVpc: (vpcId: string, cidr: string) => void;
  readonly #onVpcGone: (vpcId: string) => void;

  constructor(options: {
    random: Random;
    onVpc: (vpcId: string, cidr: string) => void;
    onVpcGone: (vpcId: string) => void;
  }) {
    this.#random = options.random;
    this.#addresses = new Addresses(options.random);
    this.#onVpc = options.onVpc;
    this.#onVpcGone = options.onVpcGone;
  }

  vpc(vpcId: string | undefined): Vpc {
    return this.#vpcs.get(vpcId);
  }

  subnet(subnetId: string | undefined): Subnet {
    return this.#subnets.get(subnetId);
  }

  hasSubnet(subnetId: string): boolean {
    return this.#subnets.find(subnetId) !== undefined;
  }

  /** An address for a task; `undefined` when the subnet is unknown or full. */
  address(subnetId: string): TaskAddress | undefined {
    const subnet = this.#subnets.find(subnetId);
    if (subnet === undefined) return undefined;
    const { VpcId: vpcId, CidrBlock: cidr, AvailabilityZone: availabilityZone } = subnet;
    return this.#addresses.take({ subnetId, vpcId, cidr, availabilityZone });
  }

  get tagged(): TaggedKind[] {
    return [this.#vpcs, this.#subnets];
  }

  release(eniId: string): void {
    this.#addresses.release(eniId);
  }

  readonly operations: Operations = {
    CreateVpc: (input: CreateVpcCommandInput): Output<CreateVpcCommandOutput> => {
      const block = parseBlock(input.CidrBlock ?? '');
      // From /16 to /28: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
      if (block === undefined || block.size > 2 ** 16 || block.size < 2 ** 4) {
        throw new AwsError('InvalidVpc.Range', `The CIDR '${input.CidrBlock}' is invalid.`);
      }
      const vpcId = resourceId('vpc', this.#random);
      const vpc = this.#vpcs.add(vpcId, {
        VpcId: vpcId,
        CidrBlock: input.CidrBlock!,
        CidrBlockAssociationSet: [
          {
            AssociationId: resourceId('vpc-cidr-assoc', this.#random),
            CidrBlock: input.CidrBlock!,
            CidrBlockState: { State: 'associated' },
          },
        ],
        InstanceTenancy: input.InstanceTenancy ?? 'default',
        IsDefault: false,
        OwnerId: accountId,
        State: 'available',
        Tags: tagsOf(input.TagSpecifications),
        dns: { support: true, hostnames: false },
      });
      this.#onVpc(vpcId, vpc.CidrBlock);
      return { Vpc: vpc };
    },

    ModifyVpcAttribute: (input: ModifyVpcAttributeCommandInput): object => {
      const { dns } = this.#vpcs.get(input.VpcId);
      if (input.EnableDnsSupport?.Value !== undefined) dns.support = input.EnableDnsSupport.Value;
      if (input.EnableDnsHostnames?.Value !== undefined) dns.hostnames = input.EnableDnsHostnames.Value;
      return {};
    },

    DescribeVpcAttribute: (
      input: DescribeVpcAttributeCommandInput,
    ): Output<DescribeVpcAttributeCommandOutput> => {
      const { dns } = this.#vpcs.get(input.VpcId);
      return {
        VpcId: input.VpcId,
        ...(input.Attribute === 'enableDnsSupport' ? { EnableDnsSupport: { Value: dns.support } } : {}),
        ...(input.Attribute === 'enableDnsHostnames' ? { EnableDnsHostnames: { Value: dns.hostnames } } : {}),
      };
    },

    DeleteVpc: (input: DeleteVpcCommandInput): object => {
      const { VpcId: vpcId } = this.#vpcs.get(input.VpcId);
      if (this.#subnets.all().some((subnet) => subnet.VpcId === vpcId)) {
        throw dependencyViolation(`The vpc '${vpcId}' has dependencies and cannot be deleted.`);
      }
      this.#vpcs.remove(vpcId);
      this.#onVpcGone(vpcId);
      return {};
    },

    DescribeVpcs: (input: DescribeVpcsCommandInput): Output<DescribeVpcsCommandOutput> => {
      const found = filtered(this.#vpcs.chosen(input.VpcIds), input.Filters, {
        'vpc-id': (vpc) => [vpc.VpcId],
        cidr: (vpc) => [vpc.CidrBlock],
        state: (vpc) => [vpc.State],
        'is-default': (vpc) => [String(vpc.IsDefault)],
      });
      const { items: Vpcs, ...more } = page(found, input.MaxResults, input.NextToken);
      return { Vpcs, ...more };
    },

    CreateSubnet: (input: CreateSubnetCommandInput): Output<CreateSubnetCommandOutput> => {
      const vpc = this.#vpcs.get(input.VpcId);
      const block = parseBlock(input.CidrBlock ?? '');
      if (block === undefined || block.size < 2 ** 4 || !within(block, parseBlock(vpc.CidrBlock)!)) {
        throw new AwsError('InvalidSubnet.Range', `The CIDR '${input.CidrBlock}' is invalid.`);
      }
      const siblings = this.#subnets.all().filter((subnet) => subnet.VpcId === vpc.VpcId);
      if (siblings.some((sibling) => overlap(block, parseBlock(sibling.CidrBlock)!))) {
        throw new AwsError(
          'InvalidSubnet.Conflict',
          `The CIDR '${input.CidrBlock}' conflicts with another subnet`,
        );
      }
      const zone = input.AvailabilityZone ?? availabilityZones[siblings.length % availabilityZones.length]!;
      if (!availabilityZones.includes(zone)) {
        throw new AwsError(
          'InvalidParameterValue',
          `Value (${zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: ${availabilityZones.join(', ')}.`,
        );
      }
      const subnetId = resourceId('subnet', this.#random);
      const subnet = this.#subnets.add(subnetId, {
        SubnetId: subnetId,
        SubnetArn: arn('ec2', `subnet/${subnetId}`),
        VpcId: vpc.VpcId,
        CidrBlock: input.CidrBlock!,
        AvailabilityZone: zone,
        MapPublicIpOnLaunch: false,
        DefaultForAz: false,
        OwnerId: accountId,
        State: 'available',
        Tags: tagsOf(input.TagSpecifications),
      });
      return { Subnet: this.#shown(subnet) };
    },

    ModifySubnetAttribute: (input: ModifySubnetAttributeCommandInput): object => {
      const subnet = this.#subnets.get(input.SubnetId);
      if (input.MapPublicIpOnLaunch?.Value !== undefined)
        subnet.MapPublicIpOnLaunch = input.MapPublicIpOnLaunch.Value;
      return {};
    },

    DeleteSubnet: (input: DeleteSubnetCommandInput): object => {
      const { SubnetId: subnetId } = this.#subnets.get(input.SubnetId);
      if (this.#addresses.inUse(subnetId)) {
        throw dependencyViolation(`The subnet '${subnetId}' has dependencies and cannot be deleted.`);
      }
      this.#subnets.remove(subnetId);
      return {};
    },

    DescribeSubnets: (input: DescribeSubnetsCommandInput): Output<DescribeSubnetsCommandOutput> => {
      const found = filtered(this.#subnets.chosen(input.SubnetIds), input.Filters, {
        'subnet-id': (subnet) => [subnet.SubnetId],
        'vpc-id': (subnet) => [subnet.VpcId],
        'cidr-block': (subnet) => [subnet.CidrBlock],
        'availability-zone': (subnet) => [subnet.AvailabilityZone],
        state: (subnet) => [subnet.State],
      });
      const { items, ...more } = page(found, input.MaxResults, input.NextToken);
      return { Subnets: items.map((subnet) => this.#shown(subnet)), ...more };
    },

    DescribeNetworkInterfaces: (
      input: DescribeNetworkInterfacesCommandInput,
    ): Output<DescribeNetworkInterfacesCommandOutput> => {
      const all = this.#addresses.interfaces();
      const chosen = (input.NetworkInterfaceIds ?? []).map((id) => {
        const found = all.find(({ NetworkInterfaceId }) => NetworkInterfaceId === id);
        if (found === undefined) throw missing('NetworkInterfaceID', 'networkInterface', id);
        return found;
      });
      const found = filtered(
        (chosen.length > 0 ? chosen : all).map((shown) => ({ ...shown, Tags: shown.TagSet })),
        input.Filters,
        {
          'network-interface-id': (eni) => [eni.NetworkInterfaceId],
          'subnet-id': (eni) => [eni.SubnetId],
          'vpc-id': (eni) => [eni.VpcId],
          'private-ip-address': (eni) => [eni.PrivateIpAddress],
          'availability-zone': (eni) => [eni.AvailabilityZone],
        },
      );
      const { items: NetworkInterfaces, ...more } = page(found, input.MaxResults, input.NextToken);
      return { NetworkInterfaces, ...more };
    },
  };

  #shown(subnet: SubnetRecord): Subnet {
    return {
      ...subnet,
      AvailableIpAddressCount: this.#addresses.available(subnet.SubnetId, subnet.CidrBlock),
    };
  }
}

function dependencyViolation(message: string): AwsError {
  return new AwsError('DependencyViolation', message);
}
