/** Step and simple scaling: by alarms of ones own, or a person's word. */
import {
  DeleteAutoScalingGroupCommand,
  DescribePoliciesCommand,
  ExecutePolicyCommand,
  PutScalingPolicyCommand,
  type PutScalingPolicyCommandInput,
  ResumeProcessesCommand,
  SetDesiredCapacityCommand,
  type StepAdjustment,
  SuspendProcessesCommand,
} from '@aws-sdk/client-auto-scaling';
import { PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import { describe, expect, it } from 'vitest';
import { adjusted, stepOf } from '../../local/services/autoscaling/adjustment.ts';
import { AutoScalingGroupName, minute, scaled } from './world.ts';

const named = { AutoScalingGroupName };
const out: StepAdjustment[] = [
  { MetricIntervalLowerBound: 0, MetricIntervalUpperBound: 20, ScalingAdjustment: 1 },
  { MetricIntervalLowerBound: 20, ScalingAdjustment: 3 },
];
const steps = { PolicyType: 'StepScaling', AdjustmentType: 'ChangeInCapacity', StepAdjustments: out };
const simple = { AdjustmentType: 'ChangeInCapacity', ScalingAdjustment: 1 };

/** Two warm instances of 1 to 10 with a policy that an alarm above 50 % triggers. */
async function stepped(policy: Partial<PutScalingPolicyCommandInput> = steps) {
  const world = await scaled();
  await world.create({ MinSize: 1, MaxSize: 10, DesiredCapacity: 2, DefaultInstanceWarmup: 600 });
  await world.clock.advance(12 * minute);
  const put = (changes: Partial<PutScalingPolicyCommandInput>) =>
    world.client.send(new PutScalingPolicyCommand({ ...named, PolicyName: 'out', ...changes }));
  const { PolicyARN = '' } = await put(policy);
  await world.monitoring.send(
    new PutMetricAlarmCommand({
      AlarmName: 'busy',
      Namespace: 'AWS/EC2',
      MetricName: 'CPUUtilization',
      Dimensions: [{ Name: 'AutoScalingGroupName', Value: AutoScalingGroupName }],
      Statistic: 'Average',
      Period: 60,
      EvaluationPeriods: 1,
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 50,
      TreatMissingData: 'notBreaching',
      AlarmActions: [PolicyARN],
    }),
  );
  return {
    ...world,
    put,
    PolicyARN,
    desired: async () => (await world.described())?.DesiredCapacity,
    execute: (input: object = {}) =>
      world.client.send(new ExecutePolicyCommand({ ...named, PolicyName: 'out', ...input })),
  };
}

it.each([
  ['ChangeInCapacity', 10, -3, {}, 7],
  ['ExactCapacity', 10, 4, {}, 4],
  ['PercentChangeInCapacity', 10, 12, {}, 11],
  ['PercentChangeInCapacity', 3, 10, {}, 4],
  ['PercentChangeInCapacity', 3, -10, {}, 2],
  ['PercentChangeInCapacity', 10, -19, {}, 9],
  ['PercentChangeInCapacity', 4, 25, { MinAdjustmentMagnitude: 2 }, 6],
])('%s of %d by %d with %j gives %d', (AdjustmentType, from, by, more, to) => {
  expect(adjusted({ AdjustmentType, ...more }, from, by)).toBe(to);
});

it.each([
  [0, 1],
  [19.9, 1],
  [20, 3],
  [-1, undefined],
])('a metric %d beyond its threshold is met by %s more', (beyond, more) => {
  expect(stepOf(out, beyond)?.ScalingAdjustment).toBe(more);
});

describe('step scaling', () => {
  it('goes by the step that the metric is in, and does not add twice for what warms up', async () => {
    const { minutes, desired, activities, clock } = await stepped();
    await minutes(3, 60);
    expect(await desired()).toBe(3);
    await minutes(3, 60);
    expect(await desired()).toBe(3);
    await minutes(3, 90);
    expect(await desired()).toBe(5);
    await clock.advance(minute);
    expect((await activities()).at(-3)?.Cause).toMatch(
      / a monitor alarm busy in state ALARM triggered policy out changing the desired capacity from 2 to 3\. /,
    );
  });

  it('is shown with the alarm that triggers it, which goes with the group when it has nothing else to do', async () => {
    const { client, alarms, clock, PolicyARN } = await stepped();
    const { ScalingPolicies } = await client.send(
      new DescribePoliciesCommand({ PolicyTypes: ['StepScaling'] }),
    );
    expect(ScalingPolicies).toEqual([
      {
        ...named,
        ...steps,
        PolicyName: 'out',
        PolicyARN,
        MetricAggregationType: 'Average',
        Enabled: true,
        Alarms: [{ AlarmName: 'busy', AlarmARN: 'arn:aws:cloudwatch:us-east-1:123456789012:alarm:busy' }],
      },
    ]);
    await client.send(new DeleteAutoScalingGroupCommand({ ...named, ForceDelete: true }));
    await clock.advance(10 * minute);
    expect(await alarms()).toEqual([]);
  });

  it('rests while alarms are suspended, and when it is disabled', async () => {
    const { client, put, minutes, desired } = await stepped();
    const ScalingProcesses = ['AlarmNotification'];
    await client.send(new SuspendProcessesCommand({ ...named, ScalingProcesses }));
    await minutes(4, 60);
    await put({ ...steps, Enabled: false });
    await client.send(new ResumeProcessesCommand({ ...named, ScalingProcesses }));
    await minutes(2, 60);
    expect(await desired()).toBe(2);
    await put(steps);
    await minutes(1, 60);
    expect(await desired()).toBe(3);
  });

  it('can be tried with a value', async () => {
    const { execute, desired, activities, clock } = await stepped();
    await execute({ MetricValue: 75, BreachThreshold: 50 });
    expect(await desired()).toBe(5);
    await clock.advance(minute);
    expect((await activities())[0]?.Cause).toMatch(
      / a user request executed policy out changing the desired capacity from 2 to 5\. /,
    );
    await expect(execute({ MetricValue: 40, BreachThreshold: 50 })).rejects.toThrow(/^No step adjustment/);
    await expect(execute()).rejects.toThrow(/^MetricValue and BreachThreshold are required/);
  });
});

describe('simple scaling', () => {
  it('rests for its cooldown, which a person need not honour', async () => {
    const { client, minutes, desired, execute } = await stepped({ ...simple, Cooldown: 240 });
    await minutes(5, 90);
    expect(await desired()).toBe(3);
    const busy = { name: 'ScalingActivityInProgressFault' };
    await expect(execute({ HonorCooldown: true })).rejects.toMatchObject(busy);
    await expect(
      client.send(new SetDesiredCapacityCommand({ ...named, DesiredCapacity: 5, HonorCooldown: true })),
    ).rejects.toMatchObject(busy);
    await execute();
    expect(await desired()).toBe(4);
    await minutes(5, 90);
    expect(await desired()).toBe(5);
  });
});

it.each<[string, Partial<PutScalingPolicyCommandInput>, RegExp]>([
  [
    'simple scaling without an increment',
    { ...simple, ScalingAdjustment: undefined },
    /^Scaling increment must/,
  ],
  ['no steps', { ...steps, StepAdjustments: [] }, /^StepAdjustments must be specified/],
  ['a last step with an end', { ...steps, StepAdjustments: out.slice(0, 1) }, /unspecified upper bound/],
  [
    'steps with a gap',
    { ...steps, StepAdjustments: [out[0]!, { ...out[1]!, MetricIntervalLowerBound: 30 }] },
    /gaps/,
  ],
  [
    'steps over each other',
    { ...steps, StepAdjustments: [out[0]!, { ...out[1]!, MetricIntervalLowerBound: 9 }] },
    /overlap/,
  ],
  ['no known adjustment', { ...simple, AdjustmentType: 'Double' }, /^AdjustmentType must be one of/],
  ['no known type', { PolicyType: 'Magic' }, /^PolicyType must be one of/],
  ['a forecast without one', { PolicyType: 'PredictiveScaling' }, /^PredictiveScalingConfiguration must/],
])('a policy with %s is refused', async (_, policy, message) => {
  const { put } = await stepped();
  await expect(put(policy)).rejects.toMatchObject({
    name: 'ValidationError',
    message: expect.stringMatching(message) as unknown,
  });
});
