/**
 * EC2's network: enough for CloudFormation to lay out a VPC, for ECS to take addresses in its subnets, and for
 * everything that describes them. Nothing is filtered or routed: tasks are reached as their runner says. And its launch
 * templates and machine images, from which Auto Scaling launches, and the instances that it launched.
 */
import type {
  DescribeAvailabilityZonesCommandInput,
  DescribeAvailabilityZonesCommandOutput,
  Image,
} from '@aws-sdk/client-ec2';
import { arn, region } from '../../account.ts';
import type { Emit } from '../../aws-event.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';
import { VcpuUsage } from '../cloudwatch/vcpu-usage.ts';
import type { TaskAddress } from './addresses.ts';
import { Images } from './images.ts';
import type { InstanceLaunch } from './instance-description.ts';
import { describeInstanceTypes } from './instance-types.ts';
import { Instances, type LaunchedInstance } from './instances.ts';
import { LaunchTemplates, type TemplateName } from './launch-templates.ts';
import type { Random, TaggedKind } from './resources.ts';
import { Routing } from './routing.ts';
import { SecurityGroups } from './security-groups.ts';
import { tagOperations } from './tags.ts';
import { availabilityZones, Vpcs } from './vpcs.ts';

export interface Ec2Options {
  readonly clock: Clock;
  readonly random?: Random;
  readonly emit?: Emit;
  readonly metrics?: MetricSink;
  /** Of standard instances on demand. */
  readonly vcpuQuota?: () => number;
  /** The image that an instance was launched from; `undefined` when there is no such instance. */
  readonly imageOf?: (instanceId: string) => string | undefined;
}

export class Ec2 {
  readonly operations: Operations;
  readonly #vpcs: Vpcs;
  readonly #groups: SecurityGroups;
  readonly #templates: LaunchTemplates;
  readonly #instances: Instances;
  readonly #usage: VcpuUsage;
  readonly #images: Images;
  readonly #tagged: readonly TaggedKind[];

  constructor({
    clock,
    metrics,
    random = Math.random,
    emit = () => undefined,
    imageOf = () => undefined,
    vcpuQuota = () => Number.POSITIVE_INFINITY,
  }: Ec2Options) {
    const instances = new Instances({ clock, random, vcpuQuota });
    this.#instances = instances;
    this.#usage = new VcpuUsage({ clock, metrics, service: 'EC2', vcpus: () => instances.vcpus() });
    this.#templates = new LaunchTemplates({ random, clock });
    this.#images = new Images({ random, clock, emit, imageOf });
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
    this.#tagged = [
      ...this.#vpcs.tagged,
      ...this.#groups.tagged,
      ...routing.tagged,
      ...this.#templates.tagged,
      ...this.#images.tagged,
      ...instances.tagged,
    ];
    this.operations = {
      ...this.#vpcs.operations,
      ...this.#groups.operations,
      ...routing.operations,
      ...this.#templates.operations,
      ...instances.operations,
      DescribeInstanceTypes: describeInstanceTypes,
      ...this.#images.operations,
      DescribeAvailabilityZones: describeAvailabilityZones,
      ...tagOperations(this.#tagged),
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

  /** For policies that go by tags. */
  tagsOf(arn: string): Readonly<Record<string, string>> | undefined {
    const id = arn.slice(arn.lastIndexOf('/') + 1);
    const found = this.#tagged.map((kind) => kind.find(id)).find((resource) => resource !== undefined);
    return found && Object.fromEntries((found.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
  }

  /** For policies that name a launch template by its id, when a request has only its name. */
  resourcesOf(input: unknown): string[] | undefined {
    const { LaunchTemplateId, LaunchTemplateName } = (input ?? {}) as TemplateName;
    if (LaunchTemplateId !== undefined || LaunchTemplateName === undefined) return undefined;
    const named = this.#templates.all().find(({ name }) => name === LaunchTemplateName);
    return named && [arn('ec2', `launch-template/${named.id}`)];
  }

  /** An image that instances can be launched from. Throws EC2's own errors. */
  launchableImage(id: string): Image {
    return this.#images.launchable(id);
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
