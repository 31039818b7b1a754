/** What stands of a service in the embedded ECS, and the end of what nobody needs, through the real client. */
import {
  CreateServiceCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EcsFleet } from '../../functions/aws/ecs-fleet.ts';
import type { ErrorName } from '../../functions/core/errors.ts';
import { generationName, nameGeneration } from '../../functions/core/names.ts';
import { ownerTags } from '../../functions/core/tags.ts';
import { settingsOf, web } from '../core/examples.ts';
import { definition, world as ecsWorld, request } from '../ecs/world.ts';
import { embedded } from '../wire/embedded.ts';

const groupArn = request.loadBalancers?.[0]?.targetGroupArn ?? '';
const settings = settingsOf({
  fleet: {
    kind: 'ecs',
    cluster: 'demo',
    taskDefinition: 'template:1',
    container: 'app',
    port: 8080,
    subnets: ['subnet-a'],
    securityGroups: ['sg-1'],
    assignPublicIp: false,
  },
  traffic: {
    rule: 'rule',
    slots: [
      { name: 'blue', targetGroup: groupArn },
      { name: 'green', targetGroup: 'another' },
    ],
  },
});

let made: ReturnType<typeof ecsWorld>;
let aws: Awaited<ReturnType<typeof embedded>>;
let client: ECSClient;
let fleet: EcsFleet;
beforeEach(async () => {
  made = ecsWorld();
  aws = await embedded({ ecs: made.api });
  client = new ECSClient(aws.client);
  fleet = new EcsFleet(client);
});
afterEach(async () => {
  client.destroy();
  made.ecs.close();
  await aws.close();
});

const named = (number: number) => nameGeneration(web, number);
const ours = (name: string) =>
  Object.entries(ownerTags(web, generationName.parse(name))).map(([key, value]) => ({ key, value }));

async function define(family: string, tags = ours(family)): Promise<void> {
  await client.send(new RegisterTaskDefinitionCommand({ ...definition, family, tags }));
}

/** A generation as a deployment launches it, with these tags. */
async function run(name: string, tags = ours(name), changes = {}): Promise<void> {
  await define(name, tags);
  await client.send(
    new CreateServiceCommand({ ...request, serviceName: name, taskDefinition: name, tags, ...changes }),
  );
}

async function isActive(name: string): Promise<{ service: boolean; definition: boolean }> {
  const { services } = await client.send(new DescribeServicesCommand({ cluster: 'demo', services: [name] }));
  const found = await client
    .send(new DescribeTaskDefinitionCommand({ taskDefinition: name }))
    .catch(() => undefined);
  return { service: services?.[0]?.status === 'ACTIVE', definition: found !== undefined };
}

const stranger = [{ key: 'team', value: 'shop' }];
const all = () => true;

describe('what stands', () => {
  it('is every generation that bears our tags, with its slot, and what is left of those that ended', async () => {
    await run(named(1));
    await define(named(2));
    const createdAt = made.clock.now();
    expect(await fleet.standing(settings, all)).toEqual([
      { name: 'web-g0001', runs: true, slot: 'blue', createdAt },
      { name: 'web-g0002', runs: false, slot: null, createdAt },
    ]);
  });

  it.each<[string, string, { key: string; value: string }[]]>([
    ['bears no tags', 'web-g0001', []],
    ["bears a stranger's tags", 'web-g0001', stranger],
    ["bears another generation's tags", 'web-g0001', ours('web-g0002')],
    ["bears another service's tags", 'web-g0001', ours('web-g0001').map((tag) => ({ ...tag, value: 'api' }))],
    ['is of another service', 'web-gate-g0001', ours('web-gate-g0001')],
    ['is named like none', 'web-green', stranger],
  ])('is nothing that %s', async (_, name, tags) => {
    await run(name, tags);
    await define('web-g0009', stranger);
    expect(await fleet.standing(settings, all)).toEqual([]);
  });

  it('in no slot of the service is in none', async () => {
    const elsewhere = settingsOf({
      ...settings,
      traffic: {
        rule: 'rule',
        slots: ['blue', 'green'].map((name) => ({ name, targetGroup: `other-${name}` })),
      },
    });
    await run(named(1));
    expect(await fleet.standing(elsewhere, all)).toMatchObject([{ runs: true, slot: null }]);
  });

  it('is looked at only where it is asked for: two listings in the quiet case', async () => {
    await run(named(1));
    await define(named(2));
    const since = aws.calls.records().length;
    const known: unknown[] = [];
    expect(await fleet.standing(settings, (each) => known.push(each) === 0)).toEqual([]);
    expect(known).toEqual([
      { name: 'web-g0001', runs: true },
      { name: 'web-g0002', runs: false },
    ]);
    const calls = aws.calls.records().slice(since);
    expect(calls.map(({ operation }) => operation)).toEqual(['ListServices', 'ListTaskDefinitionFamilies']);
  });

  it('is found among more than one page of others', async () => {
    for (let number = 1; number <= 105; number++)
      await run(named(number), ours(named(number)), { desiredCount: 0 });
    expect(await fleet.standing(settings, all)).toHaveLength(105);
  });
});

describe('what is discarded', () => {
  it('is gone with its definition; a repeat finds it gone', async () => {
    await run(named(1));
    await fleet.discard(settings, named(1), 'all');
    await fleet.discard(settings, named(1), 'all');
    expect(await isActive(named(1))).toEqual({ service: false, definition: false });
  });

  it('leaves its definition where that is still needed', async () => {
    await run(named(1));
    await fleet.discard(settings, named(1), 'what runs');
    expect(await isActive(named(1))).toEqual({ service: false, definition: true });
  });

  it.each<[string, () => Promise<void>]>([
    ['service', () => run(named(1), stranger)],
    ['definition', () => define(named(1), stranger)],
  ])("is never a stranger's %s", async (_, given) => {
    await given();
    const before = await isActive(named(1));
    await expect(fleet.discard(settings, named(1), 'all')).rejects.toThrow(
      expect.objectContaining({ name: 'Cutover.Guarded' satisfies ErrorName }),
    );
    expect(await isActive(named(1))).toEqual(before);
  });
});
