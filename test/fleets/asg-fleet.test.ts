/** Groups of generations, where EC2 Auto Scaling has its own ways: what is not known everywhere yet, what is throttled, what ends. */
import {
  type AutoScalingClient,
  type AutoScalingGroup,
  CreateAutoScalingGroupCommand,
  DeleteAutoScalingGroupCommand,
  DescribeLifecycleHooksCommand,
  type Instance,
} from '@aws-sdk/client-auto-scaling';
import { CreateLaunchTemplateCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import { nameGeneration } from '../../functions/core/names.ts';
import { ownerTags } from '../../functions/core/tags.ts';
import { AwsError } from '../../local/call.ts';
import { images } from '../autoscaling/world.ts';
import { blue, digestOf, generationOf, settingsOf, web } from '../core/examples.ts';
import { asgKind } from './asg-kind.ts';

const first = generationOf(1, blue);

let kind: Awaited<ReturnType<typeof asgKind>>;
beforeEach(async () => {
  kind = await asgKind();
});
afterEach(() => kind.region.close());

const launch = (desired = 2, generation: Generation = first) =>
  kind.fleet.launch(kind.settings, generation, desired, null);
const terminate = () => kind.fleet.terminate(kind.settings, first);
const pass = (count: number) => kind.region.clock.advance(count * 60_000);
const terminated = async () => {
  for (let look = 0; look < 30 && (await terminate()) === 'ending'; look += 1) await pass(1);
};

/** Calls of the operation are answered so, once or always. */
const answer = (operation: string, error: Error, times = Number.POSITIVE_INFINITY) => {
  let left = times;
  return kind.region.calls.hook({
    before: (call) => {
      if (call.operation !== operation || left === 0) return;
      left -= 1;
      throw error;
    },
  });
};

/** What the client is answered is what this makes of it. */
const seeing = <T extends object>(
  client: AutoScalingClient | EC2Client,
  command: string,
  change: (output: T) => T,
): (() => void) => {
  const { middlewareStack } = client as AutoScalingClient;
  middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      if (context.commandName === `${command}Command`)
        Object.assign(result.output, change(result.output as unknown as T));
      return result;
    },
    { name: 'seeing', step: 'initialize' },
  );
  return () => void middlewareStack.remove('seeing');
};
type Groups = { AutoScalingGroups: AutoScalingGroup[] };
const noGroups = () =>
  seeing<Groups>(kind.region.autoscaling, 'DescribeAutoScalingGroups', () => ({ AutoScalingGroups: [] }));
const unknownGroup = new AwsError(
  'ValidationException',
  "AutoScalingGroup name not found - AutoScalingGroup 'web-g0001' not found",
);

