/** What nobody announces: pushes whose events are lost or late, images that are gone, and what nothing references. */
import { BatchDeleteImageCommand, DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import {
  CreateServiceCommand,
  DescribeTaskDefinitionCommand,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { generationName, serviceName } from '../../functions/core/names.ts';
import { ownerTags } from '../../functions/core/tags.ts';
import type { Delivery } from '../../local/services/events/delivery.ts';
import { eventIn, type Said, until, World } from './world.ts';

let world: World;
let ecr: ECRClient;
let heard: () => Promise<readonly Said[]>;
/** Events that EventBridge never delivers. */
let isLost: (delivery: Delivery) => boolean = () => false;

beforeAll(async () => {
  world = await World.create({ deliveries: (delivery) => (isLost(delivery) ? 'drop' : 'deliver') });
  ecr = world.closeLater(new ECRClient(world.client));
  heard = await world.subscribe('heard');
  await world.changeSettings({ strategy: { kind: 'allAtOnce', bakeSeconds: 10 }, retentionSeconds: 0 });
  // An orphan is told when it is an hour old.
  await stray('web-g0900', ownerTags(serviceName.parse('web'), generationName.parse('web-g0900')));
  await stray('web-g0901', { team: 'shop' });
  await world.goLive('v1');
});

afterAll(() => world?.close());

/** An ECS service that looks like a generation's, in the last slot, without tasks. */
async function stray(name: string, bearing: Readonly<Record<string, string>>): Promise<void> {
  const { fleet, traffic } = await world.settings();
  const settings = z
    .looseObject({
      cluster: z.string(),
      taskDefinition: z.string(),
      container: z.string(),
      subnets: z.array(z.string()),
      securityGroups: z.array(z.string()),
    })
    .parse(fleet);
  const { taskDefinition: template = {} } = await world.ecs.send(
    new DescribeTaskDefinitionCommand({ taskDefinition: settings.taskDefinition }),
  );
  const { containerDefinitions, cpu, memory, networkMode, executionRoleArn } = template;
  const tags = Object.entries(bearing).map(([key, value]) => ({ key, value }));
  await world.ecs.send(
    new RegisterTaskDefinitionCommand({
      family: name,
      containerDefinitions,
      cpu,
      memory,
      networkMode,
      executionRoleArn,
      requiresCompatibilities: ['FARGATE'],
      tags,
    }),
  );
  await world.ecs.send(
    new CreateServiceCommand({
      cluster: settings.cluster,
      serviceName: name,
      taskDefinition: name,
      desiredCount: 0,
      launchType: 'FARGATE',
      loadBalancers: [
        {
          targetGroupArn: traffic.slots.at(-1)?.targetGroup,
          containerName: settings.container,
          containerPort: 8080,
        },
      ],
      networkConfiguration: {
        awsvpcConfiguration: { subnets: settings.subnets, securityGroups: settings.securityGroups },
      },
      tags,
    }),
  );
}

async function tags(): Promise<readonly string[]> {
  const { imageDetails = [] } = await ecr.send(new DescribeImagesCommand({ repositoryName: 'web' }));
  return imageDetails.flatMap(({ imageTags }) => imageTags ?? []).toSorted();
}

it('a push whose event is lost is deployed by the sweep, a minute after it was due by its period at the latest', async () => {
  isLost = ({ event }) => event.source === 'aws.ecr';
  const pushed = world.clock.now();
  expect(await world.deploy('v2')).toMatchObject({ outcome: 'live' });
  isLost = () => false;
  const found = await world.executionOf('v2');
  expect(found.name).toMatch(/^web-\d+-sweep-v2-[0-9a-f]{12}$/);
  const seconds = Math.round(((found.startDate?.getTime() ?? Infinity) - pushed) / 1_000);
  console.log(`from the push to the start of its deployment by the sweep: ${seconds} s of the clock`);
  expect(seconds).toBeLessThanOrEqual(365);
});

it('and comes to nothing when it arrives late after all', async () => {
  const { live } = await world.item();
  const event = eventIn(await world.executionOf('v2'));
  const late = await world.startDeployment({ ...event, id: 'late' });
  expect(JSON.parse(late.output ?? '')).toEqual({
    outcome: 'nothing',
    reason: 'the sweep found the push of v2 before its event came',
  });
  expect((await world.item()).live).toEqual(live);
});

it('the images of what is live, and of what may be gone back to, bear a tag that keeps them', async () => {
  expect(await tags()).toEqual(['retain-web-g0001', 'retain-web-g0002', 'v1', 'v2']);
  expect((await world.item()).deployment?.imageNotKept).toBeNull();
  // Those tags are pushes too, and start nothing.
  const started = await Promise.all((await world.executions()).map((arn) => world.ended(arn)));
  const pushed = started.map((each) => eventIn(each).detail['image-tag']);
  expect(pushed.filter((tag) => String(tag).startsWith('retain-'))).toEqual([]);
});

it('an order to go back to a generation whose image is gone is refused before anything is changed', async () => {
  await world.itemWhere('the retirement of v1', ({ retained }) => retained.length === 0);
  const imageDigest = (await world.item()).proven[0]?.digest;
  await ecr.send(new BatchDeleteImageCommand({ repositoryName: 'web', imageIds: [{ imageDigest }] }));
  const since = world.clock.now();
  const { executionArn } = await world.sfn.send(
    new StartExecutionCommand({
      stateMachineArn: world.output('RollbackMachineArn'),
      input: JSON.stringify({ service: 'web', by: 'ann' }),
    }),
  );
  const { status, error, cause } = await world.ended(executionArn ?? '');
  expect({ status, error }).toEqual({ status: 'FAILED', error: 'Cutover.Rejected' });
  expect(cause).toMatch(
    /^web-g0001 \(web:v1\) must be launched anew, but its image [0-9a-f]{12} is not in web any more\. One can go back to: none$/,
  );
  expect(world.mutationsSince(since)).toEqual([]);
  expect(await world.item()).toMatchObject({ owner: null, live: { tag: 'v2' } });
});

it('and people are told that it is gone, before anybody needs it', async () => {
  const said = await until('the message', async () =>
    (await heard()).find(({ Message }) => Message.kind === 'imageMissing'),
  );
  expect(said.Subject).toBe('web: the image web:v1 of web-g0001 is gone');
  expect(said.Message.reason).toBe(
    'web-g0001 may be gone back to, but its image is not in web any more: push the image again',
  );
});

it('what bears our tags and is referenced by nothing is told, and ended only when somebody says so', async () => {
  const { speed } = world.clock;
  // An hour in which nothing but the sweep happens.
  world.clock.speed = 900;
  const told = await until(
    'the message',
    async () => (await heard()).find(({ Message }) => Message.kind === 'orphaned'),
    90_000,
  );
  world.clock.speed = speed;
  expect(told.Message.reason).toContain('nothing references web-g0900.');
  expect(await world.fleetStatus('web-g0900', 'web-g0901')).toEqual(['ACTIVE', 'ACTIVE']);
  const [remark] = await world.signal({ service: 'web', signal: 'collect', by: 'ann' });
  expect(remark).toBe('web: web-g0900: to be ended within minutes');
  await world.itemWhere('the end of the order', ({ collect, owner }) => collect === null && owner === null);
  expect((await world.item()).orphans).toEqual([]);
  const [orphan, stranger] = await world.fleetStatus('web-g0900', 'web-g0901');
  expect(orphan).not.toBe('ACTIVE');
  expect(stranger).toBe('ACTIVE');
  await expect(
    world.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: 'web-g0900' })),
  ).rejects.toThrow('Unable to describe task definition.');
}, 150_000);
