/** The embedded AWS with a load balancer before a group of instances, each a process that its user data started. */
import type {
  AutoScalingGroup,
  CreateAutoScalingGroupCommandInput,
  DescribeAutoScalingGroupsCommandOutput,
  DescribeScalingActivitiesCommandOutput,
} from '@aws-sdk/client-auto-scaling';
import type { FilterLogEventsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';
import type { CreateSubnetCommandOutput, CreateVpcCommandOutput } from '@aws-sdk/client-ec2';
import type {
  CreateListenerCommandOutput,
  CreateLoadBalancerCommandOutput,
  CreateTargetGroupCommandOutput,
  DescribeTargetHealthCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { FastForwardClock } from '../../local/clock.ts';
import { nodeRuntime } from '../../local/demo/images.ts';
import { createEmbeddedAws, type EmbeddedAws } from '../../local/embedded-aws.ts';
import { pushImage } from '../../local/registry/oci-image.ts';
import { amazonLinux } from '../../local/services/amazon-linux.ts';
import { until } from '../end-to-end/world.ts';
import { dockerReady, host } from './booted.ts';

const AutoScalingGroupName = 'worker-g0001';
const logGroup = '/worker';

/** Answers with its name; `/slow` after three seconds, `/die` never. Its name is its process's too. */
const server = `
process.title = 'serves as ' + process.env.NAME;
const server = require('node:http').createServer((request, response) => {
  if (request.url === '/die') process.exit(1);
  if (request.url !== '/slow') return response.end(process.env.NAME);
  console.log('slow began');
  setTimeout(() => {
    console.log('slow answered');
    response.end(process.env.NAME);
  }, 3000);
});
server.keepAliveTimeout = 75000;
server.listen(8080);
process.on('SIGTERM', () => {
  console.log('asked to stop');
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});`;

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'ec2.amazonaws.com' } }],
});

export class GroupWorld {
  readonly aws: EmbeddedAws;
  readonly clock: FastForwardClock;
  readonly site: string;
  readonly #faults: unknown[];
  readonly #targetGroupArn: string;
  readonly #subnets: string;
  #closed: Promise<void> | undefined;

  private constructor(made: {
    aws: EmbeddedAws;
    clock: FastForwardClock;
    site: string;
    faults: unknown[];
    targetGroupArn: string;
    subnets: string;
  }) {
    this.aws = made.aws;
    this.clock = made.clock;
    this.site = made.site;
    this.#faults = made.faults;
    this.#targetGroupArn = made.targetGroupArn;
    this.#subnets = made.subnets;
  }

