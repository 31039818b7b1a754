/** Groups behind a load balancer: registration, health, and what is done about it. */
import {
  AttachTrafficSourcesCommand,
  DeleteAutoScalingGroupCommand,
  DetachTrafficSourcesCommand,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
} from '@aws-sdk/client-auto-scaling';
import { describe, expect, it } from 'vitest';
import { AutoScalingGroupName, minute, scaled, seconds } from './world.ts';

const named = { AutoScalingGroupName };

async function balanced(changes: object = {}) {
  const world = await scaled();
  const { client, create, clock, members, blue } = world;
  const TrafficSources = [{ Identifier: blue, Type: 'elbv2' }];
  return {
    ...world,
    attach: (sources = TrafficSources) =>
      client.send(new AttachTrafficSourcesCommand({ ...named, TrafficSources: sources })),
    detach: () => client.send(new DetachTrafficSourcesCommand({ ...named, TrafficSources })),
    /** The ids of two instances in service, that ELB has checked. */
    serving: async () => {
      await create({
        TargetGroupARNs: [blue],
        HealthCheckType: 'ELB',
        HealthCheckGracePeriod: 120,
        ...changes,
      });
      await clock.advance(90 * seconds);
      return (await members()).map(({ InstanceId = '' }) => InstanceId);
    },
  };
}

describe('a traffic source', () => {
  it('has every instance as a target before it is in service, and is in service with the first healthy one', async () => {
    const { serving, targets, sources, described, blue } = await balanced();
    const ids = await serving();
    expect(await targets()).toEqual(ids.map((id) => `${id} healthy`));
    expect(await sources()).toEqual(['InService']);
    expect(await described()).toMatchObject({
      TargetGroupARNs: [blue],
      TrafficSources: [{ Identifier: blue, Type: 'elbv2' }],
      HealthCheckType: 'ELB',
    });
  });

  it('that is attached later is added, then in service; without instances only added', async () => {
    const { create, attach, sources, targets, scale, clock } = await balanced();
    await create({ DesiredCapacity: 0 });
    await attach();
    expect(await sources()).toEqual(['Adding']);
    await clock.advance(minute);
    expect(await sources()).toEqual(['Added']);
    await scale(1);
    await clock.advance(90 * seconds);
    expect(await sources()).toEqual(['InService']);
    await attach();
    expect([await sources(), await targets()]).toEqual([['InService'], [expect.stringMatching(/healthy$/)]]);
  });

  it('that is detached drains its targets and is gone; the instances stay', async () => {
    const { serving, detach, sources, targets, states, described, clock } = await balanced();
    const ids = await serving();
    await detach();
    expect(await sources()).toEqual(['Removing']);
    expect((await described())?.TargetGroupARNs).toEqual([]);
    expect(await targets()).toEqual(ids.map((id) => `${id} draining`));
    await clock.advance(301 * seconds);
    expect([await sources(), await targets()]).toEqual([[], []]);
    expect(await states()).toEqual(['InService', 'InService']);
    await expect(detach()).rejects.toThrow('Trying to remove Target Groups that are not part of the group');
  });

  it('that is detached before its instances were registered registers none', async () => {
    const { create, attach, detach, sources, targets, clock } = await balanced();
    await create();
    await clock.advance(minute);
    await attach();
    await detach();
    await clock.advance(minute);
    expect([await sources(), await targets()]).toEqual([[], []]);
  });

  it('must be a target group of instances, and ten at most at once', async () => {
    const { create, attach, targetGroup, blue } = await balanced();
    await create();
    const ofAddresses = await targetGroup('addresses', { TargetType: 'ip' });
    await expect(attach([{ Identifier: ofAddresses, Type: 'elbv2' }])).rejects.toThrow(
      'Provided Target Groups may not be valid.',
    );
    const many = Array.from({ length: 11 }, () => ({ Identifier: blue, Type: 'elbv2' }));
    await expect(attach(many)).rejects.toMatchObject({ name: 'ValidationError' });
  });
});

