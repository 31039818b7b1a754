/** Scalable targets: bounds, what they do to the count at once, and how they end. */
import {
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  DescribeScheduledActionsCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { describe, expect, it } from 'vitest';
import { call, request } from '../ecs/world.ts';
import { autoscaled, web } from './world.ts';

describe('a registration', () => {
  it.each([
    ['below the minimum', 1, { MinCapacity: 3, MaxCapacity: 6 }, 3],
    ['above the maximum', 9, { MinCapacity: 3, MaxCapacity: 6 }, 6],
    ['between them', 4, { MinCapacity: 3, MaxCapacity: 6 }, 4],
  ])('moves a count %s into the bounds at once', async (_, desiredCount, bounds, becomes) => {
    const { register, desired } = autoscaled({ desiredCount });
    const { ScalableTargetARN } = await register(bounds);
    expect(ScalableTargetARN).toMatch(
      /^arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target\//,
    );
    expect(desired()).toBe(becomes);
  });

  it('moves it also by the bounds that stand, whatever it says itself', async () => {
    const { register, desired, bounds, api } = autoscaled();
    await register({ MinCapacity: 2, MaxCapacity: 6 });
    await register({ MaxCapacity: 8 });
    expect(await bounds()).toEqual([[2, 8]]);
    api.UpdateService({ cluster: 'demo', service: 'web', desiredCount: 1 });
    await register({ SuspendedState: { DynamicScalingInSuspended: true } });
    expect(desired()).toBe(2);
    await register({ MinCapacity: 5 });
    expect(desired()).toBe(5);
  });

  it.each([
    ['without a maximum', { MinCapacity: 1 }, /required/],
    [
      'with bounds that cross',
      { MinCapacity: 3, MaxCapacity: 2 },
      /Maximum capacity cannot be less than minimum/,
    ],
    ['below zero', { MinCapacity: -1, MaxCapacity: 2 }, /cannot be less than 0/],
    [
      'of a service that is not there',
      { MinCapacity: 1, MaxCapacity: 2, ResourceId: 'service/demo/none' },
      /^ECS service doesn't exist: service\/demo\/none$/,
    ],
    [
      'of a cluster that is not there',
      { MinCapacity: 1, MaxCapacity: 2, ResourceId: 'service/none/web' },
      /^ECS service doesn't exist: service\/none\/web$/,
    ],
    [
      'of something else',
      { MinCapacity: 1, MaxCapacity: 2, ResourceId: 'table/web' },
      /^Unsupported service namespace, resource type or scalable dimension$/,
    ],
  ])('%s is refused, and nothing changes', async (_, input, message) => {
    const { register, desired, bounds } = autoscaled();
    await expect(register(input)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(message),
    });
    expect(await bounds()).toEqual([]);
    expect(desired()).toBe(1);
  });
});

it('targets are found by their resources, and by pages', async () => {
  const { register, client, api } = autoscaled();
  for (const serviceName of ['api', 'shop'])
    api.CreateService({ ...request, serviceName, loadBalancers: [] }, call);
  for (const name of ['web', 'api', 'shop'])
    await register({ ResourceId: `service/demo/${name}`, MinCapacity: 1, MaxCapacity: 2 });
  const ask = async (input: object) => {
    const { ScalableTargets = [], NextToken } = await client.send(
      new DescribeScalableTargetsCommand({ ServiceNamespace: 'ecs', ...input }),
    );
    return { names: ScalableTargets.map(({ ResourceId }) => ResourceId?.slice(13)), NextToken };
  };
  expect((await ask({ ResourceIds: ['service/demo/shop'] })).names).toEqual(['shop']);
  const first = await ask({ MaxResults: 2 });
  expect(first.names).toEqual(['api', 'shop']);
  expect(await ask({ MaxResults: 2, NextToken: first.NextToken })).toEqual({ names: ['web'] });
  await expect(ask({ MaxResults: 51 })).rejects.toThrow('MaxResults must be between 1 and 50');
  await expect(ask({ NextToken: '!' })).rejects.toMatchObject({ name: 'InvalidNextTokenException' });
});

describe('a target that is deregistered', () => {
  it('takes its policies, their alarms and its scheduled actions along, and is gone', async () => {
    const { register, track, schedule, client, alarms, desired, bounds, clock } = autoscaled();
    await register({ MinCapacity: 1, MaxCapacity: 4 });
    await track(100);
    await schedule({ Schedule: 'rate(1 hour)', ScalableTargetAction: { MinCapacity: 3 } });
    expect(alarms()).toHaveLength(2);
    await client.send(new DeregisterScalableTargetCommand(web));
    expect(alarms()).toEqual([]);
    const { ScalingPolicies } = await client.send(
      new DescribeScalingPoliciesCommand({ ServiceNamespace: 'ecs' }),
    );
    const { ScheduledActions } = await client.send(
      new DescribeScheduledActionsCommand({ ServiceNamespace: 'ecs' }),
    );
    expect([ScalingPolicies, ScheduledActions, await bounds()]).toEqual([[], [], []]);
    await clock.advance(2 * 3_600_000);
    expect(desired()).toBe(1);
    await expect(client.send(new DeregisterScalableTargetCommand(web))).rejects.toMatchObject({
      name: 'ObjectNotFoundException',
      message:
        'No scalable target found for service namespace: ecs, resource ID: service/demo/web, scalable dimension: ecs:service:DesiredCount',
    });
  });

  it('goes with its service, and what it scheduled does nothing', async () => {
    const { register, track, schedule, alarms, bounds, api, clock } = autoscaled();
    await register({ MinCapacity: 1, MaxCapacity: 4 });
    await track(100);
    await schedule({ Schedule: 'rate(1 hour)', ScalableTargetAction: { MinCapacity: 3 } });
    api.DeleteService({ cluster: 'demo', service: 'web', force: true });
    await clock.advance(2 * 3_600_000);
    expect(alarms()).toEqual([]);
    expect(await bounds()).toEqual([]);
    await expect(register({ MinCapacity: 1, MaxCapacity: 4 })).rejects.toThrow("ECS service doesn't exist");
  });
});

it.each<[string, (world: ReturnType<typeof autoscaled>) => Promise<unknown>]>([
  ['a policy', ({ track }) => track(100)],
  [
    'a scheduled action',
    ({ schedule }) => schedule({ Schedule: 'rate(1 hour)', ScalableTargetAction: { MinCapacity: 1 } }),
  ],
])('%s needs a target', async (_, put) => {
  await expect(put(autoscaled())).rejects.toMatchObject({
    name: 'ObjectNotFoundException',
    message:
      'No scalable target registered for service namespace: ecs, resource ID: service/demo/web, scalable dimension: ecs:service:DesiredCount',
  });
});
