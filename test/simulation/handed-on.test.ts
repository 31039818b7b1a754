/** How a generation scales is what the next one gets, also where only its bounds say so, and where what was replaced shrinks at once. */
import { describe, expect, it } from 'vitest';
import { ended, expectLive, expectOutcome, inWorld } from './cell.ts';
import { ground } from './ground.ts';
import { baking } from './stories.ts';
import type { World } from './world.ts';

async function sizes(world: World, AutoScalingGroupName: string): Promise<readonly number[]> {
  const { AutoScalingGroups } = (await world.ask('autoscaling', 'DescribeAutoScalingGroups', {
    AutoScalingGroupNames: [AutoScalingGroupName],
  })) as { AutoScalingGroups: { MinSize: number; MaxSize: number; DesiredCapacity: number }[] };
  return AutoScalingGroups.flatMap(({ MinSize, MaxSize, DesiredCapacity }) => [
    MinSize,
    MaxSize,
    DesiredCapacity,
  ]);
}

/** Somebody scales it from outside between these bounds; held, they are equal. */
async function bounded(world: World): Promise<string> {
  const first = await world.goLive('v1');
  await world.settle();
  await world.ask('autoscaling', 'UpdateAutoScalingGroup', {
    AutoScalingGroupName: 'worker-g0001',
    MinSize: 1,
    MaxSize: 2,
    DesiredCapacity: 2,
  });
  return first;
}

describe('a group with bounds and neither policy nor schedule, as large as it may be', () => {
  it('hands its bounds on', () =>
    inWorld(
      ground(),
      async (world) => {
        await bounded(world);
        const digest = await world.goLive('v2');
        await ended(world);
        expectLive(world, digest);
        expect(await sizes(world, 'worker-g0002')).toEqual([1, 2, 2]);
      },
      { service: 'worker' },
    ));

  it('has them again when the deployment went back', () =>
    inWorld(
      ground(),
      async (world) => {
        const first = await bounded(world);
        await baking(world, world.push('v2'), 1);
        expect(await sizes(world, 'worker-g0001')).toEqual([2, 2, 2]);
        await world.signal({ signal: 'abort', by: 'ann' });
        await world.pass(() => world.item?.owner === null, 'the way back');
        await ended(world);
        expectOutcome(world, 'restored');
        expectLive(world, first);
        expect(await sizes(world, 'worker-g0001')).toEqual([1, 2, 2]);
      },
      { service: 'worker' },
    ));
});

const own = {
  web: async (world: World) => {
    const { fleet } = await world.settings();
    await world.ask('application-autoscaling', 'PutScheduledAction', {
      ServiceNamespace: 'ecs',
      ScalableDimension: 'ecs:service:DesiredCount',
      ResourceId: `service/${String(fleet['cluster']).split('/').at(-1)}/web-g0001`,
      ScheduledActionName: 'own',
      Schedule: 'cron(0 20 * * ? *)',
      ScalableTargetAction: { MinCapacity: 3 },
    });
  },
  worker: async (world: World) => {
    await world.ask('autoscaling', 'PutScheduledUpdateGroupAction', {
      AutoScalingGroupName: 'worker-g0001',
      ScheduledActionName: 'own',
      Recurrence: '0 20 * * *',
      MinSize: 3,
    });
  },
};

describe.each(['web', 'worker'] as const)(
  'a schedule that somebody wrote outlives what it stood on: %s',
  (service) => {
    it.each([
      ['made small at once', { retentionFloor: 1, retentionSeconds: 7_200 }],
      ['ended at once', { retentionSeconds: 0 }],
    ])('%s', (_, settings) =>
      inWorld(
        ground(),
        async (world) => {
          await world.goLive('v1');
          await world.settle();
          await own[service](world);
          await world.goLive('v2');
          await ended(world);
          const fleet = await world.fleet();
          expect(await fleet.schedule(`${service}-g0002`)).toEqual([expect.stringMatching(/^own: /)]);
          await world.passMs(10 * 60_000);
          const left = fleet.wanted('web-g0001') ?? fleet.wanted('worker-g0001');
          expect(left).toBe(settings.retentionSeconds === 0 ? undefined : 1);
        },
        { service, settings, scaling: { minimum: 2, maximum: 12 } },
      ),
    );
  },
);