describe('what was made a moment ago, and is not known everywhere yet', () => {
  it.each([
    'The specified launch template, with template name web-g0001, does not exist.',
    'Could not find the specified version 1 for the launch template with ID lt-0123456789abcdef0.',
  ])('is waited for: %s', async (words) => {
    const code = 'ValidationException';
    const unhook = answer(
      'CreateAutoScalingGroup',
      new AwsError(code, `You must use a valid fully-formed launch template. ${words}`),
    );
    await expect(launch()).rejects.toMatchObject({
      name: 'Cutover.AwsUnavailable',
      message: expect.stringContaining(words),
    });
    unhook();
    await launch();
    expect(await kind.fleet.wanted(kind.settings, first)).toBe(2);
  });

  it('is waited for when it is a launch template that an earlier try made', async () => {
    answer('CreateAutoScalingGroup', new AwsError('InternalFailure', 'not now', { status: 500 }), 1);
    await expect(launch()).rejects.toMatchObject({ name: 'Cutover.AwsUnavailable' });
    const code = 'InvalidLaunchTemplateName.NotFoundException';
    const blind = kind.region.calls.hook({
      before: ({ operation, input }) => {
        const { LaunchTemplateName } = input as { LaunchTemplateName?: string };
        if (operation === 'DescribeLaunchTemplateVersions' && LaunchTemplateName === first.name)
          throw new AwsError(
            code,
            `The specified launch template, with template name ${first.name}, does not exist.`,
          );
      },
    });
    await expect(launch()).rejects.toMatchObject({ name: 'Cutover.AwsUnavailable' });
    blind();
    await launch();
    expect(await kind.fleet.wanted(kind.settings, first)).toBe(2);
  });

  it('is waited for when it is a group, and not taken for ours unseen', async () => {
    await launch();
    const seen = noGroups();
    await expect(launch()).rejects.toMatchObject({ name: 'Cutover.AwsUnavailable' });
    await expect(kind.fleet.resize(kind.settings, first, 3)).rejects.toMatchObject({
      name: 'Cutover.AwsUnavailable',
    });
    seen();
    const unhook = answer('UpdateAutoScalingGroup', unknownGroup);
    await expect(kind.fleet.resize(kind.settings, first, 3)).rejects.toMatchObject({
      name: 'Cutover.AwsUnavailable',
    });
    unhook();
    await launch();
    expect(await kind.fleet.wanted(kind.settings, first)).toBe(2);
  });

  it("is refused when it turns out to be a stranger's", async () => {
    const unhook = kind.region.calls.hook({
      before: async ({ operation }) => {
        if (operation !== 'CreateAutoScalingGroup') return;
        unhook();
        await kind.squat(first);
      },
    });
    await expect(launch()).rejects.toMatchObject({ name: 'Cutover.Guarded' });
    expect(await kind.fleet.wanted(kind.settings, first)).toBe(1);
  });

  it('is another thing than what is gone: the template of the service is refused', async () => {
    const gone = settingsOf({
      fleet: { ...kind.settings.fleet, launchTemplate: 'lt-0123456789abcdef0' },
      traffic: kind.settings.traffic,
    });
    await expect(kind.fleet.launch(gone, first, 2, null)).rejects.toMatchObject({
      name: 'Cutover.AwsRefused',
      message: expect.stringContaining('lt-0123456789abcdef0, version 1, does not exist (any more)'),
    });
  });

  it('is another thing than what is gone: no stack has the template of a generation that ended', async () => {
    const ended = generationOf(7, blue);
    await expect(kind.fleet.launch(kind.settings, first, 2, ended)).rejects.toMatchObject({
      name: 'Cutover.AwsRefused',
      message: expect.stringMatching(
        /^the launch template web-g0007, .* Go back to another generation, or push /,
      ),
    });
  });
});

it('a name whose template a person deleted, as they were told to, is launched by what was pushed then', async () => {
  await launch(2, { ...first, digest: digestOf(7) });
  await terminated();
  await kind.fleet.forget(kind.settings, first);
  await pass(1);
  await launch();
  expect(await kind.made(first)).toMatchObject({
    image: `${kind.settings.repositoryUri}@${first.digest}`,
  });
});

describe('a call that may be made again', () => {
  const launched = () => launch(3);
  const resized = () => kind.fleet.resize(kind.settings, first, 3);
  it.each<[string, string, () => Promise<unknown>, number]>([
    ['DescribeLaunchTemplateVersions', 'RequestLimitExceeded', launched, 503],
    ['CreateLaunchTemplate', 'RequestLimitExceeded', launched, 503],
    ['CreateLaunchTemplate', 'InternalError', launched, 500],
    ['CreateLaunchTemplate', 'Unavailable', launched, 503],
    ['DescribeAutoScalingGroups', 'Throttling', launched, 400],
    ['CreateAutoScalingGroup', 'ResourceContentionFault', launched, 500],
    ['CreateAutoScalingGroup', 'ServiceLinkedRoleFailure', launched, 500],
    ['UpdateAutoScalingGroup', 'ScalingActivityInProgressFault', resized, 400],
    ['DescribeAutoScalingGroups', 'ThrottlingException', resized, 400],
  ])('%s, answered %s', async (operation, code, act, status) => {
    if (act === resized) await launch();
    const unhook = answer(operation, new AwsError(code, 'not now', { status }));
    await expect(act()).rejects.toMatchObject({ name: 'Cutover.AwsUnavailable' });
    unhook();
    await act();
    expect(await kind.fleet.wanted(kind.settings, first)).toBe(3);
  });

  it('is not one that EC2 refuses', async () => {
    answer('CreateLaunchTemplate', new AwsError('UnauthorizedOperation', 'no', { status: 403 }));
    await expect(launch()).rejects.toMatchObject({ name: 'Cutover.AwsRefused' });
  });
});

