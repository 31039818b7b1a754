/** Generations that scale, by the embedded Application Auto Scaling and the real client. */
import {
  DescribeScalingPoliciesCommand,
  DescribeScheduledActionsCommand,
  PutScalingPolicyCommand,
  PutScheduledActionCommand,
  type PutScheduledActionCommandInput,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { beforeEach, describe, expect, it } from 'vitest';
import { ApplicationAutoScaling } from '../../functions/aws/application-autoscaling.ts';
import { mistakesInFleet } from '../../functions/aws/fleet-mistakes.ts';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import { AwsError } from '../../local/call.ts';
import { autoscaled } from '../application-autoscaling/world.ts';
import { blue, generationOf, green, settingsOf } from '../core/examples.ts';
import { call, request } from '../ecs/world.ts';

const old = generationOf(1, blue);
const next = generationOf(2, green);
const bounds = { minimum: 3, maximum: 9 };
const target = (generation: Generation) =>
  ({
    ServiceNamespace: 'ecs',
    ResourceId: `service/demo/${generation.name}`,
    ScalableDimension: 'ecs:service:DesiredCount',
  }) as const;
const labelOf = (slot: string) => `app/main/1/targetgroup/web-${slot}/0123456789abcdef`;

const fleet = {
  kind: 'ecs',
  cluster: 'arn:aws:ecs:us-east-1:123456789012:cluster/demo',
  taskDefinition: 'web:1',
  container: 'app',
  port: 8080,
  subnets: ['subnet-a'],
  securityGroups: ['sg-1'],
  assignPublicIp: false,
};
const declared = {
  minimum: 2,
  maximum: 6,
  policies: [
    { name: 'cpu', metric: 'cpu', target: 60 },
    { name: 'requests', metric: 'requestsPerTarget', target: 500, scaleInCooldownSeconds: 60 },
  ],
  schedule: [
    { name: 'morning', expression: 'cron(0 8 * * ? *)', timezone: 'Europe/Berlin', minimum: 4 },
    { name: 'opening', expression: 'at(2025-12-31T08:00:00)', maximum: 8 },
  ],
};
const settings = settingsOf({ fleet });
const scaled = settingsOf({ fleet: { ...fleet, scaling: declared } });

let world: ReturnType<typeof autoscaled>;
let scaling: ApplicationAutoScaling;
beforeEach(() => {
  world = autoscaled();
  for (const { name: serviceName } of [old, next])
    world.api.CreateService({ ...request, serviceName, desiredCount: 4, loadBalancers: [] }, call);
  scaling = new ApplicationAutoScaling(world.client, () => world.clock.now());
});

/** The writes since the last question. */
let asked = 0;
beforeEach(() => {
  asked = 0;
});
function writes(): readonly string[] {
  const records = world.calls.records({ service: 'application-autoscaling' });
  return records
    .slice(asked, (asked = records.length))
    .map(({ operation }) => operation)
    .filter((operation) => !operation.startsWith('Describe'));
}

async function policiesOf(generation: Generation) {
  const { ScalingPolicies = [] } = await world.client.send(
    new DescribeScalingPoliciesCommand(target(generation)),
  );
  return ScalingPolicies.map(
    ({ PolicyName, PolicyType, TargetTrackingScalingPolicyConfiguration: tracking }) => [
      PolicyName,
      PolicyType,
      tracking?.TargetValue,
      tracking?.PredefinedMetricSpecification?.ResourceLabel,
    ],
  );
}

async function scheduleOf(generation: Generation) {
  const { ScheduledActions = [] } = await world.client.send(
    new DescribeScheduledActionsCommand(target(generation)),
  );
  return ScheduledActions.map(
    ({ ScheduledActionName, Schedule, Timezone, StartTime, ScalableTargetAction }) => [
      ScheduledActionName,
      Schedule,
      Timezone,
      StartTime?.toISOString(),
      ScalableTargetAction,
    ],
  );
}

describe('the first generation', () => {
  it('scales as the settings say, by requests to its own slot', async () => {
    expect(await scaling.bounds(scaled, null)).toEqual({ minimum: 2, maximum: 6 });
    await scaling.carry(scaled, null, next, bounds);
    await scaling.carrySchedule(scaled, null, next);
    expect(writes()).toEqual([
      'RegisterScalableTarget',
      'PutScalingPolicy',
      'PutScalingPolicy',
      'PutScheduledAction',
    ]);
    expect(await scaling.bounds(scaled, next)).toEqual(bounds);
    expect(await policiesOf(next)).toEqual([
      ['cpu', 'TargetTrackingScaling', 60, undefined],
      ['requests', 'TargetTrackingScaling', 500, labelOf('green')],
    ]);
    expect(await scheduleOf(next)).toEqual([
      ['morning', 'cron(0 8 * * ? *)', 'Europe/Berlin', undefined, { MinCapacity: 4 }],
    ]);
  });

  it('is not written again when it stands so', async () => {
    for (const expected of [4, 0]) {
      await scaling.carry(scaled, null, next, bounds);
      await scaling.carrySchedule(scaled, null, next);
      expect(writes()).toHaveLength(expected);
    }
  });

  it('does not scale when the settings do not say how', async () => {
    expect(await scaling.bounds(settings, null)).toBeUndefined();
    await scaling.carry(settings, null, next, bounds);
    await scaling.carrySchedule(settings, null, next);
    expect(writes()).toEqual([]);
    expect(await scaling.bounds(settings, next)).toBeUndefined();
  });
});

describe('a generation after another', () => {
  beforeEach(async () => {
    await scaling.carry(scaled, null, old, { minimum: 2, maximum: 6 });
    writes();
  });

  it('scales as that one does, whatever the settings say, by requests to its own slot', async () => {
    await scaling.carry(settings, old, next, bounds);
    expect(writes()).toEqual(['RegisterScalableTarget', 'PutScalingPolicy', 'PutScalingPolicy']);
    expect(await policiesOf(next)).toEqual([
      ['cpu', 'TargetTrackingScaling', 60, undefined],
      ['requests', 'TargetTrackingScaling', 500, labelOf('green')],
    ]);
    expect(await policiesOf(old)).toContainEqual(['requests', 'TargetTrackingScaling', 500, labelOf('blue')]);
    await scaling.carry(settings, old, next, bounds);
    expect(writes()).toEqual([]);
  });

  it('gets only what differs', async () => {
    await scaling.carry(settings, old, next, bounds);
    writes();
    await scaling.carry(settings, old, next, { ...bounds, maximum: 12 });
    expect(writes()).toEqual(['RegisterScalableTarget']);
    await world.client.send(
      new PutScalingPolicyCommand({
        ...target(old),
        PolicyName: 'cpu',
        PolicyType: 'TargetTrackingScaling',
        TargetTrackingScalingPolicyConfiguration: {
          TargetValue: 75,
          PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' },
        },
      }),
    );
    writes();
    await scaling.carry(settings, old, next, { ...bounds, maximum: 12 });
    expect(writes()).toEqual(['PutScalingPolicy']);
    expect((await policiesOf(next))[0]).toEqual(['cpu', 'TargetTrackingScaling', 75, undefined]);
  });

  it('loses a policy that the other one has no more, and rests where that one rests', async () => {
    await scaling.carry(settings, old, next, bounds);
    await world.client.send(
      new PutScalingPolicyCommand({
        ...target(next),
        PolicyName: 'memory',
        PolicyType: 'TargetTrackingScaling',
        TargetTrackingScalingPolicyConfiguration: {
          TargetValue: 75,
          PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageMemoryUtilization' },
        },
      }),
    );
    await world.client.send(
      new RegisterScalableTargetCommand({
        ...target(old),
        SuspendedState: { DynamicScalingInSuspended: true },
      }),
    );
    writes();
    await scaling.carry(settings, old, next, bounds);
    expect(writes()).toEqual(['RegisterScalableTarget', 'DeleteScalingPolicy']);
    await scaling.carry(settings, old, next, bounds);
    expect(writes()).toEqual([]);
  });

  it('gets more policies than one page holds, of whatever kind', async () => {
    for (let number = 10; number < 22; number += 1)
      await world.client.send(
        new PutScalingPolicyCommand({
          ...target(old),
          PolicyName: `step-${number}`,
          PolicyType: 'StepScaling',
          StepScalingPolicyConfiguration: {
            AdjustmentType: 'ChangeInCapacity',
            StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: number }],
          },
        }),
      );
    writes();
    await scaling.carry(settings, old, next, bounds);
    expect(writes()).toHaveLength(1 + 2 + 12);
    await scaling.carry(settings, old, next, bounds);
    expect(writes()).toEqual([]);
  });

  it('does not scale when that one does not, and nothing of its own is touched', async () => {
    await scaling.carry(settings, old, next, bounds);
    await scaling.release(settings, old);
    writes();
    await scaling.carry(settings, old, next, { minimum: 1, maximum: 2 });
    expect(writes()).toEqual([]);
    expect(await scaling.bounds(settings, next)).toEqual(bounds);
  });
});

