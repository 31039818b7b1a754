/** Groups: what they launch and terminate, what they say about it, and how they end. */
import {
  type CreateAutoScalingGroupCommandInput,
  DeleteAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import type { DescribeSubnetsCommandOutput } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { AutoScalingGroupName, images, minute, scaled, seconds } from './world.ts';

const named = { AutoScalingGroupName };

describe('a new group', () => {
  it('launches what is desired from its version, spread over the zones, and brings it into service', async () => {
    const { create, addVersion, states, members, instances, clock } = await scaled();
    await addVersion();
    await create({
      Tags: [
        { Key: 'app', Value: 'web', PropagateAtLaunch: true },
        { Key: 'owner', Value: 'team' },
      ],
    });
    await clock.advance(10 * seconds);
    expect(await states()).toEqual([]);
    await clock.advance(10 * seconds);
    expect(await states()).toEqual(['Pending', 'Pending']);
    await clock.advance(30 * seconds);
    expect(await states()).toEqual(['InService', 'InService']);
    const found = await members();
    expect(found.map(({ AvailabilityZone }) => AvailabilityZone)).toEqual(['us-east-1a', 'us-east-1b']);
    expect(found[0]).toMatchObject({
      InstanceType: 't3.micro',
      HealthStatus: 'Healthy',
      LaunchTemplate: { LaunchTemplateName: 'web', Version: '1' },
    });
    expect(instances.running()[0]).toMatchObject({
      imageId: images[0],
      userData: 'IyE=',
      tags: {
        app: 'web',
        'aws:autoscaling:groupName': AutoScalingGroupName,
        'aws:ec2launchtemplate:version': '1',
      },
    });
    expect(instances.running()[0]?.tags).not.toHaveProperty('owner');
  });

  it("is told in AWS's words, as activities and on the bus", async () => {
    const { create, activities, events, members, described, clock } = await scaled();
    await create({ DesiredCapacity: 1 });
    await clock.advance(minute);
    const [activity] = await activities();
    const id = (await members())[0]?.InstanceId;
    expect(activity).toMatchObject({
      Description: `Launching a new EC2 instance: ${id}`,
      Cause:
        'At 2026-01-01T00:00:00Z a user request created an AutoScalingGroup changing the desired capacity from 0 to 1.  ' +
        'At 2026-01-01T00:00:16Z an instance was started in response to a difference between desired and actual capacity, increasing the capacity from 0 to 1.',
      StatusCode: 'Successful',
      Progress: 100,
      Details: expect.stringMatching(/^\{"Subnet ID":"subnet-\w+","Availability Zone":"us-east-1a"\}$/),
    });
    expect(events).toEqual([
      expect.objectContaining({
        source: 'aws.autoscaling',
        detailType: 'EC2 Instance Launch Successful',
        resources: [
          (await described())?.AutoScalingGroupARN,
          `arn:aws:ec2:us-east-1:123456789012:instance/${id}`,
        ],
        detail: expect.objectContaining({
          StatusCode: 'InProgress',
          AutoScalingGroupName,
          EC2InstanceId: id,
          ActivityId: activity?.ActivityId,
          Origin: 'EC2',
          Destination: 'AutoScalingGroup',
        }) as unknown,
      }),
    ]);
  });

  it.each<[string, Partial<CreateAutoScalingGroupCommandInput>, string]>([
    [
      'a desired capacity beyond its bounds',
      { DesiredCapacity: 5 },
      'must be between the specified min size:0 and max size:4',
    ],
    ['bounds that cross', { MinSize: 5 }, 'Max bound, must be greater than or equal to min bound'],
    [
      'no launch template',
      { LaunchTemplate: undefined },
      'Valid requests must contain either LaunchTemplate',
    ],
    [
      'a version that is not there',
      { LaunchTemplate: { LaunchTemplateName: 'web', Version: '9' } },
      'You must use a valid fully-formed launch template. Could not find the specified version 9',
    ],
    [
      'no subnet',
      { VPCZoneIdentifier: undefined },
      'At least one Availability Zone or VPC Subnet is required.',
    ],
    ['a strange subnet', { VPCZoneIdentifier: 'subnet-1' }, "The subnet ID 'subnet-1' does not exist"],
    ['a strange target group', { TargetGroupARNs: ['arn:x'] }, 'Provided Target Groups may not be valid.'],
    ['what is not modelled', { MaxInstanceLifetime: 86_400 }, 'MaxInstanceLifetime: not modelled'],
  ])('is refused with %s', async (_, changes, message) => {
    const { create, described } = await scaled();
    await expect(create(changes)).rejects.toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining(message) as unknown,
    });
    expect(await described()).toBeUndefined();
  });

  it.each([
    ['no image', {}, 'The request must contain the parameter ImageId'],
    [
      'an image that nobody has',
      { ImageId: 'ami-0123456789abcdef0' },
      "The image id '[ami-0123456789abcdef0]' does not exist",
    ],
  ])('is refused with a launch template of %s', async (_, LaunchTemplateData, message) => {
    const { create, network } = await scaled();
    const LaunchTemplateName = 'other';
    await network('CreateLaunchTemplate', { LaunchTemplateName, LaunchTemplateData });
    await expect(create({ LaunchTemplate: { LaunchTemplateName } })).rejects.toMatchObject({
      name: 'ValidationError',
      message: `You must use a valid fully-formed launch template. ${message}`,
    });
  });

  it('is refused when its name is taken', async () => {
    const { create } = await scaled();
    await create();
    await expect(create()).rejects.toMatchObject({ name: 'AlreadyExistsFault' });
  });
});

