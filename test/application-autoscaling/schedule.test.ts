/** Scheduled actions: bounds that change at a time, once or again and again, in a time zone. */
import {
  DeleteScheduledActionCommand,
  DescribeScheduledActionsCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { expect, it } from 'vitest';
import { autoscaled, minute, web } from './world.ts';

const hour = 60 * minute;

/** From midnight UTC, 1 January 2026, with 1 to 10 tasks. */
async function scheduled(schedule: Parameters<ReturnType<typeof autoscaled>['schedule']>[0]) {
  const world = autoscaled({ desiredCount: 2 });
  await world.register({ MinCapacity: 1, MaxCapacity: 10 });
  await world.schedule(schedule);
  return world;
}

it.each([
  ['at(2026-01-01T03:00:00)', undefined, 3],
  ['at(2026-01-01T08:00:00)', 'Europe/Berlin', 7],
  ['cron(30 4 * * ? *)', undefined, 4.5],
  ['cron(0 20 31 12 ? *)', 'America/New_York', 1],
  ['rate(2 hours)', undefined, 2],
] as const)('%s in %s is %d hours after midnight UTC', async (Schedule, Timezone, after) => {
  const { clock, desired, bounds } = await scheduled({
    Schedule,
    Timezone,
    ScalableTargetAction: { MinCapacity: 4 },
  });
  await clock.advance(after * hour - 1);
  expect([desired(), await bounds()]).toEqual([2, [[1, 10]]]);
  await clock.advance(1);
  expect([desired(), await bounds()]).toEqual([4, [[4, 10]]]);
});

it('an action that repeats sets its bounds each time, until it ends', async () => {
  const { clock, register, bounds, desired } = await scheduled({
    Schedule: 'rate(1 hour)',
    EndTime: new Date(Date.UTC(2026, 0, 1, 2, 30)),
    ScalableTargetAction: { MinCapacity: 3, MaxCapacity: 5 },
  });
  for (const set of [true, true, false]) {
    await clock.advance(hour);
    expect(await bounds()).toEqual([set ? [3, 5] : [1, 10]]);
    await register({ MinCapacity: 1, MaxCapacity: 10 });
  }
  expect(desired()).toBe(3);
});

it('an action begins at its start, and then by its schedule', async () => {
  const { clock, bounds, register } = await scheduled({
    Schedule: 'rate(1 day)',
    StartTime: new Date(Date.UTC(2026, 0, 1, 6)),
    ScalableTargetAction: { MaxCapacity: 1 },
  });
  await clock.advance(6 * hour);
  expect(await bounds()).toEqual([[1, 1]]);
  await register({ MaxCapacity: 10 });
  await clock.advance(24 * hour);
  expect(await bounds()).toEqual([[1, 1]]);
});

it('what is suspended meanwhile is lost', async () => {
  const { clock, register, desired } = await scheduled({
    Schedule: 'at(2026-01-01T01:00:00)',
    ScalableTargetAction: { MinCapacity: 4 },
  });
  await register({ SuspendedState: { ScheduledScalingSuspended: true } });
  await clock.advance(hour);
  await register({ SuspendedState: { ScheduledScalingSuspended: false } });
  await clock.advance(hour);
  expect(desired()).toBe(2);
});

it('an action that is put again keeps what is not said, and one that is deleted does nothing', async () => {
  const { clock, client, schedule, desired } = await scheduled({
    Schedule: 'at(2026-01-01T01:00:00)',
    Timezone: 'Etc/UTC',
    ScalableTargetAction: { MinCapacity: 4 },
  });
  await schedule({ Schedule: 'at(2026-01-01T02:00:00)' });
  const { ScheduledActions } = await client.send(new DescribeScheduledActionsCommand(web));
  expect(ScheduledActions).toMatchObject([
    {
      ScheduledActionName: 'action',
      Schedule: 'at(2026-01-01T02:00:00)',
      Timezone: 'Etc/UTC',
      ScalableTargetAction: { MinCapacity: 4 },
    },
  ]);
  await client.send(new DeleteScheduledActionCommand({ ...web, ScheduledActionName: 'action' }));
  await clock.advance(3 * hour);
  expect(desired()).toBe(2);
  await expect(
    client.send(new DeleteScheduledActionCommand({ ...web, ScheduledActionName: 'action' })),
  ).rejects.toMatchObject({ name: 'ObjectNotFoundException' });
});

it.each([
  ['without bounds', { Schedule: 'rate(1 hour)' }, /^At least one of minimum capacity and maximum capacity/],
  ['without a schedule', { ScalableTargetAction: { MinCapacity: 1 } }, /^Schedule is required/],
  [
    'of five fields',
    { Schedule: 'cron(0 8 * * ?)', ScalableTargetAction: { MinCapacity: 1 } },
    /^Invalid schedule expression/,
  ],
  [
    'in no zone of this world',
    { Schedule: 'rate(1 hour)', Timezone: 'Moon/Base', ScalableTargetAction: { MinCapacity: 1 } },
    /^Invalid timezone: Moon\/Base$/,
  ],
])('an action %s is refused', async (_, action, message) => {
  const { register, schedule } = autoscaled();
  await register({ MinCapacity: 1, MaxCapacity: 4 });
  await expect(schedule(action)).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringMatching(message),
  });
});
