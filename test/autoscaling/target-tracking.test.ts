/** Target tracking of groups: alarms in CloudWatch, out by what is measured, in slowly, and never while instances warm up. */
import {
  DeleteAutoScalingGroupCommand,
  DeletePolicyCommand,
  DescribePoliciesCommand,
  PutScalingPolicyCommand,
  type PutScalingPolicyCommandInput,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
  type TargetTrackingConfiguration,
} from '@aws-sdk/client-auto-scaling';
import { describe, expect, it } from 'vitest';
import { AutoScalingGroupName, minute, scaled } from './world.ts';

const named = { AutoScalingGroupName };
const cpu = { PredefinedMetricSpecification: { PredefinedMetricType: 'ASGAverageCPUUtilization' } } as const;
const perTarget = {
  PredefinedMetricType: 'ALBRequestCountPerTarget',
  ResourceLabel: 'app/main/0123456789abcdef/targetgroup/web-blue/0123456789abcdef',
} as const;

/** Two instances of 1 to 10, which are warm after a minute; tracks 50 % of their CPUs. */
async function tracked(changes: Partial<PutScalingPolicyCommandInput> = {}, MinSize = 1) {
  const world = await scaled();
  await world.create({ MinSize, MaxSize: 10, DesiredCapacity: 2, DefaultInstanceWarmup: 60 });
  const track = (configuration: Partial<TargetTrackingConfiguration>, more: object = changes) =>
    world.client.send(
      new PutScalingPolicyCommand({
        ...named,
        PolicyName: 'cpu',
        PolicyType: 'TargetTrackingScaling',
        TargetTrackingConfiguration: { TargetValue: 50, ...configuration },
        ...more,
      }),
    );
  const put = await track(cpu);
  await world.minutes(3, 48);
  return {
    ...world,
    put,
    track,
    desired: async () => (await world.described())?.DesiredCapacity,
  };
}

describe('the alarms of a policy', () => {
  it('are told to who puts it and who asks, and go with it', async () => {
    const { client, put, track, alarms } = await tracked();
    expect(put.PolicyARN).toMatch(
      /^arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:[0-9a-f-]{36}:autoScalingGroupName\/web-g0001:policyName\/cpu$/,
    );
    expect(await alarms()).toEqual([
      'TargetTracking-web-g0001-AlarmHigh-ID AWS/EC2 CPUUtilization 50 3',
      'TargetTracking-web-g0001-AlarmLow-ID AWS/EC2 CPUUtilization 45 15',
    ]);
    const again = await track({ ...cpu, TargetValue: 60, DisableScaleIn: true });
    expect(again).toMatchObject({ PolicyARN: put.PolicyARN, Alarms: [put.Alarms?.[0]] });
    expect(await alarms()).toEqual(['TargetTracking-web-g0001-AlarmHigh-ID AWS/EC2 CPUUtilization 60 3']);
    const { ScalingPolicies } = await client.send(new DescribePoliciesCommand(named));
    expect(ScalingPolicies).toMatchObject([
      {
        ...named,
        PolicyName: 'cpu',
        PolicyARN: put.PolicyARN,
        PolicyType: 'TargetTrackingScaling',
        Enabled: true,
        Alarms: again.Alarms,
        TargetTrackingConfiguration: { ...cpu, TargetValue: 60, DisableScaleIn: true },
      },
    ]);
    await client.send(new DeletePolicyCommand({ PolicyName: put.PolicyARN }));
    expect(await alarms()).toEqual([]);
    await expect(client.send(new DeletePolicyCommand({ ...named, PolicyName: 'cpu' }))).rejects.toMatchObject(
      { name: 'ValidationError' },
    );
  });

  it('go with the group', async () => {
    const { client, clock, alarms } = await tracked();
    await client.send(new DeleteAutoScalingGroupCommand({ ...named, ForceDelete: true }));
    await clock.advance(10 * minute);
    expect(await alarms()).toEqual([]);
  });

  it.each<[TargetTrackingConfiguration['PredefinedMetricSpecification'], string]>([
    [{ PredefinedMetricType: 'ASGAverageNetworkIn' }, 'AWS/EC2 NetworkIn'],
    [{ PredefinedMetricType: 'ASGAverageNetworkOut' }, 'AWS/EC2 NetworkOut'],
    [perTarget, 'AWS/ApplicationELB RequestCountPerTarget'],
  ])('watch what %j stands for', async (PredefinedMetricSpecification, metric) => {
    const { track, alarms } = await tracked();
    await track({ PredefinedMetricSpecification });
    expect((await alarms())[0]).toBe(`TargetTracking-web-g0001-AlarmHigh-ID ${metric} 50 3`);
  });

  it('watch a metric of ones own', async () => {
    const { track, alarms } = await tracked();
    await track({
      CustomizedMetricSpecification: { Namespace: 'Shop', MetricName: 'Carts', Statistic: 'Sum' },
    });
    expect((await alarms())[0]).toBe('TargetTracking-web-g0001-AlarmHigh-ID Shop Carts 50 3');
  });
});