describe('a group that is being deleted', () => {
  beforeEach(async () => {
    await launch();
    await pass(5);
    await kind.region.autoscaling.send(
      new DeleteAutoScalingGroupCommand({ AutoScalingGroupName: first.name, ForceDelete: true }),
    );
  });

  it('is none, and its end is waited for', async () => {
    expect(await kind.fleet.wanted(kind.settings, first)).toBeUndefined();
    expect(await kind.fleet.observe(kind.settings, first)).toBeUndefined();
    expect(await kind.fleet.standing(kind.settings, ({ runs }) => runs)).toEqual([]);
    expect(await terminate()).toBe('ending');
    await terminated();
    await pass(10);
    expect((await kind.region.targets(blue)).size).toBe(0);
  });

  it('is not taken for the one that is to be launched', async () => {
    await expect(launch()).rejects.toMatchObject({ name: 'Cutover.AwsUnavailable' });
    await pass(10);
    await launch();
    expect(await kind.fleet.wanted(kind.settings, first)).toBe(2);
  });
});

describe('an end', () => {
  beforeEach(async () => {
    await launch();
    await pass(5);
  });

  it('of a group that somebody deletes meanwhile is an end', async () => {
    for (const operation of ['UpdateAutoScalingGroup', 'DeleteAutoScalingGroup']) {
      const unhook = answer(operation, unknownGroup);
      expect(await terminate()).toBe('ending');
      unhook();
    }
    await terminated();
    expect(await kind.group(first)).toBeUndefined();
  });

  it.each(['ResourceInUseFault', 'ScalingActivityInProgressFault'])(
    'that comes too early, as %s says, is waited for',
    async (code) => {
      answer('DeleteAutoScalingGroup', new AwsError(code, 'not now'), 2);
      await terminated();
      expect(await kind.group(first)).toBeUndefined();
    },
  );

  it('does not wait for instances on standby, which no scaling ends', async () => {
    const standby = (instances: Instance[] = []): Instance[] =>
      instances.map((each) => ({ ...each, LifecycleState: 'Standby' }));
    const unhook = seeing<Groups>(
      kind.region.autoscaling,
      'DescribeAutoScalingGroups',
      ({ AutoScalingGroups }) => ({
        AutoScalingGroups: AutoScalingGroups.map((group) => ({
          ...group,
          Instances: standby(group.Instances),
        })),
      }),
    );
    expect(await terminate()).toBe('ending');
    unhook();
    expect(await kind.group(first)).toBeUndefined();
    await terminated();
    await pass(10);
    expect((await kind.region.targets(blue)).size).toBe(0);
  });
});

it('what is on its way in or out of service does not run, but is its own', async () => {
  await launch(2);
  await pass(5);
  const states = [
    'InService',
    'Pending',
    'Pending:Wait',
    'Pending:Proceed',
    'Terminating:Wait',
    'Standby',
    'Warmed:Running',
  ] as const;
  const Instances = states.map((LifecycleState, index) => ({
    LifecycleState,
    InstanceId: `i-${index}`,
    AvailabilityZone: undefined,
    HealthStatus: undefined,
    ProtectedFromScaleIn: undefined,
  }));
  seeing<Groups>(kind.region.autoscaling, 'DescribeAutoScalingGroups', ({ AutoScalingGroups }) => ({
    AutoScalingGroups: AutoScalingGroups.map((group) => ({ ...group, Instances })),
  }));
  expect(await kind.fleet.observe(kind.settings, first)).toEqual({
    desired: 2,
    running: 1,
    own: Instances.map(({ InstanceId }) => InstanceId),
  });
});