it('an instance that is terminated drains first', async () => {
  const { serving, scale, states, targets, activities, clock } = await balanced();
  await serving();
  await scale(1);
  await clock.advance(20 * seconds);
  expect(new Set(await states())).toEqual(new Set(['InService', 'Terminating']));
  expect((await activities())[0]).toMatchObject({
    StatusCode: 'WaitingForELBConnectionDraining',
    Progress: 50,
  });
  await clock.advance(300 * seconds);
  expect(new Set(await states())).toEqual(new Set(['InService', 'Terminating:Proceed']));
  expect(await targets()).toHaveLength(1);
  await clock.advance(minute);
  expect(await states()).toEqual(['InService']);
});

it('an instance that drains when its group is deleted by force ends at once, and asks no hook', async () => {
  const { client, serving, scale, states, described, detailTypes, clock } = await balanced({
    LifecycleHookSpecificationList: [
      { LifecycleHookName: 'save', LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING' },
    ],
  });
  await serving();
  await scale(1);
  await clock.advance(20 * seconds);
  await client.send(new DeleteAutoScalingGroupCommand({ ...named, ForceDelete: true }));
  expect(await states()).toEqual(['Terminating:Proceed', 'Terminating:Proceed']);
  await clock.advance(10 * minute);
  expect(await described()).toBeUndefined();
  expect(detailTypes()).not.toContain('EC2 Instance-terminate Lifecycle Action');
});

describe('an instance that ELB finds unhealthy', () => {
  it('is replaced, but not within the grace period', async () => {
    const { serving, sicken, members, activities, clock } = await balanced();
    const [first] = await serving();
    sicken(first);
    await clock.advance(minute);
    expect((await members()).map(({ HealthStatus }) => HealthStatus)).toEqual(['Healthy', 'Healthy']);
    await clock.advance(minute);
    const gone = (await activities()).find(({ Description }) => Description?.startsWith('Terminating'));
    expect(gone?.Cause).toMatch(
      /^At \S+ an instance was taken out of service in response to an ELB system health check failure\.$/,
    );
    await clock.advance(6 * minute);
    const ids = (await members()).map(({ InstanceId }) => InstanceId);
    expect([ids.length, ids.includes(first)]).toEqual([2, false]);
  });

  it('stays when the group asks EC2 alone', async () => {
    const { serving, sicken, members, targets, clock } = await balanced({ HealthCheckType: 'EC2' });
    const ids = await serving();
    sicken(ids[0]);
    await clock.advance(10 * minute);
    expect((await members()).map(({ InstanceId }) => InstanceId)).toEqual(ids);
    expect(await targets()).toContain(`${ids[0]} unhealthy`);
  });

  it('stays while no instance of its traffic source has ever been healthy', async () => {
    const { create, sicken, members, blue, sources, clock } = await balanced();
    await create({ DesiredCapacity: 1, TargetGroupARNs: [blue], HealthCheckType: 'ELB' });
    await clock.advance(20 * seconds);
    const id = (await members())[0]?.InstanceId;
    sicken(id);
    await clock.advance(10 * minute);
    expect([await sources(), (await members()).map(({ InstanceId }) => InstanceId)]).toEqual([
      ['Added'],
      [id],
    ]);
  });

  it.each([
    ['HealthCheck', 'Healthy'],
    ['ReplaceUnhealthy', 'Unhealthy'],
    ['Terminate', 'Unhealthy'],
  ])('stays %s suspended', async (process, health) => {
    const { client, serving, sicken, members, clock } = await balanced();
    const ids = await serving();
    await client.send(new SuspendProcessesCommand({ ...named, ScalingProcesses: [process] }));
    sicken(ids[0]);
    await clock.advance(10 * minute);
    expect((await members()).map(({ InstanceId }) => InstanceId)).toEqual(ids);
    expect((await members())[0]?.HealthStatus).toBe(health);
    await client.send(new ResumeProcessesCommand(named));
    await clock.advance(minute);
    expect((await members())[0]?.LifecycleState).toBe('Terminating');
  });
});

it('an instance that was launched while AddToLoadBalancer was suspended is never added', async () => {
  const { client, serving, scale, states, targets, clock } = await balanced();
  await serving();
  await client.send(new SuspendProcessesCommand({ ...named, ScalingProcesses: ['AddToLoadBalancer'] }));
  await scale(3);
  await clock.advance(2 * minute);
  await client.send(new ResumeProcessesCommand(named));
  await clock.advance(2 * minute);
  expect(await states()).toEqual(['InService', 'InService', 'InService']);
  expect(await targets()).toHaveLength(2);
});