describe('what is too much', () => {
  it("scales out in proportion after three minutes, in AWS's words", async () => {
    const { minutes, desired, activities, put } = await tracked();
    await minutes(4, 80);
    expect(await desired()).toBe(2);
    await minutes(1, 80);
    expect(await desired()).toBe(4);
    const [activity] = await activities();
    expect(activity?.Cause).toMatch(
      new RegExp(
        `^At [^ ]+ a monitor alarm ${put.Alarms?.[0]?.AlarmName} in state ALARM triggered policy cpu changing the desired capacity from 2 to 4\\. `,
      ),
    );
  });

  it('is no more than the maximum allows', async () => {
    const { minutes, desired } = await tracked();
    await minutes(5, 700);
    expect(await desired()).toBe(10);
  });

  it('counts what warms up as part of what is needed', async () => {
    const { minutes, desired } = await tracked({ EstimatedInstanceWarmup: 600 });
    await minutes(8, 80);
    expect(await desired()).toBe(2);
    await minutes(4, 80);
    expect(await desired()).toBe(4);
    await minutes(5, 80);
    expect(await desired()).toBe(4);
    await minutes(8, 80);
    expect(await desired()).toBe(7);
  });

  it('is left alone while alarms are suspended, and by a policy that is disabled', async () => {
    const { client, track, minutes, desired } = await tracked();
    const ScalingProcesses = ['AlarmNotification'];
    await client.send(new SuspendProcessesCommand({ ...named, ScalingProcesses }));
    await minutes(6, 80);
    expect(await desired()).toBe(2);
    await track(cpu, { Enabled: false });
    await client.send(new ResumeProcessesCommand({ ...named, ScalingProcesses }));
    await minutes(2, 80);
    expect(await desired()).toBe(2);
    await track(cpu, { Enabled: true });
    await minutes(1, 80);
    expect(await desired()).toBe(4);
  });
});

describe('what is little', () => {
  it('scales in after a quarter of an hour, never below the minimum', async () => {
    const { scale, minutes, desired } = await tracked();
    await scale(3);
    await minutes(15, 5);
    expect(await desired()).toBe(3);
    await minutes(2, 5);
    expect(await desired()).toBe(2);
    await minutes(20, 5);
    expect(await desired()).toBe(1);
  });

  it('scales nothing in while instances warm up', async () => {
    const { minutes, desired } = await tracked({ EstimatedInstanceWarmup: 1_800 });
    await minutes(25, 5);
    expect(await desired()).toBe(2);
    await minutes(5, 5);
    expect(await desired()).toBe(1);
  });

  it('stays where the policy does not scale in', async () => {
    const { track, minutes, desired } = await tracked();
    await track({ ...cpu, DisableScaleIn: true });
    await minutes(30, 5);
    expect(await desired()).toBe(2);
  });
});

it.each<[string, Partial<TargetTrackingConfiguration>, object, RegExp]>([
  ['without a metric', {}, {}, /^Exactly one of predefined and customized/],
  [
    'of two metrics',
    { ...cpu, CustomizedMetricSpecification: { MetricName: 'Carts' } },
    {},
    /^Exactly one of predefined/,
  ],
  ['of no target', { ...cpu, TargetValue: 0 }, {}, /^Target value must be greater than 0$/],
  [
    'of requests without a label',
    { PredefinedMetricSpecification: { PredefinedMetricType: 'ALBRequestCountPerTarget' } },
    {},
    /^Resource label should be specified/,
  ],
  ['of what another tracks', cpu, { PolicyName: 'again' }, /^Only one TargetTrackingScaling policy/],
  ['with steps', cpu, { ScalingAdjustment: 1 }, /^ScalingAdjustment is not supported/],
])('a policy %s is refused', async (_, configuration, more, message) => {
  const { track } = await tracked();
  await expect(track(configuration, more)).rejects.toMatchObject({
    name: 'ValidationError',
    message: expect.stringMatching(message) as unknown,
  });
});
