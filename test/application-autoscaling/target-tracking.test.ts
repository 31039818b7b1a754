/** Target tracking: alarms in CloudWatch, out by what comes to each target, in after a quarter of an hour, slowly. */
import {
  DeleteScalingPolicyCommand,
  DescribeScalingPoliciesCommand,
  PutScalingPolicyCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { describe, expect, it } from 'vitest';
import { autoscaled, label, minute, perTarget, web } from './world.ts';

const cpu = { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' } as const;

async function tracked(desiredCount: number, MinCapacity = 1, MaxCapacity = 10) {
  const world = autoscaled({ desiredCount });
  await world.register({ MinCapacity, MaxCapacity });
  await world.track(100);
  // Neither much nor little, until the service's first deployment is over: scale-in rests while ECS deploys.
  await world.minutes(5, 95);
  return world;
}

describe('the alarms of a policy', () => {
  it('are told to who put it, and go with it', async () => {
    const { register, track, client, alarms } = autoscaled();
    await register({ MinCapacity: 1, MaxCapacity: 4 });
    const { Alarms, PolicyARN } = await track(100);
    expect(PolicyARN).toMatch(
      /^arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:[0-9a-f-]{36}:resource\/ecs\/service\/demo\/web:policyName\/requests$/,
    );
    expect(Alarms?.map(({ AlarmName }) => AlarmName?.replace(/[0-9a-f-]{36}$/, 'ID'))).toEqual([
      'TargetTracking-service/demo/web-AlarmHigh-ID',
      'TargetTracking-service/demo/web-AlarmLow-ID',
    ]);
    expect(alarms()).toEqual([
      'TargetTracking-service/demo/web-AlarmHigh-ID 100 3 INSUFFICIENT_DATA',
      'TargetTracking-service/demo/web-AlarmLow-ID 90 15 INSUFFICIENT_DATA',
    ]);
    const again = await track(200);
    expect(again).toMatchObject({ PolicyARN, Alarms });
    expect(alarms().map((alarm) => alarm.split(' ')[1])).toEqual(['200', '180']);
    await client.send(new DeleteScalingPolicyCommand({ ...web, PolicyName: 'requests' }));
    expect(alarms()).toEqual([]);
    await expect(
      client.send(new DeleteScalingPolicyCommand({ ...web, PolicyName: 'requests' })),
    ).rejects.toMatchObject({ name: 'ObjectNotFoundException' });
  });
});

describe('what is too much for each task', () => {
  it('scales out in proportion after three minutes, within the maximum', async () => {
    const { minutes, desired } = await tracked(2);
    await minutes(4, 250);
    expect(desired()).toBe(2);
    await minutes(1, 250);
    expect(desired()).toBe(5);
  });

  it('is no more than the maximum allows', async () => {
    const { minutes, desired } = await tracked(2, 1, 4);
    await minutes(5, 900);
    expect(desired()).toBe(4);
  });

  it('scales out again within the cooldown only by what is more than was added', async () => {
    const { minutes, desired } = await tracked(2);
    await minutes(5, 150);
    expect(desired()).toBe(3);
    await minutes(1, 150);
    expect(desired()).toBe(3);
    await minutes(3, 300);
    expect(desired()).toBe(6);
  });
});

describe('what is little for each task', () => {
  it('scales in after a quarter of an hour, by one at a time, and never below the minimum', async () => {
    const { minutes, desired } = await tracked(4, 2);
    await minutes(15, 10);
    expect(desired()).toBe(4);
    await minutes(2, 10);
    expect(desired()).toBe(3);
    await minutes(3, 10);
    expect(desired()).toBe(3);
    await minutes(2, 10);
    expect(desired()).toBe(2);
    await minutes(10, 0);
    expect(desired()).toBe(2);
  });

  it('is not seen where nothing is measured', async () => {
    const { clock, desired } = await tracked(4);
    await clock.advance(60 * minute);
    expect(desired()).toBe(4);
  });

  it('scales nothing in while another policy is not ready to, such as one without any metric', async () => {
    const { track, minutes, desired } = await tracked(4);
    await track(50, cpu, 'cpu');
    await minutes(30, 10);
    expect(desired()).toBe(4);
    await minutes(5, 200);
    expect(desired()).toBe(8);
  });

  it('stays while scaling in is suspended', async () => {
    const { register, minutes, desired } = await tracked(4);
    await register({ SuspendedState: { DynamicScalingInSuspended: true } });
    await minutes(30, 10);
    expect(desired()).toBe(4);
    await register({ SuspendedState: { DynamicScalingInSuspended: false } });
    await minutes(1, 10);
    expect(desired()).toBe(3);
  });
});

describe('policies', () => {
  it('are described by pages of ten', async () => {
    const { register, client } = autoscaled();
    await register({ MinCapacity: 1, MaxCapacity: 4 });
    for (let number = 10; number < 21; number += 1)
      await client.send(
        new PutScalingPolicyCommand({
          ...web,
          PolicyName: `step-${number}`,
          PolicyType: 'StepScaling',
          StepScalingPolicyConfiguration: {
            AdjustmentType: 'ChangeInCapacity',
            StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 1 }],
          },
        }),
      );
    const first = await client.send(new DescribeScalingPoliciesCommand(web));
    expect(first.ScalingPolicies).toHaveLength(10);
    const { NextToken } = first;
    const second = await client.send(new DescribeScalingPoliciesCommand({ ...web, NextToken }));
    expect(second.ScalingPolicies).toMatchObject([
      { PolicyName: 'step-20', PolicyType: 'StepScaling', Alarms: [] },
    ]);
    expect(second.NextToken).toBeUndefined();
  });

  it.each([
    [
      'requests without a label',
      { PredefinedMetricType: 'ALBRequestCountPerTarget' },
      /^Resource label should be/,
    ],
    [
      'requests of what is no target group',
      { PredefinedMetricType: 'ALBRequestCountPerTarget', ResourceLabel: 'web-blue' },
      /^Invalid resource label: web-blue$/,
    ],
    ['a label where none belongs', { ...cpu, ResourceLabel: label }, /should not be specified/],
    [
      'a metric of another service',
      { PredefinedMetricType: 'RDSReaderAverageCPUUtilization' },
      /not supported/,
    ],
  ] as const)('that track %s are refused', async (_, specification, message) => {
    const { register, track, alarms } = autoscaled();
    await register({ MinCapacity: 1, MaxCapacity: 4 });
    await expect(track(100, specification)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(message),
    });
    expect(alarms()).toEqual([]);
  });

  it('of one target track different metrics', async () => {
    const { register, track } = autoscaled();
    await register({ MinCapacity: 1, MaxCapacity: 4 });
    await track(100);
    await expect(track(50, perTarget, 'second')).rejects.toThrow(
      'Only one TargetTrackingScaling policy for a given metric specification is allowed.',
    );
    await track(50, cpu, 'second');
  });
});
