/** An embedded EC2 Auto Scaling over EC2's launch templates and ELB's target groups, by the real SDK client. */
import {
  AutoScalingClient,
  CreateAutoScalingGroupCommand,
  type CreateAutoScalingGroupCommandInput,
  DescribeAutoScalingGroupsCommand,
  DescribeScalingActivitiesCommand,
  DescribeTrafficSourcesCommand,
  SetDesiredCapacityCommand,
} from '@aws-sdk/client-auto-scaling';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  type CreateLaunchTemplateCommandOutput,
  type CreateSubnetCommandOutput,
  type CreateVpcCommandOutput,
  EC2Client,
} from '@aws-sdk/client-ec2';
import type {
  CreateLoadBalancerCommandOutput,
  CreateTargetGroupCommandOutput,
  DescribeTargetHealthCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { AwsEvent } from '../../local/aws-event.ts';
import type { Call, Operations } from '../../local/call.ts';
import { PolicyAuthorizer } from '../../local/iam/policy-authorizer.ts';
import { Roles } from '../../local/iam/roles.ts';
import { amazonLinux } from '../../local/services/amazon-linux.ts';
import { AutoScaling } from '../../local/services/autoscaling/autoscaling.ts';
import { noCapacity } from '../../local/services/autoscaling/instances.ts';
import { ModelledInstances } from '../../local/services/autoscaling/modelled-instances.ts';
import { CloudWatch } from '../../local/services/cloudwatch/cloudwatch.ts';
import type { MetricSink } from '../../local/services/cloudwatch/metric-sink.ts';
import { Ec2 } from '../../local/services/ec2/ec2.ts';
import type { DataPlane } from '../../local/services/elbv2/data-plane.ts';
import { ElasticLoadBalancing } from '../../local/services/elbv2/elastic-load-balancing.ts';
import { CallLog } from '../../local/wire/call-log.ts';
import { Dispatcher } from '../../local/wire/dispatcher.ts';
import { InProcessHandler } from '../../local/wire/request-handler.ts';
import { serviceEntry } from '../../local/wire/services.ts';
import { ManualClock } from '../manual-clock.ts';
import { clientOptions } from '../wire/embedded.ts';

export const AutoScalingGroupName = 'web-g0001';
export const seconds = 1_000;
export const minute = 60_000;
/** Two images that instances can be launched from. */
export const images = amazonLinux.map(({ id }) => id);
const root: Call = { principal: { kind: 'root' }, requestId: 'request', endpoint: '' };
const endpoint = () => 'http://127.0.0.1:4566';

const ask =
  (operations: Operations) =>
  async <T = object>(operation: string, input: object): Promise<T> =>
    (await operations[operation]!(input as never, root)) as T;

/** Answers health checks: 500 from the addresses in `sick`. */
export const dataPlane = (sick: ReadonlySet<string>): DataPlane => ({
  listen: async () => 1,
  unlisten: async () => undefined,
  configure: async () => undefined,
  route: async () => undefined,
  group: async () => undefined,
  forget: async () => undefined,
  probe: async ({ address }) => ({
    kind: 'answered',
    status: 'host' in address && sick.has(address.host) ? 500 : 200,
  }),
  close: async () => undefined,
});

export interface WorldOptions {
  /** vCPUs of standard instances that the account may run. */
  readonly vcpuQuota?: () => number;
  readonly metrics?: MetricSink;
}

export async function scaled(options: WorldOptions = {}) {
  const clock = new ManualClock();
  const onFailure = (failure: unknown) => {
    throw failure;
  };
  const ec2 = new Ec2({ clock, ...options });
  const network = ask(ec2.operations);
  const { Vpc } = await network<CreateVpcCommandOutput>('CreateVpc', { CidrBlock: '10.0.0.0/16' });
  const subnets: string[] = [];
  for (const third of [1, 2]) {
    const CidrBlock = `10.0.${third}.0/24`;
    const made = await network<CreateSubnetCommandOutput>('CreateSubnet', { VpcId: Vpc?.VpcId, CidrBlock });
    subnets.push(made.Subnet?.SubnetId ?? '');
  }
  const { LaunchTemplate } = await network<CreateLaunchTemplateCommandOutput>('CreateLaunchTemplate', {
    LaunchTemplateName: 'web',
    LaunchTemplateData: { ImageId: images[0], InstanceType: 't3.micro', UserData: 'IyE=' },
  });
  const addVersion = (ImageId = images[1]) =>
    network('CreateLaunchTemplateVersion', {
      LaunchTemplateName: 'web',
      SourceVersion: '1',
      LaunchTemplateData: { ImageId },
    });

  const sick = new Set<string>();
  const elbv2 = new ElasticLoadBalancing({
    clock,
    metrics: { record: () => undefined },
    onFailure,
    dataPlane: () => dataPlane(sick),
    subnet: (id) => ({ vpcId: Vpc?.VpcId ?? '', availabilityZone: ec2.zoneOf(id) ?? '' }),
  });
  const balancing = ask(elbv2.operations);
  const targetGroup = async (Name: string, changes: object = {}): Promise<string> => {
    const { TargetGroups } = await balancing<CreateTargetGroupCommandOutput>('CreateTargetGroup', {
      Name,
      Protocol: 'HTTP',
      Port: 8080,
      VpcId: Vpc?.VpcId,
      HealthCheckIntervalSeconds: 10,
      ...changes,
    });
    return TargetGroups?.[0]?.TargetGroupArn ?? '';
  };
  const blue = await targetGroup('blue');
  const { LoadBalancers } = await balancing<CreateLoadBalancerCommandOutput>('CreateLoadBalancer', {
    Name: 'main',
    Subnets: subnets,
  });
  await balancing('CreateListener', {
    LoadBalancerArn: LoadBalancers?.[0]?.LoadBalancerArn,
    Protocol: 'HTTP',
    Port: 80,
    DefaultActions: [{ Type: 'forward', TargetGroupArn: blue }],
  });

  const scarce = new Set<string>();
  const zones = ['us-east-1a', 'us-east-1b'];
  const instances = new ModelledInstances({
    console: ({ id }) => `${id} is up\n`,
    refusal: ({ instanceType = '', availabilityZone: zone }) =>
      scarce.has(zone)
        ? noCapacity(
            instanceType,
            zone,
            zones.filter((other) => !scarce.has(other)),
          )
        : undefined,
  });
  const events: AwsEvent[] = [];
  const cloudwatch = new CloudWatch({ clock, emit: () => undefined, publish: () => undefined });
  const autoscaling = new AutoScaling({
    clock,
    emit: (event) => events.push(event),
    compute: ec2,
    targets: elbv2,
    instances,
    cloudwatch: cloudwatch.operations,
    random: () => 0.5,
  });
  const roles = new Roles({ clock });
  const dispatcher = new Dispatcher({
    entries: [
      serviceEntry('autoscaling', autoscaling.operations),
      serviceEntry('cloudwatch', cloudwatch.operations),
      serviceEntry('ec2', ec2.operations),
    ],
    authorizer: new PolicyAuthorizer({ roles, clock }),
    principalOf: () => ({ kind: 'root' }),
    calls: new CallLog(),
    clock,
    endpoint,
    onFailure,
  });
  const wire = {
    ...clientOptions(endpoint()),
    requestHandler: new InProcessHandler({ dispatcher, endpoint }),
  };
  const client = new AutoScalingClient(wire);
  const monitoring = new CloudWatchClient(wire);
  const compute = new EC2Client(wire);
  const template = { LaunchTemplateId: LaunchTemplate?.LaunchTemplateId, Version: '1' };
  const described = async () => {
    const { AutoScalingGroups = [] } = await client.send(
      new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [AutoScalingGroupName] }),
    );
    return AutoScalingGroups[0];
  };
  const members = async () => (await described())?.Instances ?? [];

  return {
    clock,
    client,
    monitoring,
    compute,
    autoscaling,
    instances,
    events,
    blue,
    subnets,
    template,
    scarce,
    addVersion,
    targetGroup,
    network,
    described,
    members,
    create: (changes: Partial<CreateAutoScalingGroupCommandInput> = {}) =>
      client.send(
        new CreateAutoScalingGroupCommand({
          AutoScalingGroupName,
          MinSize: 0,
          MaxSize: 4,
          DesiredCapacity: 2,
          LaunchTemplate: template,
          VPCZoneIdentifier: subnets.join(','),
          ...changes,
        }),
      ),
    scale: (DesiredCapacity: number) =>
      client.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity })),
    /** Lets minutes pass in each of which the group's instances measure this on average. */
    minutes: async (count: number, value: number, metric = 'CPUUtilization') => {
      for (let passed = 0; passed < count; passed += 1) {
        cloudwatch.record({
          namespace: 'AWS/EC2',
          metric,
          dimensions: { AutoScalingGroupName },
          unit: 'Percent',
          at: clock.now(),
          values: [value],
        });
        await clock.advance(minute);
      }
    },
    /** `TargetTracking-web-g0001-AlarmHigh-ID AWS/EC2 CPUUtilization 50 3` */
    alarms: async () => {
      const { MetricAlarms = [] } = await monitoring.send(new DescribeAlarmsCommand({}));
      return MetricAlarms.map(({ AlarmName, Namespace, MetricName, Threshold, EvaluationPeriods }) =>
        [
          AlarmName?.replace(/[0-9a-f-]{36}$/, 'ID'),
          Namespace,
          MetricName,
          Threshold,
          EvaluationPeriods,
        ].join(' '),
      );
    },
    /** Each instance's state, oldest first. */
    states: async () => (await members()).map(({ LifecycleState }) => LifecycleState),
    activities: async (input: object = { AutoScalingGroupName }) =>
      (await client.send(new DescribeScalingActivitiesCommand(input))).Activities ?? [],
    detailTypes: () => events.map(({ detailType }) => detailType),
    sources: async () => {
      const { TrafficSources = [] } = await client.send(
        new DescribeTrafficSourcesCommand({ AutoScalingGroupName }),
      );
      return TrafficSources.map(({ State }) => State);
    },
    /** `i-… healthy` for each target of blue. */
    targets: async (TargetGroupArn = blue) => {
      const { TargetHealthDescriptions = [] } = await balancing<DescribeTargetHealthCommandOutput>(
        'DescribeTargetHealth',
        { TargetGroupArn },
      );
      return TargetHealthDescriptions.map(
        ({ Target, TargetHealth }) => `${Target?.Id} ${TargetHealth?.State}`,
      );
    },
    /** From now on this instance fails its health checks. */
    sicken: (id: string | undefined) => {
      const spec = instances.running().find((one) => one.id === id);
      sick.add(spec?.privateIp ?? '');
    },
  };
}
