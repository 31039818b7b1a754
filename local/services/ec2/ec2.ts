/**
 * EC2's network: enough for CloudFormation to lay out a VPC, for ECS to take addresses in its subnets, and for
 * everything that describes them. Nothing is filtered or routed: tasks are reached as their runner says. And its launch
 * templates, from which Auto Scaling launches, and the instances that it launched.
 */
import type {
  CreateTagsCommandInput,
  DeleteTagsCommandInput,
  DescribeAvailabilityZonesCommandInput,
  DescribeAvailabilityZonesCommandOutput,
  Tag,
} from '@aws-sdk/client-ec2';
import { region } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';
import { VcpuUsage } from '../cloudwatch/vcpu-usage.ts';
import type { TaskAddress } from './addresses.ts';
import type { InstanceLaunch } from './instance-description.ts';
import { describeInstanceTypes } from './instance-types.ts';
import { Instances, type LaunchedInstance } from './instances.ts';
import { LaunchTemplates, type TemplateName } from './launch-templates.ts';
import type { Random, Tagged } from './resources.ts';
import { Routing } from './routing.ts';
import { SecurityGroups } from './security-groups.ts';
import { availabilityZones, Vpcs } from './vpcs.ts';

export class Ec2 {
  readonly operations: Operations;
  readonly #vpcs: Vpcs;
  readonly #groups: SecurityGroups;
  readonly #templates: LaunchTemplates;
  readonly #instances: Instances;
  readonly #usage: VcpuUsage;

  /** `vcpuQuota`: of standard instances on demand. */
  constructor(options: {
    clock: Clock;
    random?: Random;
    metrics?: MetricSink;
    vcpuQuota?: () => number;
  }) {
    const { clock, metrics, random = Math.random, vcpuQuota = () => Number.POSITIVE_INFINITY } = options;
    const instances = new Instances({ clock, random, vcpuQuota });
    this.#instances = instances;
    this.#usage = new VcpuUsage({ clock, metrics, service: 'EC2', vcpus: () => instances.vcpus() });
    this.#templates = new LaunchTemplates({ random, clock: options.clock });
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
    const tagged = (ids: readonly string[] = []): Tagged[] =>
      ids.map((id) => {
        const found =
          this.#vpcs.tagged(id) ??
          this.#groups.tagged(id) ??
          routing.tagged(id) ??
          this.#templates.tagged(id) ??
          instances.tagged(id);
        if (found === undefined) throw new AwsError('InvalidID', `The ID '${id}' is not valid`);
        return found;
      });
    this.operations = {
      ...this.#vpcs.operations,
      ...this.#groups.operations,
      ...routing.operations,
      ...this.#templates.operations,
      ...instances.operations,
      DescribeInstanceTypes: describeInstanceTypes,
      DescribeAvailabilityZones: describeAvailabilityZones,
      CreateTags: ({ Resources, Tags = [] }: CreateTagsCommandInput): object => {
        for (const resource of tagged(Resources)) {
          const kept = (resource.Tags ?? []).filter((tag) => !Tags.some(({ Key }) => Key === tag.Key));
          resource.Tags = [...kept, ...Tags];
        }
        return {};
      },
      DeleteTags: ({ Resources, Tags }: DeleteTagsCommandInput): object => {
        // Without tags all go; with a value only where it is the same.
        const goes = (tag: Tag): boolean =>
          Tags === undefined ||
          Tags.some(({ Key, Value }) => Key === tag.Key && (Value === undefined || Value === tag.Value));
        for (const resource of tagged(Resources))
          resource.Tags = (resource.Tags ?? []).filter((tag) => !goes(tag));
        return {};
      },
    };
  }

  /** An instance that Auto Scaling launches, in one of its subnets. Throws EC2's own errors. */
  launch(launch: Omit<InstanceLaunch, 'vpcId'>): LaunchedInstance {
    return this.#instances.launch({ ...launch, vpcId: this.#vpcs.subnet(launch.subnetId).VpcId ?? '' });
  }

  close(): void {
    this.#usage.close();
  }

  /** A free address in a subnet for a task; `undefined` when the subnet is unknown or full. */
  address(subnetId: string): TaskAddress | undefined {
    return this.#vpcs.address(subnetId);
  }

  release(eniId: string): void {
    this.#vpcs.release(eniId);
  }

  subnetExists(subnetId: string): boolean {
    return this.#vpcs.hasSubnet(subnetId);
  }

  zoneOf(subnetId: string): string | undefined {
    return this.subnetExists(subnetId) ? this.#vpcs.subnet(subnetId).AvailabilityZone : undefined;
  }

  /** What a launch template says now; its default version unless another is named. Throws EC2's own errors. */
  launchTemplate({
    Version = '$Default',
    ...named
  }: TemplateName & { readonly Version?: string | undefined }) {
    const template = this.#templates.template(
      named.LaunchTemplateId === undefined ? named : { LaunchTemplateId: named.LaunchTemplateId },
    );
    const { number: version, content } = template.version(Version);
    return { id: template.id, name: template.name, version, content };
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