describe('the desired capacity', () => {
  it('is set within the bounds, and followed both ways', async () => {
    const { create, scale, states, activities, detailTypes, clock } = await scaled();
    await create({ DesiredCapacity: 1 });
    await clock.advance(minute);
    await expect(scale(5)).rejects.toThrow(
      'New SetDesiredCapacity value 5 is above max value 4 for the AutoScalingGroup.',
    );
    await scale(3);
    await clock.advance(minute);
    expect(await states()).toEqual(['InService', 'InService', 'InService']);
    await scale(0);
    await clock.advance(30 * seconds);
    expect(await states()).toEqual(Array(3).fill('Terminating:Proceed'));
    expect((await activities())[0]?.Cause).toMatch(
      /^At \S+ a user request explicitly set group desired capacity changing the desired capacity from 3 to 0\. {2}At \S+ an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from 3 to 0\. {2}At \S+ instance i-\w+ was selected for termination\.$/,
    );
    await clock.advance(minute);
    expect(await states()).toEqual([]);
    expect(detailTypes().slice(-3)).toEqual(Array(3).fill('EC2 Instance Terminate Successful'));
  });

  it('is moved by bounds that leave it outside', async () => {
    const { client, create, described } = await scaled();
    await create();
    await client.send(new UpdateAutoScalingGroupCommand({ ...named, MinSize: 3 }));
    expect((await described())?.DesiredCapacity).toBe(3);
    await client.send(new UpdateAutoScalingGroupCommand({ ...named, MinSize: 0, MaxSize: 1 }));
    expect((await described())?.DesiredCapacity).toBe(1);
  });

  it('falls to instances of the newest version', async () => {
    const { client, create, addVersion, scale, members, clock } = await scaled();
    await create({ DesiredCapacity: 1, LaunchTemplate: { LaunchTemplateName: 'web', Version: '$Latest' } });
    await clock.advance(minute);
    await addVersion();
    await scale(2);
    await clock.advance(minute);
    const versions = async () => (await members()).map(({ LaunchTemplate }) => LaunchTemplate?.Version);
    expect(await versions()).toEqual(['1', '2']);
    await client.send(new UpdateAutoScalingGroupCommand({ ...named, DesiredCapacity: 1 }));
    await clock.advance(2 * minute);
    expect(await versions()).toEqual(['2']);
  });
});

it('an instance that is not wanted before it ran ends its launch', async () => {
  const { create, scale, states, activities, clock } = await scaled();
  await create({ DesiredCapacity: 1 });
  await clock.advance(20 * seconds);
  await scale(0);
  await clock.advance(2 * minute);
  expect(await states()).toEqual([]);
  expect((await activities()).map(({ StatusCode }) => StatusCode)).toEqual(['Successful', 'Cancelled']);
});

