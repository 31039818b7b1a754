/** Auto Scaling among the other services of the embedded AWS: roles, tags and events meet it there. */
import type { DescribeAutoScalingGroupsCommandOutput } from '@aws-sdk/client-auto-scaling';
import type { DescribeInstancesCommandOutput } from '@aws-sdk/client-ec2';
import type { ReceiveMessageCommandOutput } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deployer, regional } from './region-world.ts';
import { minute } from './world.ts';

let region: Awaited<ReturnType<typeof regional>>;
const group = (name: string, Value: string) => region.group(name, { Tags: [{ Key: 'app', Value }] });
const scale = (AutoScalingGroupName: string) =>
  region.ask('autoscaling', 'SetDesiredCapacity', { AutoScalingGroupName, DesiredCapacity: 1 }, deployer);

beforeEach(async () => {
  region = await regional();
  await region.template('web');
  await region.allow({
    Action: ['autoscaling:CreateAutoScalingGroup', 'autoscaling:SetDesiredCapacity'],
    Resource: 'arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:*:autoScalingGroupName/web-*',
    Condition: { StringEquals: { 'aws:ResourceTag/app': 'web' } },
  });
});
afterEach(() => region.close());

it('a role scales the groups whose tags its policy names, and no other', async () => {
  await group('web-1', 'web');
  await group('web-2', 'api');
  await scale('web-1');
  await expect(scale('web-2')).rejects.toMatchObject({ code: 'AccessDeniedException' });
});

it('a role scales the one group whose ARN its policy names, and describes none without a right on all', async () => {
  await group('web-1', 'web');
  await group('web-2', 'web');
  const described = await region.ask<DescribeAutoScalingGroupsCommandOutput>(
    'autoscaling',
    'DescribeAutoScalingGroups',
    {},
  );
  const [first] = described.AutoScalingGroups ?? [];
  await region.allow({ Action: 'autoscaling:*', Resource: first?.AutoScalingGroupARN });
  await scale('web-1');
  await expect(scale('web-2')).rejects.toMatchObject({ code: 'AccessDeniedException' });
  const named = { AutoScalingGroupName: 'web-1' };
  await expect(region.ask('autoscaling', 'DescribeLifecycleHooks', named, deployer)).rejects.toMatchObject({
    code: 'AccessDeniedException',
  });
});

it('a role tags and schedules the groups that its policy names, and no other', async () => {
  await group('web-1', 'web');
  await group('web-2', 'web');
  const tag = (ResourceId: string) => {
    const Tags = [{ ResourceId, ResourceType: 'auto-scaling-group', Key: 'stage', Value: 'test' }];
    return region.ask('autoscaling', 'CreateOrUpdateTags', { Tags }, deployer);
  };
  const schedule = (AutoScalingGroupName: string) => {
    const action = { AutoScalingGroupName, ScheduledActionName: 'up', Recurrence: '0 8 * * *', MinSize: 1 };
    return region.ask('autoscaling', 'PutScheduledUpdateGroupAction', action, deployer);
  };
  await region.allow({
    Action: ['autoscaling:CreateOrUpdateTags', 'autoscaling:PutScheduledUpdateGroupAction'],
    Resource: 'arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:*:autoScalingGroupName/web-1',
  });
  await tag('web-1');
  await schedule('web-1');
  await expect(tag('web-2')).rejects.toMatchObject({ code: 'AccessDeniedException' });
  await expect(schedule('web-2')).rejects.toMatchObject({ code: 'AccessDeniedException' });
});

it('a group scales by what is measured in the account, and its instances are seen in EC2', async () => {
  await group('web-1', 'web');
  await region.ask('autoscaling', 'PutScalingPolicy', {
    AutoScalingGroupName: 'web-1',
    PolicyName: 'up',
    PolicyType: 'StepScaling',
    AdjustmentType: 'ChangeInCapacity',
    StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 1 }],
  });
  await region.ask('autoscaling', 'ExecutePolicy', {
    AutoScalingGroupName: 'web-1',
    PolicyName: 'up',
    MetricValue: 2,
    BreachThreshold: 1,
  });
  await region.clock.advance(2 * minute);
  const { Reservations = [] } = await region.ask<DescribeInstancesCommandOutput>('ec2', 'DescribeInstances', {
    Filters: [{ Name: 'tag:aws:autoscaling:groupName', Values: ['web-1'] }],
  });
  expect(Reservations.map(({ Instances }) => Instances?.[0]?.State?.Name)).toEqual(['running']);
});

it('what a group does comes to who listens on the bus', async () => {
  const { ask, clock } = region;
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
