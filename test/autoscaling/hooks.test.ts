/** Lifecycle hooks: instances that wait, and how their waiting ends. */
import {
  CompleteLifecycleActionCommand,
  DeleteAutoScalingGroupCommand,
  DeleteLifecycleHookCommand,
  DescribeLifecycleHooksCommand,
  PutLifecycleHookCommand,
  type PutLifecycleHookCommandInput,
  RecordLifecycleActionHeartbeatCommand,
} from '@aws-sdk/client-auto-scaling';
import { describe, expect, it } from 'vitest';
import { AutoScalingGroupName, minute, scaled, seconds } from './world.ts';

const launching = 'autoscaling:EC2_INSTANCE_LAUNCHING';
const terminating = 'autoscaling:EC2_INSTANCE_TERMINATING';
const named = { AutoScalingGroupName, LifecycleHookName: 'warm-up' };

async function hooked(LifecycleTransition: string, changes: Partial<PutLifecycleHookCommandInput> = {}) {
  const world = await scaled();
  const { client, create, clock, members, events } = world;
  await create({ DesiredCapacity: 0 });
  const put = (more: Partial<PutLifecycleHookCommandInput> = {}) =>
    client.send(new PutLifecycleHookCommand({ ...named, LifecycleTransition, ...changes, ...more }));
  await put();
  const complete = async (LifecycleActionResult: string, more: object = {}) =>
    client.send(
      new CompleteLifecycleActionCommand({
        ...named,
        InstanceId: (await members())[0]?.InstanceId,
        LifecycleActionResult,
        ...more,
      }),
    );
  const tokens = () =>
    events
      .filter(({ detailType }) => detailType.endsWith('Lifecycle Action'))
      .map(({ detail }) => (detail as { LifecycleActionToken: string }).LifecycleActionToken);
  const waiting = async () => {
    await world.scale(1);
    await clock.advance(minute);
  };
  return { ...world, put, complete, tokens, waiting };
}

it("a hook is described with AWS's defaults, and keeps what a change does not name", async () => {
  const { client, put } = await hooked(launching, { NotificationMetadata: 'cutover' });
  const described = async () =>
    (await client.send(new DescribeLifecycleHooksCommand({ AutoScalingGroupName }))).LifecycleHooks;
  const hook = {
    ...named,
    LifecycleTransition: launching,
    NotificationMetadata: 'cutover',
    HeartbeatTimeout: 3_600,
    GlobalTimeout: 172_800,
    DefaultResult: 'ABANDON',
  };
  expect(await described()).toEqual([hook]);
  await put({ LifecycleTransition: undefined, HeartbeatTimeout: 60, DefaultResult: 'CONTINUE' });
  expect(await described()).toEqual([
    { ...hook, HeartbeatTimeout: 60, GlobalTimeout: 6_000, DefaultResult: 'CONTINUE' },
  ]);
});

