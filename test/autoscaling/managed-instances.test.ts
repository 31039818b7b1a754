/** Single instances of groups: described, and terminated by who does not wait for the group to choose. */
import {
  DescribeAutoScalingInstancesCommand,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { expect, it } from 'vitest';
import { AutoScalingGroupName, minute, scaled } from './world.ts';

async function running(MinSize = 0) {
  const world = await scaled();
  await world.create({ MinSize });
  await world.clock.advance(minute);
  const [first, second] = (await world.members()).map(({ InstanceId }) => InstanceId);
  return {
    ...world,
    first,
    second,
    ids: async () => (await world.members()).map(({ InstanceId }) => InstanceId),
    terminate: (InstanceId: string | undefined, ShouldDecrementDesiredCapacity: boolean) =>
      world.client.send(
        new TerminateInstanceInAutoScalingGroupCommand({ InstanceId, ShouldDecrementDesiredCapacity }),
      ),
  };
}

it('instances are described by their ids; those that are not there are left out', async () => {
  const { client, second } = await running();
  const { AutoScalingInstances } = await client.send(
    new DescribeAutoScalingInstancesCommand({ InstanceIds: [second ?? '', 'i-0'] }),
  );
  expect(AutoScalingInstances).toEqual([
    {
      InstanceId: second,
      InstanceType: 't3.micro',
      AutoScalingGroupName,
      AvailabilityZone: 'us-east-1b',
      LifecycleState: 'InService',
      HealthStatus: 'HEALTHY',
      LaunchTemplate: expect.objectContaining({ LaunchTemplateName: 'web', Version: '1' }) as unknown,
      ProtectedFromScaleIn: false,
    },
  ]);
});

it('an instance that is terminated is replaced', async () => {
  const { clock, terminate, described, first, second, ids } = await running();
  const { Activity } = await terminate(first, false);
  expect(Activity).toMatchObject({
    Description: `Terminating EC2 instance: ${first}`,
    Cause: `At 2026-01-01T00:01:00Z instance ${first} was taken out of service in response to a user request.`,
    StatusCode: 'InProgress',
  });
  await clock.advance(3 * minute);
  expect((await described())?.DesiredCapacity).toBe(2);
  expect(await ids()).toEqual([second, expect.not.stringMatching(first ?? '')]);
});

it('an instance that is terminated with its place is not', async () => {
  const { clock, terminate, described, first, second, ids } = await running();
  const { Activity } = await terminate(first, true);
  expect(Activity?.Cause).toMatch(/in response to a user request, shrinking the capacity from 2 to 1\.$/);
  await clock.advance(3 * minute);
  expect((await described())?.DesiredCapacity).toBe(1);
  expect(await ids()).toEqual([second]);
});

it('no place goes that the minimum holds, and nothing that is not there', async () => {
  const { terminate, first, ids } = await running(2);
  await expect(terminate(first, true)).rejects.toMatchObject({
    name: 'ValidationError',
    message: expect.stringMatching(/^Currently, desiredSize equals minSize \(2\)/) as unknown,
  });
  await expect(terminate('i-0', false)).rejects.toThrow(
    'Instance Id not found - No managed instance found for instance ID: i-0',
  );
  expect(await ids()).toHaveLength(2);
});
