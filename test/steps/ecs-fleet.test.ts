/** Generations as ECS services, through the real client. */
import { ECSClient } from '@aws-sdk/client-ecs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EcsFleet } from '../../functions/aws/ecs-fleet.ts';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import { ownerTags } from '../../functions/core/tags.ts';
import { AwsError, type Operations } from '../../local/call.ts';
import { generationOf, settingsOf, web } from '../core/examples.ts';
import { embedded } from '../wire/embedded.ts';

const settings = settingsOf({ fleet: { kind: 'ecs', cluster: 'new' } });
const launchedBefore = generationOf(1);
const launchedIn: Generation = {
  ...generationOf(1),
  fleet: { kind: 'ecs', cluster: 'old', what: 'a newer version writes' },
};

let asked: [operation: string, cluster: unknown][];
const noting =
  (operation: string, answer: object) =>
  ({ cluster }: { cluster?: string }): object => {
    asked.push([operation, cluster]);
    return answer;
  };
const tags = Object.entries(ownerTags(web, generationOf(1).name)).map(([key, value]) => ({ key, value }));
const taskDefinition = { taskDefinitionArn: 'web-g0001:1', status: 'ACTIVE', containerDefinitions: [] };
const service = { serviceName: 'web-g0001', status: 'ACTIVE', desiredCount: 4, tags };
let gone: boolean;
let tagsOfDefinition: typeof tags;
const operations = {
  DescribeServices: noting('DescribeServices', { services: [service] }),
  ListTasks: noting('ListTasks', { taskArns: ['task/1'] }),
  DescribeTasks: noting('DescribeTasks', { tasks: [{ lastStatus: 'RUNNING' }] }),
  UpdateService: noting('UpdateService', {}),
  DeleteService: noting('DeleteService', {}),
  DescribeTaskDefinition: ({ include }: { include?: string[] }) => {
    if (gone) throw new AwsError('ClientException', 'Unable to describe task definition.');
    return { taskDefinition, tags: include?.includes('TAGS') ? tagsOfDefinition : [] };
  },
  DeregisterTaskDefinition: ({ taskDefinition: name }: { taskDefinition: string }) => {
    asked.push(['DeregisterTaskDefinition', name]);
    return {};
  },
} as unknown as Operations;

let aws: Awaited<ReturnType<typeof embedded>>;
let fleet: EcsFleet;
beforeEach(async () => {
  asked = [];
  gone = false;
  tagsOfDefinition = tags;
  aws = await embedded({ ecs: operations });
  fleet = new EcsFleet(new ECSClient(aws.client));
});
afterEach(() => aws.close());

describe('a generation is looked for', () => {
  it.each([
    ['in the cluster that it was launched in', launchedIn, 'old'],
    ['where the settings say, when it does not tell', launchedBefore, 'new'],
  ])('%s', async (_, generation, cluster) => {
    expect(await fleet.observe(settings, generation)).toEqual({ desired: 4, running: 1, own: [] });
    await fleet.resize(settings, generation, 2);
    await fleet.terminate(settings, generation);
    expect(asked.map(([operation]) => operation)).toEqual([
      'DescribeServices',
      'ListTasks',
      'DescribeTasks',
      'DescribeServices',
      'UpdateService',
      'DescribeServices',
      'DeleteService',
    ]);
    expect(new Set(asked.map(([, where]) => where))).toEqual(new Set([cluster]));
  });
});

describe('what a generation was made from', () => {
  it('is given up', async () => {
    await fleet.forget(settings, launchedIn);
    expect(asked).toEqual([['DeregisterTaskDefinition', 'web-g0001:1']]);
  });

  it('may be gone already', async () => {
    gone = true;
    await fleet.forget(settings, launchedIn);
    expect(asked).toEqual([]);
  });

  it("is left alone when it is a stranger's", async () => {
    tagsOfDefinition = [];
    await expect(fleet.forget(settings, launchedIn)).rejects.toMatchObject({ name: 'Cutover.Guarded' });
    expect(asked).toEqual([]);
  });
});
