/** What nobody reaches is made small and ended, what somebody reaches is not, and what takes traffic is large enough. */
import { DescribeServicesCommand, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { slotHeader } from '../../functions/core/hooks/hook-contract.ts';
import type { Traffic } from '../../local/demo/traffic.ts';
import { until, World } from './world.ts';

let world: World;
let traffic: Traffic;

beforeAll(async () => {
  world = await World.create();
  await world.changeSettings({
    strategy: {
      kind: 'custom',
      steps: [
        { weightPercent: 10, bakeSeconds: 60 },
        { weightPercent: 100, bakeSeconds: 10 },
      ],
    },
    minimumCount: 2,
    retentionFloor: 1,
    retentionSeconds: 7_200,
  });
  await world.goLive('v1');
  traffic = world.traffic();
});

afterAll(async () => {
  const { total, lost, losses } = await traffic.stop();
  await world.close();
  if (lost > 0 || total < 100)
    throw new Error(`${lost} of ${total} requests were lost: ${losses.join('; ')}`);
});

async function desired(name: string): Promise<number | undefined> {
  const { fleet } = await world.settings();
  const asked = new DescribeServicesCommand({ cluster: String(fleet['cluster']), services: [name] });
  return (await world.ecs.send(asked)).services?.[0]?.desiredCount;
}

/** A client that goes to one slot whatever its weight, every other second of the clock, until it is told to stop. */
function clinging(slot: string): { stop(): void } {
  let stopped = false;
  const send = async (): Promise<void> => {
    if (stopped) return;
    await (await fetch(world.site, { headers: { [slotHeader]: `web-${slot}` } })).arrayBuffer();
    world.clock.after(2_000, send);
  };
  world.clock.after(0, send);
  return { stop: () => (stopped = true) };
}

it('a new generation grows with the live one before it gets more weight', async () => {
  await world.push('v2');
  await world.baking('v2');
  const { fleet } = await world.settings();
  await world.ecs.send(
    new UpdateServiceCommand({ cluster: String(fleet['cluster']), service: 'web-g0001', desiredCount: 3 }),
  );
  const item = await world.itemWhere('v2 to be live', ({ live }) => live?.tag === 'v2');
  expect(item.deployment).toMatchObject({ outcome: 'live', desired: 3, desiredBefore: 2 });
  expect(await desired('web-g0002')).toBe(3);
});

it('a replaced generation is made small when nobody reaches it any more, and not before', async () => {
  const { slot } = (await world.item()).retained[0]!.generation;
  const client = clinging(slot);
  await world.itemWhere('somebody to be noticed', ({ retained }) => retained[0]?.reachedSince != null);
  expect(await desired('web-g0001')).toBe(3);
  client.stop();
  await world.itemWhere('quiet', ({ retained }) => retained[0]?.fullUntil === null);
  expect(await desired('web-g0001')).toBe(1);
});

it('a rollback to it lets it grow to what is live first: two writes, and no request is lost', async () => {
  const since = world.clock.now();
  const { executionArn } = await world.sfn.send(
    new StartExecutionCommand({
      stateMachineArn: world.output('RollbackMachineArn'),
      input: JSON.stringify({ service: 'web', by: 'ann', reason: 'slow' }),
    }),
  );
  expect(await world.ended(executionArn ?? '')).toMatchObject({ status: 'SUCCEEDED' });
  const [first, second, ...later] = world.mutationsSince(since);
  expect([first, second]).toEqual(['ecs UpdateService', 'elasticloadbalancing ModifyRule']);
  // The one that was left may have been made small meanwhile.
  expect(later.filter((call) => call !== 'ecs UpdateService')).toEqual([]);
  expect((await world.item()).live?.name).toBe('web-g0001');
  expect(await desired('web-g0001')).toBe(3);
});

it('a canary that was taken back is ended when nobody reaches it any more, and its task definition with it', async () => {
  const outcome = world.watch.outcomeOf('web:v3');
  await world.push('v3');
  const { deployment } = await world.baking('v3');
  const { name, slot } = deployment!.plan.to;
  const client = clinging(slot);
  await world.signal({ service: 'web', signal: 'abort', by: 'ann', reason: 'no' });
  const { deployment: back } = await world.itemWhere(
    'the weights to be back',
    (item) => item.deployment?.withdrawnAt != null,
  );
  await until('four minutes and a half', async () =>
    world.clock.now() > (back?.withdrawnAt ?? 0) + 270_000 ? true : undefined,
  );
  expect(await world.fleetStatus(name)).toEqual(['ACTIVE']);
  client.stop();
  expect(await outcome).toMatchObject({ outcome: 'restored' });
  expect(await world.fleetStatus(name)).not.toEqual(['ACTIVE']);
  const deregistered = world.aws.calls
    .records({ since: 0 })
    .filter(({ operation }) => operation === 'DeregisterTaskDefinition');
  expect(deregistered.map(({ error }) => error)).toEqual([undefined]);
});