describe('a schedule', () => {
  const put = (ScheduledActionName: string, changes: Partial<PutScheduledActionCommandInput>) =>
    world.client.send(
      new PutScheduledActionCommand({
        ...target(old),
        ScheduledActionName,
        ScalableTargetAction: { MinCapacity: 4 },
        ...changes,
      }),
    );

  it('is carried but for what lies behind, and for what a start says that does', async () => {
    await scaling.carry(scaled, null, old, bounds);
    await scaling.carry(settings, old, next, bounds);
    await put('past', { Schedule: 'at(2026-01-01T00:00:10)' });
    await put('future', { Schedule: 'at(2026-01-01T00:01:10)' });
    await put('ended', { Schedule: 'rate(1 hour)', EndTime: new Date(world.clock.now() + 10_000) });
    await put('begun', { Schedule: 'rate(1 hour)', StartTime: new Date(world.clock.now() + 10_000) });
    await put('beginning', { Schedule: 'rate(1 hour)', StartTime: new Date(world.clock.now() + 50_000) });
    await world.clock.advance(20_000);
    await scaling.carrySchedule(settings, old, next);
    expect(await scheduleOf(next)).toEqual([
      ['beginning', 'rate(1 hour)', undefined, '2026-01-01T00:00:50.000Z', { MinCapacity: 4 }],
      ['begun', 'rate(1 hour)', undefined, undefined, { MinCapacity: 4 }],
      ['future', 'at(2026-01-01T00:01:10)', undefined, undefined, { MinCapacity: 4 }],
    ]);
    writes();
    await scaling.carrySchedule(settings, old, next);
    expect(writes()).toEqual([]);
    await world.clock.advance(120_000);
    await scaling.carrySchedule(settings, old, next);
    expect(writes()).toEqual(['DeleteScheduledAction']);
  });
});

