/** Tags of groups: what they say, who reads them, and which instances get them. */
import {
  CreateOrUpdateTagsCommand,
  DeleteTagsCommand,
  DescribeTagsCommand,
} from '@aws-sdk/client-auto-scaling';
import { expect, it } from 'vitest';
import { AutoScalingGroupName, minute, scaled } from './world.ts';

const named = { ResourceId: AutoScalingGroupName, ResourceType: 'auto-scaling-group' };

async function tagged() {
  const world = await scaled();
  await world.create({
    DesiredCapacity: 1,
    Tags: [
      { Key: 'app', Value: 'web', PropagateAtLaunch: true },
      { Key: 'owner', Value: 'team' },
    ],
  });
  await world.clock.advance(minute);
  return {
    ...world,
    tag: (Key: string, Value: string, changes: object = {}) =>
      world.client.send(new CreateOrUpdateTagsCommand({ Tags: [{ ...named, Key, Value, ...changes }] })),
    /** `app=web` */
    tags: async (input: object = {}) => {
      const { Tags = [], NextToken } = await world.client.send(new DescribeTagsCommand(input));
      return { NextToken, found: Tags.map(({ Key, Value }) => `${Key}=${Value}`) };
    },
  };
}

it('tags are made, changed and deleted, and shown with their group', async () => {
  const { client, tag, tags, described } = await tagged();
  await tag('app', 'api', { PropagateAtLaunch: true });
  await tag('stage', 'test');
  await client.send(
    new DeleteTagsCommand({
      Tags: [
        { ...named, Key: 'owner' },
        { ...named, Key: 'nobody' },
      ],
    }),
  );
  expect((await tags()).found).toEqual(['app=api', 'stage=test']);
  expect((await described())?.Tags).toEqual([
    { ...named, Key: 'app', Value: 'api', PropagateAtLaunch: true },
    { ...named, Key: 'stage', Value: 'test', PropagateAtLaunch: false },
  ]);
});

it('instances get what propagates when they are launched; those that run keep what they have', async () => {
  const { tag, scale, instances, clock } = await tagged();
  await tag('app', 'api', { PropagateAtLaunch: true });
  await scale(2);
  await clock.advance(minute);
  expect(instances.running().map(({ tags }) => [tags['app'], tags['owner']])).toEqual([
    ['web', undefined],
    ['api', undefined],
  ]);
});

it.each([
  [{ Name: 'auto-scaling-group', Values: [AutoScalingGroupName] }, ['app=web', 'owner=team']],
  [{ Name: 'auto-scaling-group', Values: ['another'] }, []],
  [{ Name: 'key', Values: ['owner', 'other'] }, ['owner=team']],
  [{ Name: 'value', Values: ['web'] }, ['app=web']],
  [{ Name: 'propagate-at-launch', Values: ['false'] }, ['owner=team']],
])('the filter %j finds %j', async (filter, expected) => {
  const { tags } = await tagged();
  expect((await tags({ Filters: [filter] })).found).toEqual(expected);
});

it('tags are told by pages', async () => {
  const { tags } = await tagged();
  const first = await tags({ MaxRecords: 1 });
  expect(first.found).toEqual(['app=web']);
  expect(await tags({ MaxRecords: 1, NextToken: first.NextToken })).toEqual({
    NextToken: undefined,
    found: ['owner=team'],
  });
});

it.each([
  ['of a group that is not there', { ResourceId: 'another' }, /^AutoScalingGroup name not found/],
  ['of another resource', { ResourceType: 'instance' }, /^Resource type instance is not valid/],
  ["in AWS's own name", { Key: 'aws:app' }, /reserved/],
])('a tag %s is refused', async (_, changes, message) => {
  const { tag } = await tagged();
  await expect(tag('app', 'web', changes)).rejects.toMatchObject({
    name: 'ValidationError',
    message: expect.stringMatching(message) as unknown,
  });
});

it('a group has no more than fifty tags', async () => {
  const { client } = await tagged();
  const Tags = Array.from({ length: 49 }, (_, at) => ({ ...named, Key: `key-${at}`, Value: '' }));
  await expect(client.send(new CreateOrUpdateTagsCommand({ Tags }))).rejects.toMatchObject({
    name: 'LimitExceededFault',
  });
});