describe('an instance that is launched', () => {
  it('waits, told on the bus, until its hook says to continue', async () => {
    const { waiting, states, activities, complete, events, members, described, clock } = await hooked(
      launching,
      {
        NotificationMetadata: 'cutover',
      },
    );
    await waiting();
    expect(await states()).toEqual(['Pending:Wait']);
    expect((await activities())[0]?.StatusCode).toBe('MidLifecycleAction');
    expect(events).toEqual([
      expect.objectContaining({
        detailType: 'EC2 Instance-launch Lifecycle Action',
        resources: [(await described())?.AutoScalingGroupARN],
        detail: {
          LifecycleActionToken: expect.any(String) as unknown,
          AutoScalingGroupName,
          LifecycleHookName: 'warm-up',
          EC2InstanceId: (await members())[0]?.InstanceId,
          LifecycleTransition: launching,
          NotificationMetadata: 'cutover',
          Origin: 'EC2',
          Destination: 'AutoScalingGroup',
        },
      }),
    ]);
    await clock.advance(10 * minute);
    expect(await states()).toEqual(['Pending:Wait']);
    await complete('CONTINUE');
    expect(await states()).toEqual(['InService']);
    expect((await activities())[0]?.StatusCode).toBe('Successful');
  });

  it('waits for all hooks', async () => {
    const { put, waiting, states, complete, tokens } = await hooked(launching);
    await put({ LifecycleHookName: 'second' });
    await waiting();
    const [first, second] = tokens();
    await complete('CONTINUE', { InstanceId: undefined, LifecycleActionToken: first });
    expect(await states()).toEqual(['Pending:Wait']);
    await complete('CONTINUE', { LifecycleHookName: 'second', LifecycleActionToken: second });
    expect(await states()).toEqual(['InService']);
  });

  it('is terminated and replaced when its hook abandons it', async () => {
    const { waiting, states, activities, complete, tokens, detailTypes, clock } = await hooked(launching);
    await waiting();
    await complete('ABANDON');
    expect(await states()).toEqual(['Terminating:Proceed']);
    expect((await activities())[0]).toMatchObject({
      StatusCode: 'Cancelled',
      StatusMessage: `Instance failed to complete user's Lifecycle Action: Lifecycle Action with token ${tokens()[0]} was abandoned: Lifecycle Action Completed with ABANDON Result`,
    });
    expect(detailTypes().at(-1)).toBe('EC2 Instance Launch Unsuccessful');
    await clock.advance(2 * minute);
    expect(await states()).toEqual(['Pending:Wait']);
  });

  it.each([
    ['CONTINUE', 'InService'],
    ['ABANDON', 'Terminating:Proceed'],
  ])('of which nobody hears goes the default way: %s', async (DefaultResult, state) => {
    const { waiting, states, clock } = await hooked(launching, { DefaultResult, HeartbeatTimeout: 60 });
    await waiting();
    await clock.advance(30 * seconds);
    expect(await states()).toEqual(['Pending:Wait']);
    await clock.advance(30 * seconds);
    expect((await states())[0]).toBe(state);
  });

  it('waits longer by heartbeats, but not for good', async () => {
    const { client, waiting, states, members, clock } = await hooked(launching, {
      HeartbeatTimeout: 30,
      DefaultResult: 'CONTINUE',
    });
    await waiting();
    const InstanceId = (await members())[0]?.InstanceId;
    const heartbeat = () => client.send(new RecordLifecycleActionHeartbeatCommand({ ...named, InstanceId }));
    // 100 times 30 s, of which some have passed.
    for (let beat = 0; beat < 146; beat += 1) {
      await heartbeat();
      await clock.advance(20 * seconds);
    }
    expect(await states()).toEqual(['Pending:Wait']);
    for (let beat = 0; beat < 3; beat += 1) {
      await heartbeat();
      await clock.advance(20 * seconds);
    }
    expect(await states()).toEqual(['InService']);
    await expect(heartbeat()).rejects.toThrow(
      `No active Lifecycle Action found with instance ID ${InstanceId}`,
    );
  });
});

describe('an instance that is terminated', () => {
  it.each(['CONTINUE', 'ABANDON'])('waits for its hook, and then goes: %s', async (result) => {
    const { waiting, scale, states, activities, complete, detailTypes, clock } = await hooked(terminating);
    await waiting();
    await scale(0);
    await clock.advance(minute);
    expect(await states()).toEqual(['Terminating:Wait']);
    expect((await activities())[0]?.StatusCode).toBe('MidLifecycleAction');
    await complete(result);
    expect(await states()).toEqual(['Terminating:Proceed']);
    await clock.advance(minute);
    expect(await states()).toEqual([]);
    expect(detailTypes().slice(-2)).toEqual([
      'EC2 Instance-terminate Lifecycle Action',
      'EC2 Instance Terminate Successful',
    ]);
  });

  it('waits no more when its group is deleted by force', async () => {
    const { client, waiting, scale, states, described, clock } = await hooked(terminating);
    await waiting();
    await scale(0);
    await clock.advance(minute);
    await client.send(new DeleteAutoScalingGroupCommand({ AutoScalingGroupName, ForceDelete: true }));
    expect(await states()).toEqual(['Terminating:Proceed']);
    await clock.advance(2 * minute);
    expect(await described()).toBeUndefined();
  });
});

it.each([
  ['abandons a launch', launching, 1, 'Terminating:Proceed'],
  ['continues a termination', terminating, 0, 'Terminating:Proceed'],
])('a hook that is deleted %s', async (_, transition, desired, state) => {
  const { client, waiting, scale, states, clock } = await hooked(transition);
  await waiting();
  await scale(desired);
  await clock.advance(30 * seconds);
  await client.send(new DeleteLifecycleHookCommand(named));
  expect(await states()).toEqual([state]);
  await clock.advance(2 * minute);
  expect(await states()).toEqual(desired === 0 ? [] : ['InService']);
});

it.each<[string, Partial<PutLifecycleHookCommandInput>]>([
  ['no transition', { LifecycleHookName: 'new', LifecycleTransition: undefined }],
  ['too short a timeout', { HeartbeatTimeout: 29 }],
  ['a strange result', { DefaultResult: 'RETRY' }],
  ['a topic to notify', { NotificationTargetARN: 'arn:aws:sns:us-east-1:123456789012:hooks' }],
])('a hook is refused with %s', async (_, changes) => {
  const { put } = await hooked(launching);
  await expect(put(changes)).rejects.toMatchObject({ name: 'ValidationError' });
});
