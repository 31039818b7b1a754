/** A service whose generations are AMIs, as a whole: EC2 tells of an AMI, the machines deploy it, people go back to it. */
import type { DescribeTagsCommandOutput, RegisterImageCommandOutput } from '@aws-sdk/client-ec2';
import type { ListRulesCommandOutput } from '@aws-sdk/client-eventbridge';
import { expect, it } from 'vitest';
import { isFinding } from '../../functions/core/images/finding.ts';
import { ended, expectLive, expectOutcome, inWorld } from './cell.ts';
import { ground } from './ground.ts';
import type { World } from './world.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const settings = { repository: 'ami:self', repositoryUri: 'ami:self', tags: ['worker-*'] };

/** The rule as the construct makes it for AMIs (test/infra/ami-service.test.ts): the example's waits for images. */
async function listen(world: World): Promise<void> {
  const { Rules = [] } = (await world.ask('events', 'ListRules', {})) as ListRulesCommandOutput;
  const rule = Rules.find(({ Description }) => Description === 'Pushes to worker start a deployment');
  await world.ask('events', 'PutRule', {
    Name: rule?.Name,
    EventPattern: JSON.stringify({
      source: ['aws.ec2'],
      'detail-type': ['EC2 AMI State Change'],
      detail: { State: ['available'] },
    }),
  });
}

async function build(world: World, Name: string): Promise<string> {
  const { ImageId = '' } = (await world.ask('ec2', 'RegisterImage', {
    Name,
    Architecture: 'x86_64',
    RootDeviceName: '/dev/xvda',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: 'snap-0123456789abcdef0' } }],
  })) as RegisterImageCommandOutput;
  return ImageId;
}

/** Built, and live once EC2 has told of it. */
async function live(world: World, name: string): Promise<string> {
  const id = await build(world, name);
  await world.pass(() => world.item?.live?.digest === id && world.item.owner === null, `${name} to be live`);
  return id;
}

async function goneBack(world: World): Promise<void> {
  const fence = world.item?.fence ?? 0;
  await world.rollback({ by: 'ann', reason: 'slow' });
  await world.pass(
    () => (world.item?.fence ?? 0) > fence && world.item?.owner === null,
    'the rollback to end',
  );
  expectOutcome(world, 'live');
}

async function tagKeys(world: World, id: string): Promise<readonly (string | undefined)[]> {
  const { Tags = [] } = (await world.ask('ec2', 'DescribeTags', {
    Filters: [{ Name: 'resource-id', Values: [id] }],
  })) as DescribeTagsCommandOutput;
  return Tags.map(({ Key }) => Key);
}

const launches = (world: World) => world.checker.writes.filter(({ effect }) => effect === 'making').length;

it('an AMI that becomes available is deployed, and gone back to while it is warm', () =>
  inWorld(
    { ...ground(), service: 'worker' },
    async (world) => {
      await listen(world);
      const first = await live(world, 'worker-1');
      expect(await tagKeys(world, first)).toEqual(['retain-worker-g0001']);
      expect(isFinding(world.item?.lastPush?.eventId ?? '')).toBe(false);
      const told = world.item;
      await build(world, 'base-1');
      await world.passMs(2 * minuteMs);
      expect(world.item).toBe(told);
      await live(world, 'worker-2');
      const made = launches(world);
      await goneBack(world);
      expectLive(world, first);
      expect(launches(world)).toBe(made);
      await ended(world);
    },
    { settings },
  ));

it('an AMI is gone back to when its generation has ended: the same one is launched anew', () =>
  inWorld(
    { ...ground(), service: 'worker' },
    async (world) => {
      await listen(world);
      const first = await live(world, 'worker-1');
      await live(world, 'worker-2');
      await world.pass(() => world.item?.retained.length === 0, 'the first generation to end', 3 * hourMs);
      const made = launches(world);
      await goneBack(world);
      expectLive(world, first);
      expect(world.item?.live?.name).toBe('worker-g0003');
      expect(launches(world)).toBe(made + 1);
      await ended(world);
    },
    { settings },
  ));

it('an AMI whose event is lost is found by the sweep', () =>
  inWorld(
    { ...ground(), service: 'worker' },
    async (world) => {
      await live(world, 'worker-1');
      expect(isFinding(world.item?.lastPush?.eventId ?? '')).toBe(true);
      await ended(world);
    },
    { settings },
  ));