  static async create(): Promise<GroupWorld> {
    const faults: unknown[] = [];
    const onFailure = (failure: unknown): void => void faults.push(failure);
    const clock = new FastForwardClock({ speed: 60, onFailure });
    const aws = await createEmbeddedAws({ clock, sharedOffset: clock.shared, port: 0, onFailure });
    try {
      const ask = asker(aws);
      const { Vpc } = await ask<CreateVpcCommandOutput>('ec2', 'CreateVpc', { CidrBlock: '10.0.0.0/16' });
      const VpcId = Vpc?.VpcId;
      const subnets: string[] = [];
      for (const AvailabilityZone of ['us-east-1a', 'us-east-1b']) {
        const CidrBlock = `10.0.${subnets.length}.0/24`;
        const made = await ask<CreateSubnetCommandOutput>('ec2', 'CreateSubnet', {
          VpcId,
          CidrBlock,
          AvailabilityZone,
        });
        subnets.push(made.Subnet?.SubnetId ?? '');
      }
      const { TargetGroups } = await ask<CreateTargetGroupCommandOutput>(
        'elasticloadbalancing',
        'CreateTargetGroup',
        {
          Name: 'worker',
          Protocol: 'HTTP',
          Port: 8080,
          VpcId,
          TargetType: 'instance',
          HealthCheckIntervalSeconds: 10,
          HealthyThresholdCount: 2,
        },
      );
      const targetGroupArn = TargetGroups?.[0]?.TargetGroupArn ?? '';
      const { LoadBalancers } = await ask<CreateLoadBalancerCommandOutput>(
        'elasticloadbalancing',
        'CreateLoadBalancer',
        { Name: 'main', Subnets: subnets },
      );
      const { Listeners } = await ask<CreateListenerCommandOutput>('elasticloadbalancing', 'CreateListener', {
        LoadBalancerArn: LoadBalancers?.[0]?.LoadBalancerArn,
        Protocol: 'HTTP',
        Port: 80,
        DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }],
      });
      await ask('ecr', 'CreateRepository', { repositoryName: 'worker' });
      await ask('iam', 'CreateRole', { RoleName: 'worker', AssumeRolePolicyDocument: trust });
      await ask('iam', 'CreateInstanceProfile', { InstanceProfileName: 'worker' });
      await ask('iam', 'AddRoleToInstanceProfile', { InstanceProfileName: 'worker', RoleName: 'worker' });
      await ask('logs', 'CreateLogGroup', { logGroupName: logGroup });
      const site = aws.elbv2.endpointOf(Listeners?.[0]?.ListenerArn ?? '');
      return new GroupWorld({ aws, clock, site, faults, targetGroupArn, subnets: subnets.join(',') });
    } catch (failure) {
      await aws.close();
      clock.stop();
      throw failure;
    }
  }

  /** Throws what the embedded AWS itself did wrong. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.aws.close();
    this.clock.stop();
    if (this.#faults.length > 0) throw new AggregateError(this.#faults, 'faults of the embedded AWS');
  }

  /** A group of so many instances of a pushed image. `before`: what their user data does first. */
  async group(
    DesiredCapacity: number,
    { before = '', options = '' } = {},
    changes: Partial<CreateAutoScalingGroupCommandInput> = {},
  ): Promise<void> {
    const image = {
      layers: [await nodeRuntime()],
      config: { Cmd: ['/usr/bin/node', '--max-old-space-size=64', '-e', server] },
    };
    const target = { registry: this.aws.endpoint, repository: 'worker', tag: 'v1' };
    const digest = await this.clock.busy(() => pushImage(image, target));
    const script = `#!/bin/bash -e
${before}
${dockerReady}
id=$(ec2-metadata --quiet --instance-id)
docker run --detach --publish 8080:8080 --env NAME=$id ${options} \\
  --log-driver awslogs --log-opt awslogs-group=${logGroup} --log-opt awslogs-stream=$id \\
  ${host}/worker@${digest}
`;
    await this.ask('ec2', 'CreateLaunchTemplate', {
      LaunchTemplateName: 'worker',
      LaunchTemplateData: {
        ImageId: amazonLinux[0]!.id,
        InstanceType: 't3.micro',
        IamInstanceProfile: { Name: 'worker' },
        UserData: Buffer.from(script).toString('base64'),
      },
    });
    await this.ask('autoscaling', 'CreateAutoScalingGroup', {
      AutoScalingGroupName,
      MinSize: 0,
      MaxSize: 4,
      DesiredCapacity,
      LaunchTemplate: { LaunchTemplateName: 'worker', Version: '1' },
      VPCZoneIdentifier: this.#subnets,
      TargetGroupARNs: [this.#targetGroupArn],
      HealthCheckType: 'ELB',
      HealthCheckGracePeriod: 120,
      ...changes,
    });
  }

  scale(DesiredCapacity: number): Promise<unknown> {
    return this.ask('autoscaling', 'SetDesiredCapacity', { AutoScalingGroupName, DesiredCapacity });
  }

  /** The group's instances, `i-… InService`. */
  async instances(): Promise<string[]> {
    const { AutoScalingGroups } = await this.ask<DescribeAutoScalingGroupsCommandOutput>(
      'autoscaling',
      'DescribeAutoScalingGroups',
      {},
    );
    const [group]: readonly AutoScalingGroup[] = AutoScalingGroups ?? [];
    return (group?.Instances ?? []).map(
      ({ InstanceId, LifecycleState }) => `${InstanceId} ${LifecycleState}`,
    );
  }

  /** Why the group did what it did, newest first. */
  async causes(): Promise<string[]> {
    const { Activities } = await this.ask<DescribeScalingActivitiesCommandOutput>(
      'autoscaling',
      'DescribeScalingActivities',
      { AutoScalingGroupName },
    );
    return (Activities ?? []).map(({ Cause }) => Cause ?? '');
  }

  async health(): Promise<Record<string, string | undefined>> {
    const { TargetHealthDescriptions } = await this.ask<DescribeTargetHealthCommandOutput>(
      'elasticloadbalancing',
      'DescribeTargetHealth',
      { TargetGroupArn: this.#targetGroupArn },
    );
    return Object.fromEntries(
      (TargetHealthDescriptions ?? []).map(({ Target, TargetHealth }) => [Target?.Id, TargetHealth?.State]),
    );
  }

  /** The ids of the instances once so many are healthy in the target group. */
  async healthy(count: number): Promise<string[]> {
    return until(`${count} healthy targets`, async () => {
      const states = Object.entries(await this.health());
      const ids = states.filter(([, state]) => state === 'healthy').map(([id]) => id);
      return ids.length === count ? ids.toSorted() : undefined;
    });
  }

  /** What containers wrote, `i-… line`. */
  async logged(): Promise<string[]> {
    const { events } = await this.ask<FilterLogEventsCommandOutput>('logs', 'FilterLogEvents', {
      logGroupName: logGroup,
    });
    return (events ?? []).map(({ logStreamName, message }) => `${logStreamName} ${message}`);
  }

  ask<T = unknown>(service: string, operation: string, input: object): Promise<T> {
    return asker(this.aws)<T>(service, operation, input);
  }
}

const asker =
  (aws: EmbeddedAws) =>
  async <T = unknown>(service: string, operation: string, input: object): Promise<T> =>
    (await aws.dispatcher.call(service, operation, input, { kind: 'root' })) as T;