describe('an instance that cannot be launched', () => {
  const words =
    'We currently do not have sufficient t3.micro capacity in the Availability Zone you requested (us-east-1a). ' +
    'Our system will be working on provisioning additional capacity. ' +
    'You can currently get t3.micro capacity by not specifying an Availability Zone in your request or choosing us-east-1b. ' +
    'Launching EC2 instance failed.';

  it('is told with its reason, and launched in another zone', async () => {
    const { create, scale, scarce, states, members, activities, events, clock } = await scaled();
    scarce.add('us-east-1a');
    await create({ DesiredCapacity: 1 });
    await clock.advance(20 * seconds);
    expect(await states()).toEqual([]);
    expect((await activities())[0]).toMatchObject({
      StatusCode: 'Failed',
      StatusMessage: words,
      Description: `Launching a new EC2 instance.  Status Reason: ${words}`,
    });
    expect(events[0]).toMatchObject({
      detailType: 'EC2 Instance Launch Unsuccessful',
      detail: { StatusCode: 'Failed', StatusMessage: words },
    });
    await clock.advance(minute);
    expect((await members())[0]).toMatchObject({
      AvailabilityZone: 'us-east-1b',
      LifecycleState: 'InService',
    });
    scarce.clear();
    await scale(2);
    await clock.advance(minute);
    expect((await members())[1]).toMatchObject({ AvailabilityZone: 'us-east-1a' });
  });

  it('is tried again while no zone has capacity, and there when one has', async () => {
    const { create, scarce, states, activities, clock } = await scaled();
    for (const zone of ['us-east-1a', 'us-east-1b']) scarce.add(zone);
    await create({ DesiredCapacity: 1 });
    await clock.advance(5 * minute);
    const tried = (await activities()).map(({ StatusCode, Details = '' }) => [
      StatusCode,
      /us-east-1\w/.exec(Details)?.[0],
    ]);
    expect(tried.length).toBeGreaterThan(3);
    // Each time later than the last: by 15, 30, 60 and 120 s.
    expect(tried.length).toBeLessThan(11);
    expect(tried.slice(-2)).toEqual([
      ['Failed', 'us-east-1b'],
      ['Failed', 'us-east-1a'],
    ]);
    expect((await activities())[0]?.StatusMessage).toMatch(
      /additional capacity\. Launching EC2 instance failed\.$/,
    );
    scarce.clear();
    await clock.advance(6 * minute);
    expect(await states()).toEqual(['InService']);
  });

  it('names the image that is gone, until its template has another', async () => {
    const { create, network, activities, addVersion, states, clock } = await scaled();
    const { ImageId } = await network<{ ImageId: string }>('RegisterImage', {
      Name: 'web-7',
      RootDeviceName: '/dev/xvda',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: 'snap-0123456789abcdef0' } }],
    });
    await addVersion(ImageId);
    const LaunchTemplate = { LaunchTemplateName: 'web', Version: '$Latest' };
    await expect(create({ LaunchTemplate })).rejects.toThrow(
      `You must use a valid fully-formed launch template. AMI '${ImageId}' is pending, and cannot be run`,
    );
    await clock.advance(minute);
    await create({ LaunchTemplate, DesiredCapacity: 1 });
    await network('DeregisterImage', { ImageId });
    await clock.advance(20 * seconds);
    expect((await activities())[0]).toMatchObject({
      StatusCode: 'Failed',
      StatusMessage: `The image id '[${ImageId}]' does not exist. Launching EC2 instance failed.`,
    });
    await addVersion();
    await clock.advance(2 * minute);
    expect(await states()).toEqual(['InService']);
  });

  it('names the launch template that is gone', async () => {
    const { create, network, activities, template, clock } = await scaled();
    await create();
    await network('DeleteLaunchTemplate', { LaunchTemplateName: 'web' });
    await clock.advance(20 * seconds);
    expect((await activities())[0]?.StatusMessage).toBe(
      `The specified launch template, with template ID ${template.LaunchTemplateId}, does not exist. Launching EC2 instance failed.`,
    );
  });
});

it('an instance that ended by itself is replaced', async () => {
  const { create, members, instances, activities, clock } = await scaled();
  await create({ DesiredCapacity: 1, HealthCheckGracePeriod: 3_600 });
  await clock.advance(minute);
  const before = (await members())[0]?.InstanceId ?? '';
  instances.exit(before);
  await clock.advance(minute);
  const [replacement, gone] = await activities();
  expect(gone).toMatchObject({
    Description: `Terminating EC2 instance: ${before}`,
    StatusCode: 'Successful',
  });
  expect(gone?.Cause).toMatch(
    /an instance was taken out of service in response to a EC2 health check indicating it has been terminated or stopped\.$/,
  );
  expect(replacement?.Cause).toMatch(
    /^At \S+ an instance was launched in response to an unhealthy instance needing to be replaced\.$/,
  );
  expect(
    (await members()).map(({ InstanceId, LifecycleState }) => [InstanceId === before, LifecycleState]),
  ).toEqual([[false, 'InService']]);
});

