/** What scales groups, where EC2 Auto Scaling has its own ways. */
import {
  DescribeAutoScalingGroupsCommand,
  DescribePoliciesCommand,
  DescribeScheduledActionsCommand,
  PutScalingPolicyCommand,
  type PutScalingPolicyCommandInput,
  PutScheduledUpdateGroupActionCommand,
  type PutScheduledUpdateGroupActionCommandInput,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
} from '@aws-sdk/client-auto-scaling';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { carriedPolicy } from '../../functions/aws/asg-policies.ts';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import { AwsError } from '../../local/call.ts';
import { blue, generationOf, green } from '../core/examples.ts';
import { asgKind } from './asg-kind.ts';

const [first, second] = [generationOf(1, blue), generationOf(2, green)];
const bounds = { minimum: 2, maximum: 6 };

let kind: Awaited<ReturnType<typeof asgKind>>;
beforeEach(async () => {
  kind = await asgKind();
  for (const each of [first, second]) await kind.fleet.launch(kind.settings, each, 2, null);
  await kind.scaling.carry(kind.scaled, null, first, bounds);
});
afterEach(() => kind.region.close());

const client = () => kind.region.autoscaling;
const carry = () => kind.scaling.carry(kind.settings, first, second, bounds);
const schedule = () => kind.scaling.carrySchedule(kind.settings, first, second);
const writes = async (during: () => Promise<unknown>): Promise<readonly string[]> => {
  const before = kind.region.calls.records().length;
  await during();
  const names = kind.region.calls.records().slice(before);
  return names.map(({ operation }) => operation).filter((each) => !each.startsWith('Describe'));
};
const put = (ScheduledActionName: string, changes: Partial<PutScheduledUpdateGroupActionCommandInput>) =>
  client().send(
    new PutScheduledUpdateGroupActionCommand({
      AutoScalingGroupName: first.name,
      ScheduledActionName,
      ...changes,
    }),
  );
const actions = async ({ name }: Generation) => {
  const { ScheduledUpdateGroupActions = [] } = await client().send(
    new DescribeScheduledActionsCommand({ AutoScalingGroupName: name, MaxRecords: 100 }),
  );
  return ScheduledUpdateGroupActions.map(
    ({ ScheduledActionName, Recurrence, StartTime, MinSize, MaxSize }) => [
      ScheduledActionName,
      Recurrence,
      StartTime?.toISOString().slice(11, 16),
      MinSize,
      MaxSize,
    ],
  );
};
const later = (seconds: number) => new Date(kind.region.clock.now() + seconds * 1_000);

describe('a schedule', () => {
  it('is carried but for what lies behind, and for what a start says that does', async () => {
    await put('past', { StartTime: later(60), MinSize: 1 });
    await put('once', { StartTime: later(600), MinSize: 2 });
    await put('ending', { Recurrence: '20 * * * *', EndTime: later(120), MinSize: 3 });
    await put('begun', { Recurrence: '30 * * * *', StartTime: later(70), MinSize: 4 });
    await put('beginning', { Recurrence: '40 * * * *', StartTime: later(900), MinSize: 5 });
    await kind.region.clock.advance(180_000);
    await schedule();
    expect(await actions(second)).toEqual([
      ['beginning', '40 * * * *', '00:15', 5, undefined],
      ['begun', '30 * * * *', '00:30', 4, undefined],
      ['once', undefined, '00:10', 2, undefined],
    ]);
    expect(await writes(schedule)).toEqual([]);
  });

  it('loses what the other one does not set any more, and may swap its times', async () => {
    await put('one', { Recurrence: '20 * * * *', MinSize: 3, MaxSize: 5 });
    await put('two', { Recurrence: '30 * * * *', MinSize: 2 });
    await schedule();
    await kind.scaling.carrySchedule(kind.settings, null, first);
    await put('one', { Recurrence: '30 * * * *', MaxSize: 5 });
    await put('two', { Recurrence: '20 * * * *', MinSize: 2 });
    await schedule();
    expect(await actions(second)).toEqual([
      ['one', '30 * * * *', '00:30', undefined, 5],
      ['two', '20 * * * *', '00:20', 2, undefined],
    ]);
    expect(await writes(schedule)).toEqual([]);
  });

  it('of more actions than one page holds is carried whole', async () => {
    for (let hour = 0; hour < 4; hour += 1)
      for (let minute = 0; minute < 60; minute += 4)
        await put(`at-${hour}-${minute}`, { Recurrence: `${minute} ${hour} * * *`, MinSize: 2 });
    await schedule();
    expect(await actions(second)).toHaveLength(60);
    expect(await writes(schedule)).toEqual([]);
    await kind.scaling.release(kind.settings, second);
    expect(await actions(second)).toEqual([]);
  });
});