describe('lifecycle hooks', () => {
  const hooks = async (fleet: object) => {
    const settings = settingsOf({
      fleet: { ...kind.settings.fleet, ...fleet },
      traffic: kind.settings.traffic,
    });
    await kind.fleet.launch(settings, first, 1, null);
    const { LifecycleHooks = [] } = await kind.region.autoscaling.send(
      new DescribeLifecycleHooksCommand({ AutoScalingGroupName: first.name }),
    );
    return LifecycleHooks.map((each) => [
      each.LifecycleHookName,
      each.LifecycleTransition,
      each.HeartbeatTimeout,
      each.DefaultResult,
    ]);
  };
  const drain = { function: 'arn', deadlineSeconds: 60, atOnce: 1 };

  it('are there before the first instance is, as declared', async () => {
    const declared = [
      { name: 'warm', at: 'launching', heartbeatSeconds: 60, onTimeout: 'abandon' },
      { name: 'bye', at: 'terminating', heartbeatSeconds: 30, onTimeout: 'continue' },
    ];
    expect(await hooks({ hooks: declared, drain })).toEqual([
      ['warm', 'autoscaling:EC2_INSTANCE_LAUNCHING', 60, 'ABANDON'],
      ['bye', 'autoscaling:EC2_INSTANCE_TERMINATING', 30, 'CONTINUE'],
      ['cutover-drain', 'autoscaling:EC2_INSTANCE_TERMINATING', 960, 'CONTINUE'],
    ]);
  });

  it('hold an instance no longer than EC2 Auto Scaling takes', async () => {
    expect(await hooks({ drain: { ...drain, deadlineSeconds: 7_200 } })).toEqual([
      ['cutover-drain', 'autoscaling:EC2_INSTANCE_TERMINATING', 7_200, 'CONTINUE'],
    ]);
  });
});

describe('what stands on many pages', () => {
  const tags = (number: number) =>
    Object.entries(ownerTags(web, nameGeneration(web, number))).map(([Key, Value]) => ({ Key, Value }));

  it('is told whole', async () => {
    for (let number = 1; number <= 130; number += 1)
      await kind.region.autoscaling.send(
        new CreateAutoScalingGroupCommand({
          AutoScalingGroupName: nameGeneration(web, number),
          LaunchTemplate: { LaunchTemplateName: 'web', Version: '1' },
          MinSize: 0,
          MaxSize: 0,
          VPCZoneIdentifier: kind.region.subnets.join(','),
          Tags: tags(number),
        }),
      );
    for (let number = 120; number <= 330; number += 1)
      await kind.region.ec2.send(
        new CreateLaunchTemplateCommand({
          LaunchTemplateName: nameGeneration(web, number),
          LaunchTemplateData: { ImageId: images[0] },
          TagSpecifications: [{ ResourceType: 'launch-template', Tags: tags(number) }],
        }),
      );
    const found = await kind.fleet.standing(kind.settings, () => true);
    expect(found.filter(({ runs }) => runs)).toHaveLength(130);
    expect(found.filter(({ runs }) => !runs)).toHaveLength(200);
  });

  it('ends with a page whose token is empty', async () => {
    await launch();
    seeing<{ NextToken?: string }>(kind.region.ec2, 'DescribeLaunchTemplates', (output) => ({
      ...output,
      NextToken: '',
    }));
    seeing<{ NextToken?: string }>(kind.region.autoscaling, 'DescribeAutoScalingGroups', (output) => ({
      ...output,
      NextToken: '',
    }));
    expect(await kind.fleet.standing(kind.settings, () => true)).toHaveLength(1);
  });

  it("is not what bears another service's tags, or another generation's", async () => {
    const squatted = async (name: string, of: number) =>
      kind.region.autoscaling.send(
        new CreateAutoScalingGroupCommand({
          AutoScalingGroupName: name,
          LaunchTemplate: { LaunchTemplateName: 'web', Version: '1' },
          MinSize: 0,
          MaxSize: 0,
          VPCZoneIdentifier: kind.region.subnets.join(','),
          Tags: tags(of),
        }),
      );
    await squatted('web-g0003', 4);
    await squatted('api-g0005', 5);
    await squatted('web', 6);
    expect(await kind.fleet.standing(kind.settings, () => true)).toEqual([]);
  });
});
