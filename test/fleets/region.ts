/** A region with a balancer whose slots take either kind of target, and the real clients of all that fleets ask. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { ECSClient } from '@aws-sdk/client-ecs';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { createRegion } from '../../local/region.ts';
import { BlobStore } from '../../local/registry/blob-store.ts';
import type { RunningTask, TaskExit } from '../../local/tasks/task.ts';
import { InProcessHandler } from '../../local/wire/request-handler.ts';
import { dataPlane } from '../autoscaling/world.ts';
import { ManualClock } from '../manual-clock.ts';
import { clientOptions } from '../wire/embedded.ts';

const slotNames = ['blue', 'green', 'red'] as const;
const endpoint = () => 'http://127.0.0.1:4566';

/** A process that does nothing until it is told to stop. */
async function task(): Promise<RunningTask> {
  const { promise: exited, resolve } = Promise.withResolvers<TaskExit>();
  const stop = () => {
    resolve({ exitCode: 143 });
    return exited;
  };
  return { address: { host: '127.0.0.1', port: 1 }, exited, stop };
}

/** `targetType`: what the slots' target groups take. */
export async function fleetRegion(targetType: 'ip' | 'instance') {
  const clock = new ManualClock();
  const folder = await mkdtemp(join(tmpdir(), 'fleets-'));
  const image = { repository: 'web', digest: '', config: {}, layers: [] };
  const region = createRegion({
    clock,
    endpoint,
    blobs: await BlobStore.create(folder),
    onFailure: (failure) => {
      throw failure;
    },
    ecs: () => ({
      images: { pull: async () => image },
      tasks: { isolation: 'none', start: task, close: async () => undefined },
    }),
    elbv2: { dataPlane: () => dataPlane(new Set()) },
  });
  const options = {
    ...clientOptions(endpoint()),
    requestHandler: new InProcessHandler({ dispatcher: region.dispatcher, endpoint }),
  };
  const clients = {
    autoscaling: new AutoScalingClient(options),
    ec2: new EC2Client(options),
    ecs: new ECSClient(options),
    cloudwatch: new CloudWatchClient(options),
    logs: new CloudWatchLogsClient(options),
    quotas: new ServiceQuotasClient(options),
    elb: new ElasticLoadBalancingV2Client(options),
    applicationAutoScaling: new ApplicationAutoScalingClient(options),
  };
  const { ec2, elb } = clients;
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
  const VpcId = Vpc?.VpcId ?? '';
  const subnets: string[] = [];
  for (const [third, AvailabilityZone] of ['us-east-1a', 'us-east-1b'].entries()) {
    const input = { VpcId, CidrBlock: `10.0.${third}.0/24`, AvailabilityZone };
    const { Subnet } = await ec2.send(new CreateSubnetCommand(input));
    subnets.push(Subnet?.SubnetId ?? '');
  }
  const { GroupId = '' } = await ec2.send(
    new CreateSecurityGroupCommand({ GroupName: 'web', Description: 'web', VpcId }),
  );
  const { LoadBalancers } = await elb.send(new CreateLoadBalancerCommand({ Name: 'main', Subnets: subnets }));
  const { Listeners } = await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn: LoadBalancers?.[0]?.LoadBalancerArn,
      Protocol: 'HTTP',
      Port: 80,
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
    }),
  );
  const slots: { name: string; targetGroup: string }[] = [];
  for (const name of slotNames) {
    const { TargetGroups } = await elb.send(
      new CreateTargetGroupCommand({
        Name: `web-${name}`,
        Protocol: 'HTTP',
        Port: 8080,
        VpcId,
        TargetType: targetType,
        HealthCheckIntervalSeconds: 10,
      }),
    );
    slots.push({ name, targetGroup: TargetGroups?.[0]?.TargetGroupArn ?? '' });
  }
  const { Rules } = await elb.send(
    new CreateRuleCommand({
      ListenerArn: Listeners?.[0]?.ListenerArn,
      Priority: 1,
      Conditions: [{ Field: 'path-pattern', Values: ['/*'] }],
      Actions: [
        {
          Type: 'forward',
          ForwardConfig: {
            TargetGroups: slots.map(({ targetGroup }) => ({ TargetGroupArn: targetGroup, Weight: 1 })),
          },
        },
      ],
    }),
  );

  return {
    ...clients,
    clock,
    calls: region.calls,
    subnets,
    securityGroup: GroupId,
    traffic: { rule: Rules?.[0]?.RuleArn ?? '', slots },
    /** The targets of a slot, by their ids. */
    targets: async (slot: string): Promise<ReadonlyMap<string, string>> => {
      const TargetGroupArn = slots.find(({ name }) => name === slot)?.targetGroup;
      const { TargetHealthDescriptions = [] } = await elb.send(
        new DescribeTargetHealthCommand({ TargetGroupArn }),
      );
      return new Map(
        TargetHealthDescriptions.map(({ Target, TargetHealth }) => [
          Target?.Id ?? '',
          TargetHealth?.State ?? '',
        ]),
      );
    },
    close: async () => {
      await region.close();
      await rm(folder, { recursive: true });
    },
  };
}

export type FleetRegion = Awaited<ReturnType<typeof fleetRegion>>;
