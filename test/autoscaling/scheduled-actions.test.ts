/** Scheduled actions: sizes that change at a time, once or again and again, in a time zone. */
import {
  BatchDeleteScheduledActionCommand,
  BatchPutScheduledUpdateGroupActionCommand,
  DeleteAutoScalingGroupCommand,
  DeleteScheduledActionCommand,
  DescribeScheduledActionsCommand,
  PutScheduledUpdateGroupActionCommand,
  type PutScheduledUpdateGroupActionCommandInput,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
} from '@aws-sdk/client-auto-scaling';
import { expect, it } from 'vitest';
import { parseUnixCron } from '../../local/services/events/unix-cron.ts';
import { AutoScalingGroupName, minute, scaled } from './world.ts';

const named = { AutoScalingGroupName };
const hour = 60 * minute;
const at = (hours: number, minutes = 0) => new Date(Date.UTC(2026, 0, 1, hours, minutes));

/** From midnight UTC, Thursday, 1 January 2026; a group of 0 to 4 that has and wants one. */
async function scheduled(changes?: Partial<PutScheduledUpdateGroupActionCommandInput>) {
  const world = await scaled();
  await world.create({ DesiredCapacity: 1 });
  const put = (action: Partial<PutScheduledUpdateGroupActionCommandInput>, ScheduledActionName = 'action') =>
    world.client.send(new PutScheduledUpdateGroupActionCommand({ ...named, ScheduledActionName, ...action }));
  if (changes !== undefined) await put(changes);
  return {
    ...world,
    put,
    described: async (input: object = named) =>
      (await world.client.send(new DescribeScheduledActionsCommand(input))).ScheduledUpdateGroupActions ?? [],
    /** Minimum, maximum, desired. */
    sizes: async () => {
      const group = await world.described();
      return [group?.MinSize, group?.MaxSize, group?.DesiredCapacity];
    },
  };
}

it.each([
  ['*/20 * * * *', '2026-01-01T00:20'],
  ['30 4 * * *', '2026-01-01T04:30'],
  ['0 9 * * MON-FRI', '2026-01-01T09:00'],
  ['0 9 * * 7', '2026-01-04T09:00'],
  ['0 9 * * 0', '2026-01-04T09:00'],
  ['0 0 1 1,6,12 *', '2026-06-01T00:00'],
  ['0 9 13 * 5', '2026-01-02T09:00'],
  ['0 9 13 JAN *', '2026-01-13T09:00'],
])('the recurrence %s comes next at %s', (recurrence, next) => {
  expect(parseUnixCron(recurrence)(at(0).getTime())).toBe(Date.parse(`${next}Z`));
});

it("an action sets its sizes at its start, in AWS's words, and is gone", async () => {
  const { clock, sizes, described, activities } = await scheduled({
    StartTime: at(3),
    MinSize: 1,
    MaxSize: 5,
    DesiredCapacity: 2,
  });
  expect(await described()).toEqual([
    {
      ...named,
      ScheduledActionName: 'action',
      ScheduledActionARN: expect.stringMatching(
        /^arn:aws:autoscaling:us-east-1:123456789012:scheduledUpdateGroupAction:[0-9a-f-]{36}:autoScalingGroupName\/web-g0001:scheduledActionName\/action$/,
      ) as unknown,
      StartTime: at(3),
      Time: at(3),
      MinSize: 1,
      MaxSize: 5,
      DesiredCapacity: 2,
    },
  ]);
  await clock.advance(3 * hour - 1);
  expect(await sizes()).toEqual([0, 4, 1]);
  await clock.advance(1);
  expect(await sizes()).toEqual([1, 5, 2]);
  expect(await described()).toEqual([]);
  await clock.advance(minute);
  expect((await activities())[0]?.Cause).toMatch(
    /^At 2026-01-01T03:00:00Z a scheduled action update of AutoScalingGroup constraints to min: 1, max: 5, desired: 2 changing the desired capacity from 1 to 2\. {2}At /,
  );
});

it('an action that recurs does so by its time zone, and tells when it comes next', async () => {
  const { clock, described, scale, sizes } = await scheduled({
    Recurrence: '0 8 * * *',
    TimeZone: 'Europe/Berlin',
    DesiredCapacity: 3,
  });
  expect((await described())[0]).toMatchObject({ StartTime: at(7), TimeZone: 'Europe/Berlin' });
  await clock.advance(7 * hour);
  expect(await sizes()).toEqual([0, 4, 3]);
  await scale(1);
  expect((await described())[0]?.StartTime).toEqual(at(31));
  await clock.advance(24 * hour);
  expect(await sizes()).toEqual([0, 4, 3]);
});

it('an action with a start runs then first, and never after its end', async () => {
  const { clock, described, scale, sizes } = await scheduled({
    StartTime: at(2, 30),
    Recurrence: '0 * * * *',
    EndTime: at(3, 30),
    DesiredCapacity: 2,
  });
  for (const [until, desired] of [
    [2, 1],
    [2.5, 2],
    [3, 2],
    [4, 1],
  ] as const) {
    await clock.advance(at(0).getTime() + until * hour - clock.now());
    expect(await sizes()).toEqual([0, 4, desired]);
    await scale(1);
  }
  expect(await described()).toEqual([]);
});

