/**
 * EC2's network: enough for CloudFormation to lay out a VPC, for ECS to take addresses in its subnets, and for
 * everything that describes them. Nothing is filtered or routed: tasks are reached as their runner says.
 */
import type {
  DescribeAvailabilityZonesCommandInput,
  DescribeAvailabilityZonesCommandOutput,
} from '@aws-sdk/client-ec2';
import { region } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { TaskAddress } from './addresses.ts';
import type { Random } from './resources.ts';
import { Routing } from './routing.ts';
import { SecurityGroups } from './security-groups.ts';
import { availabilityZones, Vpcs } from './vpcs.ts';

export class Ec2 {
  readonly operations: Operations;
  readonly #vpcs: Vpcs;
  readonly #groups: SecurityGroups;

  constructor(options: { random?: Random } = {}) {
    const random = options.random ?? Math.random;
    const routing = new Routing({ random, subnet: (subnetId) => this.#vpcs.subnet(subnetId) });
    this.#groups = new SecurityGroups({ random, checkVpc: (vpcId) => this.#vpcs.vpc(vpcId) });
    this.#vpcs = new Vpcs({
      random,
      onVpc: (vpcId, cidr) => {
        this.#groups.createDefault(vpcId);
        routing.createMain(vpcId, cidr);
      },
      onVpcGone: (vpcId) => {
        this.#groups.removeAllOf(vpcId);
        routing.removeAllOf(vpcId);
      },
    });
    this.operations = {
      ...this.#vpcs.operations,
      ...this.#groups.operations,
      ...routing.operations,
      DescribeAvailabilityZones: describeAvailabilityZones,
    };
  }

  /** A free address in a subnet for a task; `undefined` when the subnet is unknown or full. */
  address(subnetId: string): TaskAddress | undefined {
    return this.#vpcs.address(subnetId);
  }

  release(eniId: string): void {
    this.#vpcs.release(eniId);
  }

  securityGroupExists(groupId: string): boolean {
    return this.#groups.exists(groupId);
  }
}

function describeAvailabilityZones(
  input: DescribeAvailabilityZonesCommandInput,
): Output<DescribeAvailabilityZonesCommandOutput> {
  for (const zone of input.ZoneNames ?? []) {
    if (!availabilityZones.includes(zone)) {
      throw new AwsError('InvalidParameterValue', `Invalid availability zone: [${zone}]`);
    }
  }
  return {
    AvailabilityZones: (input.ZoneNames ?? availabilityZones).map((ZoneName) => ({
      ZoneName,
      ZoneId: `use1-az${availabilityZones.indexOf(ZoneName) + 1}`,
      RegionName: region,
      GroupName: region,
      State: 'available',
      OptInStatus: 'opt-in-not-required',
      ZoneType: 'availability-zone',
      NetworkBorderGroup: region,
      Messages: [],
    })),
  };
}
