/** What is asked of EC2 Auto Scaling for instances that drain, by the real client. */
import { PutLifecycleHookCommand } from '@aws-sdk/client-auto-scaling';
import { expect, it } from 'vitest';
import { AsgDrains } from '../../functions/aws/asg-drains.ts';
import { drainHook } from '../../functions/core/fleet/drain-hook.ts';
import { generationName } from '../../functions/core/names.ts';
import { AutoScalingGroupName, minute, scaled } from '../autoscaling/world.ts';

const generation = generationName.parse(AutoScalingGroupName);
const other = generationName.parse('web-g0002');

/** Two instances that wait for these hooks, each for 15 minutes. */
async function waiting(...hooks: string[]) {
  const world = await scaled();
  await world.create({ DesiredCapacity: 2 });
  for (const LifecycleHookName of hooks)
    await world.client.send(
      new PutLifecycleHookCommand({
        AutoScalingGroupName,
        LifecycleHookName,
        LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
        HeartbeatTimeout: 900,
        DefaultResult: 'CONTINUE',
      }),
    );
  await world.clock.advance(2 * minute);
  const [first, second] = (await world.members()).map(({ InstanceId }) => InstanceId ?? '');
  await world.scale(0);
  await world.clock.advance(minute);
  const state = async (instance = '') =>
    (await world.members()).find(({ InstanceId }) => InstanceId === instance)?.LifecycleState;
  const of = (instance = '') => ({ generation, instance });
  return { ...world, drains: new AsgDrains(world.client), first: of(first), second: of(second), state };
}

it('instances that wait are found, and one that is let go ends, however often that is said', async () => {
  const { drains, first, second, state, clock } = await waiting(drainHook);
  expect(new Set(await drains.waiting([generation, other]))).toEqual(new Set([first, second]));
  for (let time = 0; time < 2; time++) await drains.letGo(first);
  expect(await state(first.instance)).toBe('Terminating:Proceed');
  expect(await drains.waiting([generation])).toEqual([second]);
  await clock.advance(2 * minute);
  await drains.letGo(first);
  expect(await drains.keep(first)).toBe('gone');
});

it('one that is kept waits for as long again', async () => {
  const { drains, first, second, state, clock } = await waiting(drainHook);
  await clock.advance(10 * minute);
  expect(await drains.keep(first)).toBe('kept');
  await clock.advance(10 * minute);
  expect(await state(first.instance)).toBe('Terminating:Wait');
  expect(await state(second.instance)).toBeUndefined();
});

it('one that waits for another hook alone does not wait for us', async () => {
  const { drains, first, state } = await waiting('upload-logs');
  expect(await drains.keep(first)).toBe('gone');
  await drains.letGo(first);
  expect(await state(first.instance)).toBe('Terminating:Wait');
});

it('of a group that is gone nothing waits', async () => {
  const { drains, first } = await waiting();
  const gone = { ...first, generation: other };
  expect([await drains.keep(gone), await drains.waiting([other])]).toEqual(['gone', []]);
  await drains.letGo(gone);
});
