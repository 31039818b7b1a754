/** Auto Scaling among the other services of the embedded AWS: roles, tags and events meet it there. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescribeInstancesCommandOutput } from '@aws-sdk/client-ec2';
import type { ReceiveMessageCommandOutput } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Principal } from '../../local/call.ts';
import { createRegion, type Region } from '../../local/region.ts';
import { BlobStore } from '../../local/registry/blob-store.ts';
import { ManualClock } from '../manual-clock.ts';
import { dataPlane, minute } from './world.ts';

const roleArn = 'arn:aws:iam::123456789012:role/deployer';
const root: Principal = { kind: 'root' };
const deployer: Principal = { kind: 'role', roleArn, session: 'test' };
const policy = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: ['autoscaling:CreateAutoScalingGroup', 'autoscaling:SetDesiredCapacity'],
      Resource: 'arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:*:autoScalingGroupName/web-*',
      Condition: { StringEquals: { 'aws:ResourceTag/app': 'web' } },
    },
    {
      Effect: 'Allow',
      Action: ['autoscaling:CreateOrUpdateTags', 'autoscaling:PutScheduledUpdateGroupAction'],
      Resource: 'arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:*:autoScalingGroupName/web-1',
    },
  ],
};

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
});

let clock: ManualClock;
let folder: string;
let region: Region;
let group: (name: string, app: string) => Promise<unknown>;
const ask = async <T>(
  service: string,
  operation: string,
  input: object,
  principal: Principal = root,
): Promise<T> => (await region.dispatcher.call(service, operation, input, principal)) as T;
const scale = (AutoScalingGroupName: string) =>
  ask('autoscaling', 'SetDesiredCapacity', { AutoScalingGroupName, DesiredCapacity: 1 }, deployer);
const never = () => Promise.reject(new Error('no task runs here'));

beforeEach(async () => {
  clock = new ManualClock();
  folder = await mkdtemp(join(tmpdir(), 'autoscaling-'));
  region = createRegion({
    clock,
    endpoint: () => 'http://127.0.0.1:4566',
    blobs: await BlobStore.create(folder),
    onFailure: (failure) => {
      throw failure;
    },
    ecs: () => ({
      images: { pull: never },
      tasks: { isolation: 'none', start: never, close: async () => undefined },
    }),
    elbv2: { dataPlane: () => dataPlane(new Set()) },
  });
  const { Vpc } = await ask<{ Vpc: { VpcId: string } }>('ec2', 'CreateVpc', { CidrBlock: '10.0.0.0/16' });
  const { Subnet } = await ask<{ Subnet: { SubnetId: string } }>('ec2', 'CreateSubnet', {
    VpcId: Vpc.VpcId,
    CidrBlock: '10.0.1.0/24',
  });
  await ask('ec2', 'CreateLaunchTemplate', { LaunchTemplateName: 'web', LaunchTemplateData: {} });
  group = (AutoScalingGroupName, Value) =>
    ask('autoscaling', 'CreateAutoScalingGroup', {
      AutoScalingGroupName,
      MinSize: 0,
      MaxSize: 1,
      LaunchTemplate: { LaunchTemplateName: 'web', Version: '1' },
      VPCZoneIdentifier: Subnet.SubnetId,
      Tags: [{ Key: 'app', Value }],
    });
  await ask('iam', 'CreateRole', { RoleName: 'deployer', AssumeRolePolicyDocument: trust });
  const PolicyDocument = JSON.stringify(policy);
  await ask('iam', 'PutRolePolicy', { RoleName: 'deployer', PolicyName: 'deploy', PolicyDocument });
});

afterEach(async () => {
  await region.close();
  await rm(folder, { recursive: true });
});

it('a role scales the groups whose tags its policy names, and no other', async () => {
  await group('web-1', 'web');
  await group('web-2', 'api');
  await scale('web-1');
  await expect(scale('web-2')).rejects.toMatchObject({ code: 'AccessDeniedException' });
});

it('a role tags and schedules the groups that its policy names, and no other', async () => {
  await group('web-1', 'web');
  await group('web-2', 'web');
  const tag = (ResourceId: string) => {
    const Tags = [{ ResourceId, ResourceType: 'auto-scaling-group', Key: 'stage', Value: 'test' }];
    return ask('autoscaling', 'CreateOrUpdateTags', { Tags }, deployer);
  };
  const schedule = (AutoScalingGroupName: string) => {
    const action = { AutoScalingGroupName, ScheduledActionName: 'up', Recurrence: '0 8 * * *', MinSize: 1 };
    return ask('autoscaling', 'PutScheduledUpdateGroupAction', action, deployer);
  };
  await tag('web-1');
  await schedule('web-1');
  await expect(tag('web-2')).rejects.toMatchObject({ code: 'AccessDeniedException' });
  await expect(schedule('web-2')).rejects.toMatchObject({ code: 'AccessDeniedException' });
});

it('a group scales by what is measured in the account, and its instances are seen in EC2', async () => {
  await group('web-1', 'web');
  await ask('autoscaling', 'PutScalingPolicy', {
    AutoScalingGroupName: 'web-1',
    PolicyName: 'up',
    PolicyType: 'StepScaling',
    AdjustmentType: 'ChangeInCapacity',
    StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 1 }],
  });
  await ask('autoscaling', 'ExecutePolicy', {
    AutoScalingGroupName: 'web-1',
    PolicyName: 'up',
    MetricValue: 2,
    BreachThreshold: 1,
  });
  await clock.advance(2 * minute);
  const { Reservations = [] } = await ask<DescribeInstancesCommandOutput>('ec2', 'DescribeInstances', {
    Filters: [{ Name: 'tag:aws:autoscaling:groupName', Values: ['web-1'] }],
  });
  expect(Reservations.map(({ Instances }) => Instances?.[0]?.State?.Name)).toEqual(['running']);
});

it('what a group does comes to who listens on the bus', async () => {
  const { QueueUrl } = await ask<{ QueueUrl: string }>('sqs', 'CreateQueue', { QueueName: 'launches' });
  await ask('events', 'PutRule', {
    Name: 'launches',
    EventPattern: JSON.stringify({
      source: ['aws.autoscaling'],
      detail: { AutoScalingGroupName: ['web-1'] },
    }),
  });
  const Arn = 'arn:aws:sqs:us-east-1:123456789012:launches';
  await ask('events', 'PutTargets', { Rule: 'launches', Targets: [{ Id: 'queue', Arn }] });
  await group('web-1', 'web');
  await scale('web-1');
  await clock.advance(2 * minute);
  const { Messages } = await ask<ReceiveMessageCommandOutput>('sqs', 'ReceiveMessage', { QueueUrl });
  expect(Messages).toEqual([
    expect.objectContaining({ Body: expect.stringContaining('"EC2 Instance Launch Successful"') as unknown }),
  ]);
});
