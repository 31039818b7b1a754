/** The ways back and on when a deployment is over, or died, or another push came: under traffic, with no request lost. */
import { StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
  });
  await world.goLive('v1');
  await world.goLive('v2');
  traffic = world.traffic();
});

afterAll(async () => {
  const { total, lost, losses } = await traffic.stop();
  await world.close();
  if (lost > 0 || total < 100)
    throw new Error(`${lost} of ${total} requests were lost: ${losses.join('; ')}`);
});

async function rollBack(order: object) {
  const { executionArn, startDate } = await world.sfn.send(
    new StartExecutionCommand({
      stateMachineArn: world.output('RollbackMachineArn'),
      input: JSON.stringify({ service: 'web', ...order }),
    }),
  );
  return { startedAt: startDate?.getTime() ?? 0, execution: await world.ended(executionArn ?? '') };
}

it('an order to go back is one write to the rule, within two seconds, and holds the digest that was left', async () => {
  const before = await world.item();
  const since = world.clock.now();
  const { startedAt, execution } = await rollBack({ by: 'ann', reason: 'it is slow' });
  expect(execution).toMatchObject({ status: 'SUCCEEDED' });
  expect(world.mutationsSince(since)).toEqual(['elasticloadbalancing ModifyRule']);

  const item = await world.item();
  expect(item.live?.name).toBe('web-g0001');
  expect(await world.weights()).toEqual(before.deployment?.plan.weightsBefore);
  expect(item.held).toMatchObject([{ generation: 'web-g0002', by: 'ann', reason: 'it is slow' }]);
  const tookMs = (item.weightsAt ?? Infinity) - startedAt;
  console.log(
    `from the start of the rollback to all weight on the old generation: ${tookMs} ms of the clock`,
  );
  expect(tookMs).toBeLessThan(2_000);
});

it('no event deploys a digest that is held, until it is released', async () => {
  await world.push('v2-again', 'good', 'v2');
  const held = await world.executionOf('v2-again');
  expect(await world.ended(held.executionArn ?? '')).toMatchObject({ status: 'SUCCEEDED' });
  expect((await world.item()).intake).toMatchObject({ admission: 'nothing' });
  expect(await world.signal({ service: 'web', signal: 'release', by: 'ann' })).toHaveLength(1);
  expect((await world.item()).held).toEqual([]);
});

it('an order that cannot be met changes nothing and says what can be done', async () => {
  const since = world.clock.now();
  const { execution } = await rollBack({ to: 'v99' });
  expect(execution).toMatchObject({ status: 'FAILED', error: 'Cutover.Rejected' });
  expect(execution.cause).toContain('v99');
  expect(world.mutationsSince(since)).toEqual([]);
});

it('an execution that is stopped in the middle of a canary is taken back', async () => {
  await world.push('v3');
  await world.baking('v3');
  const { executionArn } = await world.executionOf('v3');
  await world.sfn.send(new StopExecutionCommand({ executionArn, cause: 'somebody pressed stop' }));
  const item = await world.itemWhere('the recovery', ({ owner }) => owner === null);
  expect(item.deployment).toMatchObject({ outcome: 'restored' });
  expect(item.deployment?.reason).toContain('ABORTED');
  expect(item.live?.name).toBe('web-g0001');
  const name = item.deployment?.plan.to.name ?? '';
  await until('the end of its generation', async () => {
    const [status] = await world.fleetStatus(name);
    return status === 'ACTIVE' ? undefined : status;
  });
});

it('of the pushes that come while a deployment runs the newest is deployed when it has ended', async () => {
  await world.push('v4');
  await world.baking('v4');
  await world.push('v5');
  await world.itemWhere('v5 to wait', ({ pending }) => pending?.tag === 'v5');
  await until('another second', async () => (world.clock.now() % 1_000 > 900 ? true : undefined));
  const outcome = world.watch.outcomeOf('web:v6');
  await world.push('v6');
  expect(await outcome).toMatchObject({ outcome: 'live' });
  const item = await world.item();
  expect(item).toMatchObject({ pending: null, live: { tag: 'v6' } });
  expect(item.proven.map(({ tag }) => tag)).not.toContain('v5');
});