describe('policies', () => {
  const policy = (changes: Partial<PutScalingPolicyCommandInput>) =>
    client().send(
      new PutScalingPolicyCommand({
        AutoScalingGroupName: first.name,
        PolicyName: 'other',
        ...changes,
      }),
    );
  const standing = async ({ name }: Generation) => {
    const { ScalingPolicies = [] } = await client().send(
      new DescribePoliciesCommand({ AutoScalingGroupName: name, PolicyNames: ['other'] }),
    );
    return ScalingPolicies[0];
  };

  it.each<[string, Partial<PutScalingPolicyCommandInput>]>([
    [
      'of steps',
      {
        PolicyType: 'StepScaling',
        AdjustmentType: 'ChangeInCapacity',
        StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 2 }],
        EstimatedInstanceWarmup: 60,
      },
    ],
    [
      'of one adjustment',
      {
        AdjustmentType: 'PercentChangeInCapacity',
        ScalingAdjustment: 50,
        MinAdjustmentMagnitude: 1,
        Cooldown: 60,
      },
    ],
    [
      'that is disabled, and does not scale in',
      {
        PolicyType: 'TargetTrackingScaling',
        Enabled: false,
        TargetTrackingConfiguration: {
          TargetValue: 5,
          DisableScaleIn: true,
          PredefinedMetricSpecification: { PredefinedMetricType: 'ASGAverageNetworkIn' },
        },
      },
    ],
  ])('%s are carried as they are', async (_, changes) => {
    await policy(changes);
    await carry();
    expect(await standing(second)).toMatchObject({ ...changes, AutoScalingGroupName: second.name });
    expect(await writes(carry)).toEqual([]);
  });

  it('that watch a metric of the group or of its slot watch those of the other', async () => {
    const [before, after] = [first, second].map(({ name }) => name);
    await policy({
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingConfiguration: {
        TargetValue: 5,
        CustomizedMetricSpecification: {
          Namespace: 'Shop',
          MetricName: 'Orders',
          Statistic: 'Average',
          Dimensions: [
            { Name: 'Group', Value: before },
            { Name: 'Shop', Value: 'web' },
          ],
        },
      },
    });
    await carry();
    expect(await standing(second)).toMatchObject({
      TargetTrackingConfiguration: {
        CustomizedMetricSpecification: {
          Dimensions: [
            { Name: 'Group', Value: after },
            { Name: 'Shop', Value: 'web' },
          ],
        },
      },
    });
  });

  it('that forecast requests forecast those of the other slot', () => {
    const [before = '', after = ''] = [blue, green].map((slot) => {
      const arn = kind.settings.traffic.slots.find(({ name }) => name === slot)?.targetGroup;
      return `${/app\/[^/]+\/[^/]+/.exec(kind.settings.traffic.rule)?.[0]}/${arn?.split(':')[5]}`;
    });
    const forecast = (ResourceLabel: string) => ({
      MetricSpecifications: [
        {
          TargetValue: 500,
          PredefinedMetricPairSpecification: {
            PredefinedMetricType: 'ALBRequestCount',
            ResourceLabel,
          } as const,
        },
      ],
    });
    const carried = carriedPolicy(kind.settings, first, second, {
      PolicyName: 'forecast',
      PolicyType: 'PredictiveScaling',
      PredictiveScalingConfiguration: forecast(before),
    });
    expect(carried.PredictiveScalingConfiguration).toEqual(forecast(after));
  });

  it('rest where those of the other one rest, and other repairs of a group are its own', async () => {
    const suspended = async () => {
      const { AutoScalingGroups = [] } = await client().send(
        new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [second.name] }),
      );
      return (AutoScalingGroups[0]?.SuspendedProcesses ?? []).map(({ ProcessName }) => ProcessName);
    };
    const processes = (AutoScalingGroupName: string, ...ScalingProcesses: string[]) => ({
      AutoScalingGroupName,
      ScalingProcesses,
    });
    await client().send(
      new SuspendProcessesCommand(processes(first.name, 'AlarmNotification', 'AZRebalance')),
    );
    await client().send(new SuspendProcessesCommand(processes(second.name, 'HealthCheck')));
    await carry();
    expect(new Set(await suspended())).toEqual(new Set(['AlarmNotification', 'HealthCheck']));
    expect(await writes(carry)).toEqual([]);
    await client().send(new ResumeProcessesCommand(processes(first.name, 'AlarmNotification')));
    await carry();
    expect(await suspended()).toEqual(['HealthCheck']);
  });
});

describe('a release', () => {
  it('leaves as many as there are when its last policy goes, not as many as there were before', async () => {
    const unhook = kind.region.calls.hook({
      before: async ({ operation }) => {
        if (operation !== 'DeletePolicy') return;
        unhook();
        await kind.scaleTo(first, 5);
      },
    });
    await kind.scaling.release(kind.settings, first);
    expect(await kind.fleet.wanted(kind.settings, first)).toBe(5);
    expect(await kind.scaling.bounds(kind.settings, first)).toBeUndefined();
  });

  it('may be tried twice at once', async () => {
    await kind.scaling.carrySchedule(kind.scaled, null, first);
    await Promise.all([1, 2].map(() => kind.scaling.release(kind.settings, first)));
    expect([...(await kind.policies(first)), ...(await kind.schedule(first))]).toEqual([]);
  });
});

describe('what EC2 Auto Scaling refuses', () => {
  it.each([
    ['bounds that cross', 'Cutover.AwsRefused', undefined],
    ['what is throttled', 'Cutover.AwsUnavailable', new AwsError('Throttling', 'Rate exceeded')],
    [
      'while another change is under way',
      'Cutover.AwsUnavailable',
      new AwsError('ResourceContentionFault', 'not now'),
    ],
    [
      'while it is at something',
      'Cutover.AwsUnavailable',
      new AwsError('ScalingActivityInProgressFault', 'pending delete'),
    ],
    [
      'a group that it does not know yet',
      'Cutover.AwsUnavailable',
      new AwsError(
        'ValidationException',
        "AutoScalingGroup name not found - AutoScalingGroup 'web-g0001' not found",
      ),
    ],
  ])('%s: %s', async (_, name, answer) => {
    kind.region.calls.hook({
      before: ({ operation }) => {
        if (answer !== undefined && operation === 'UpdateAutoScalingGroup') throw answer;
      },
    });
    await expect(kind.scaling.bound(kind.settings, first, { minimum: 3, maximum: 2 })).rejects.toMatchObject({
      name,
    });
  });
});