describe('a suspended process', () => {
  it.each([
    ['Launch', 3],
    ['Terminate', 1],
  ] as const)('%s does nothing until it is resumed', async (ScalingProcess, desired) => {
    const { client, create, scale, states, described, clock } = await scaled();
    await create();
    await clock.advance(minute);
    await client.send(new SuspendProcessesCommand({ ...named, ScalingProcesses: [ScalingProcess] }));
    expect((await described())?.SuspendedProcesses).toEqual([
      { ProcessName: ScalingProcess, SuspensionReason: 'User suspended at 2026-01-01T00:01:00Z' },
    ]);
    await scale(desired);
    await clock.advance(5 * minute);
    expect(await states()).toEqual(['InService', 'InService']);
    await client.send(new ResumeProcessesCommand(named));
    await clock.advance(2 * minute);
    expect(await states()).toHaveLength(desired);
  });

  it('must be one that there is', async () => {
    const { client, create } = await scaled();
    await create();
    await expect(
      client.send(new SuspendProcessesCommand({ ...named, ScalingProcesses: ['Sleep'] })),
    ).rejects.toMatchObject({ name: 'ValidationError' });
  });
});

describe('a group that is deleted', () => {
  it('must be empty and at rest, and is gone a little later', async () => {
    const { client, create, scale, described, activities, clock } = await scaled();
    const remove = () => client.send(new DeleteAutoScalingGroupCommand(named));
    await create();
    await clock.advance(minute);
    await expect(remove()).rejects.toMatchObject({ name: 'ResourceInUseFault' });
    await scale(0);
    await clock.advance(20 * seconds);
    await expect(remove()).rejects.toMatchObject({ name: 'ScalingActivityInProgressFault' });
    await clock.advance(2 * minute);
    await remove();
    expect((await described())?.Status).toBe('Delete in progress');
    await clock.advance(minute);
    expect(await described()).toBeUndefined();
    await expect(remove()).rejects.toThrow(
      `AutoScalingGroup name not found - AutoScalingGroup '${AutoScalingGroupName}' not found`,
    );
    expect(await activities({ ...named, IncludeDeletedGroups: true })).toHaveLength(4);
    await create();
  });

  it('takes its instances along by force', async () => {
    const { client, create, described, instances, states, network, clock } = await scaled();
    await create();
    await clock.advance(minute);
    await client.send(new DeleteAutoScalingGroupCommand({ ...named, ForceDelete: true }));
    expect(await states()).toEqual(['Terminating:Proceed', 'Terminating:Proceed']);
    await clock.advance(2 * minute);
    expect([await described(), instances.running()]).toEqual([undefined, []]);
    const { Subnets } = await network<DescribeSubnetsCommandOutput>('DescribeSubnets', {});
    expect(Subnets?.map(({ AvailableIpAddressCount }) => AvailableIpAddressCount)).toEqual([251, 251]);
  });
});

it('groups are found by tags and by pages', async () => {
  const { client, create } = await scaled();
  for (const generation of ['1', '2', '3'])
    await create({
      AutoScalingGroupName: `web-g000${generation}`,
      DesiredCapacity: 0,
      Tags: [{ Key: 'generation', Value: generation }],
    });
  const ask = async (input: object) => {
    const { AutoScalingGroups = [], NextToken } = await client.send(
      new DescribeAutoScalingGroupsCommand(input),
    );
    return { names: AutoScalingGroups.map((group) => group.AutoScalingGroupName), NextToken };
  };
  expect((await ask({ Filters: [{ Name: 'tag:generation', Values: ['2', '4'] }] })).names).toEqual([
    'web-g0002',
  ]);
  const first = await ask({ MaxRecords: 2 });
  expect(first.names).toEqual(['web-g0001', 'web-g0002']);
  expect((await ask({ MaxRecords: 2, NextToken: first.NextToken })).names).toEqual(['web-g0003']);
  await expect(ask({ NextToken: '!' })).rejects.toMatchObject({ name: 'InvalidNextToken' });
});