describe('bounds', () => {
  it('that are written move the count at once, and a repeat does too', async () => {
    await scaling.carry(scaled, null, old, { minimum: 2, maximum: 6 });
    await scaling.bound(settings, old, { minimum: 5, maximum: 6 });
    expect(world.desired(old.name)).toBe(5);
    world.api.UpdateService({ cluster: 'demo', service: old.name, desiredCount: 1 });
    await scaling.bound(settings, old, { minimum: 5, maximum: 6 });
    expect(world.desired(old.name)).toBe(5);
    expect(await policiesOf(old)).toHaveLength(2);
  });

  it('of a generation that is released are none, nor of one that ended', async () => {
    for (const generation of [old, next]) await scaling.carry(scaled, null, generation, bounds);
    await scaling.release(settings, old);
    await scaling.release(settings, old);
    expect(await scaling.bounds(settings, old)).toBeUndefined();
    world.api.DeleteService({ cluster: 'demo', service: next.name, force: true });
    expect(await scaling.bounds(settings, next)).toBeUndefined();
    await scaling.release(settings, next);
  });

  it('are looked for in the cluster that the generation was launched in', async () => {
    await scaling.carry(scaled, null, old, bounds);
    const elsewhere = settingsOf({ fleet: { ...fleet, cluster: 'other' } });
    expect(await scaling.bounds(elsewhere, old)).toBeUndefined();
    const launched = { ...old, fleet: { kind: 'ecs', cluster: 'demo', what: 'a newer version writes' } };
    expect(await scaling.bounds(elsewhere, launched)).toEqual(bounds);
  });
});

describe('what Application Auto Scaling refuses', () => {
  it('while it does not know the service yet may be asked again', async () => {
    await expect(scaling.carry(scaled, null, generationOf(3), bounds)).rejects.toMatchObject({
      name: 'Cutover.AwsUnavailable',
      message: expect.stringContaining("ECS service doesn't exist: service/demo/web-g0003"),
    });
  });

  it('while it does not know the target yet may be asked again', async () => {
    const unhook = world.calls.hook({
      before: ({ operation }) => {
        if (operation === 'PutScalingPolicy')
          throw new AwsError('ObjectNotFoundException', 'No scalable target registered for …');
      },
    });
    await expect(scaling.carry(scaled, null, old, bounds)).rejects.toMatchObject({
      name: 'Cutover.AwsUnavailable',
    });
    unhook();
    await scaling.carry(scaled, null, old, bounds);
    expect(await policiesOf(old)).toHaveLength(2);
  });

  it('otherwise is refused', async () => {
    await expect(scaling.bound(settings, old, { minimum: 3, maximum: 2 })).rejects.toMatchObject({
      name: 'Cutover.AwsRefused',
    });
  });
});

it('mistakes in how a service scales are told as those of its fleet', () => {
  expect(mistakesInFleet(scaled.fleet)).toEqual([]);
  expect(mistakesInFleet({ ...fleet, scaling: { minimum: 0, maximum: 2, policy: 'cpu' } })).toEqual([
    'fleet/scaling/minimum: Too small: expected number to be >=1, got 0',
    'fleet/scaling: Unrecognized key: "policy"',
  ]);
});