it('bounds move the desired capacity into them; those that would cross the others change nothing', async () => {
  const { clock, put, sizes } = await scheduled({ StartTime: at(1), MinSize: 2 });
  await put({ StartTime: at(2), DesiredCapacity: 9 }, 'too-many');
  await clock.advance(hour);
  expect(await sizes()).toEqual([2, 4, 2]);
  await clock.advance(hour);
  expect(await sizes()).toEqual([2, 4, 2]);
});

it('what is suspended meanwhile is lost', async () => {
  const { client, clock, sizes } = await scheduled({ StartTime: at(1), DesiredCapacity: 2 });
  const ScalingProcesses = ['ScheduledActions'];
  await client.send(new SuspendProcessesCommand({ ...named, ScalingProcesses }));
  await clock.advance(hour);
  await client.send(new ResumeProcessesCommand({ ...named, ScalingProcesses }));
  await clock.advance(hour);
  expect(await sizes()).toEqual([0, 4, 1]);
});

it('an action that is put again keeps what is not said, and one that is deleted does nothing', async () => {
  const { client, clock, put, described, sizes } = await scheduled({ StartTime: at(1), DesiredCapacity: 2 });
  await put({ StartTime: at(2) });
  expect(await described()).toMatchObject([{ StartTime: at(2), DesiredCapacity: 2 }]);
  const deletion = new DeleteScheduledActionCommand({ ...named, ScheduledActionName: 'action' });
  await client.send(deletion);
  await clock.advance(3 * hour);
  expect(await sizes()).toEqual([0, 4, 1]);
  await expect(client.send(deletion)).rejects.toMatchObject({
    name: 'ValidationError',
    message: 'Scheduled action name not found',
  });
});

it('actions go with their group', async () => {
  const { client, clock, create, described } = await scheduled({ Recurrence: '0 * * * *', MinSize: 1 });
  await client.send(new DeleteAutoScalingGroupCommand({ ...named, ForceDelete: true }));
  await clock.advance(10 * minute);
  await create({ DesiredCapacity: 0 });
  await clock.advance(2 * hour);
  expect(await described()).toEqual([]);
});

it('a batch does what it can, and names what it cannot', async () => {
  const { client, described } = await scheduled();
  const put = await client.send(
    new BatchPutScheduledUpdateGroupActionCommand({
      ...named,
      ScheduledUpdateGroupActions: [
        { ScheduledActionName: 'up', StartTime: at(1), MinSize: 2 },
        { ScheduledActionName: 'late', StartTime: at(-1), MinSize: 2 },
      ],
    }),
  );
  expect(put.FailedScheduledUpdateGroupActions).toEqual([
    {
      ScheduledActionName: 'late',
      ErrorCode: 'ValidationError',
      ErrorMessage: 'Given start time is in the past',
    },
  ]);
  const gone = await client.send(
    new BatchDeleteScheduledActionCommand({ ...named, ScheduledActionNames: ['up', 'late'] }),
  );
  expect(gone.FailedScheduledActions).toMatchObject([{ ScheduledActionName: 'late' }]);
  expect(await described()).toEqual([]);
});

it('actions are found by name and by when they start', async () => {
  const { put, described } = await scheduled({ StartTime: at(1), MinSize: 1 });
  await put({ StartTime: at(5), MinSize: 0 }, 'later');
  const names = async (input: object) =>
    (await described(input)).map(({ ScheduledActionName }) => ScheduledActionName);
  expect(await names({ ...named, ScheduledActionNames: ['later', 'none'] })).toEqual(['later']);
  expect(await names({ StartTime: at(0), EndTime: at(2) })).toEqual(['action']);
});

it.each<[string, Partial<PutScheduledUpdateGroupActionCommandInput>, RegExp]>([
  ['without sizes', { StartTime: at(1) }, /^At least one of MinSize, MaxSize and DesiredCapacity/],
  ['without a time', { MinSize: 1 }, /^Either a start time or a recurrence/],
  ['in the past', { StartTime: at(-1), MinSize: 1 }, /^Given start time is in the past$/],
  ['that ends before it starts', { StartTime: at(2), EndTime: at(1), MinSize: 1 }, /^End time must be/],
  [
    'with sizes that cross',
    { StartTime: at(1), MinSize: 2, DesiredCapacity: 1 },
    /^Desired capacity must be/,
  ],
  ['of six fields', { Recurrence: '0 8 * * ? *', MinSize: 1 }, /^Invalid recurrence/],
  ['at no hour', { Recurrence: '0 25 * * *', MinSize: 1 }, /hours '25'/],
  ['in no zone of this world', { Recurrence: '0 8 * * *', TimeZone: 'Moon/Base', MinSize: 1 }, /Moon\/Base$/],
])('an action %s is refused', async (_, action, message) => {
  const { put } = await scheduled();
  await expect(put(action)).rejects.toMatchObject({
    name: 'ValidationError',
    message: expect.stringMatching(message) as unknown,
  });
});

it('two actions of a group never start at the same time', async () => {
  const { put } = await scheduled({ StartTime: at(8), MinSize: 1 });
  await expect(put({ Recurrence: '0 8 * * *', MinSize: 2 }, 'another')).rejects.toMatchObject({
    name: 'AlreadyExistsFault',
  });
});
