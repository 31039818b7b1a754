/** The ways back and on when a deployment is over, or died, or another push came: under traffic, with no request lost. */
import {
  type DescribeExecutionCommandOutput,
  RedriveExecutionCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AwsError } from '../../local/call.ts';
import type { Traffic } from '../../local/demo/traffic.ts';
import { breakpoint } from '../../local/wire/breakpoint.ts';
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

/** Stops it like a person in the console; resolves with the ARN. */
async function stop(tag: string): Promise<string> {
  const { executionArn = '' } = await world.executionOf(tag);
  await world.sfn.send(new StopExecutionCommand({ executionArn, cause: 'somebody pressed stop' }));
  return executionArn;
}

async function redrive(executionArn: string): Promise<DescribeExecutionCommandOutput> {
  await world.sfn.send(new RedriveExecutionCommand({ executionArn }));
  return world.ended(executionArn);
}

it('an execution that is stopped in the middle of a canary is taken back; redriven after that it changes nothing', async () => {
  await world.push('v3');
  await world.baking('v3');
  const died = await stop('v3');
  const item = await world.itemWhere('the recovery', ({ owner }) => owner === null);
  expect(item.deployment).toMatchObject({ outcome: 'restored' });
  expect(item.deployment?.reason).toContain(`${died} ended (ABORTED)`);
  expect(item.live?.name).toBe('web-g0001');
  const name = item.deployment?.plan.to.name ?? '';
  await until('the end of its generation', async () => {
    const [status] = await world.fleetStatus(name);
    return status === 'ACTIVE' ? undefined : status;
  });

  const since = world.clock.now();
  expect(await redrive(died)).toMatchObject({
    status: 'FAILED',
    redriveCount: 1,
    error: 'Cutover.Rejected',
    cause: expect.stringContaining('has ended (restored); nothing more may be changed'),
  });
  expect(world.mutationsSince(since)).toEqual([]);
  expect(await world.item()).toEqual(item);
});

it('redriven while the recovery goes back it changes nothing, and the recovery is not disturbed', async () => {
  await world.push('v3b');
  await world.baking('v3b');
  const goingBack = breakpoint(world.aws.calls, 'before', world.callsOf('Shift'));
  const died = await stop('v3b');
  await goingBack.reached;
  const held = await world.item();
  const since = world.clock.now();
  expect(await redrive(died)).toMatchObject({ status: 'FAILED', error: 'Cutover.Rejected' });
  expect(world.mutationsSince(since)).toEqual([]);
  expect(await world.item()).toEqual(held);

  goingBack.release();
  const item = await world.itemWhere('the recovery', ({ owner }) => owner === null);
  expect(item.deployment).toMatchObject({ outcome: 'restored', plan: { to: { tag: 'v3b' } } });
});

it('an execution that is stopped while it plans has launched nothing; redriven it finds its push answered', async () => {
  const since = world.clock.now();
  const admitted = breakpoint(
    world.aws.calls,
    'after',
    (call) => world.callsOf('PlanDeployment')(call) && call.operation === 'PutItem',
  );
  await world.push('v3c');
  await admitted.reached;
  const died = await stop('v3c');
  admitted.release();
  const item = await world.itemWhere('the recovery', ({ owner }) => owner === null);
  expect(item.deployment).toMatchObject({ outcome: 'restored', plan: { to: { tag: 'v3c' } } });

  const { status, output } = await redrive(died);
  expect(status).toBe('SUCCEEDED');
  expect(JSON.parse(output ?? '')).toEqual({
    outcome: 'nothing',
    reason: expect.stringContaining('started a deployment before'),
  });
  expect(world.mutationsSince(since)).toEqual([]);
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

const writesWeights = ({ operation }: { readonly operation: string }): boolean => operation === 'ModifyRule';
const lost = new AwsError('ServiceUnavailable', 'the connection is gone', { status: 503 });

it('the worker dies after it has written the old weights and before it hears so: the deployment is taken back, with one write', async () => {
  const before = await world.weights();
  const outcome = world.deploy('v7');
  await world.baking('v7');
  const written = breakpoint(world.aws.calls, 'after', writesWeights);
  await world.signal({ service: 'web', signal: 'abort', by: 'ann', reason: 'a drill' });
  const { at } = await written.reached;
  await world.aws.lambda.kill(await world.functionNamed('Shift'));
  written.release();
  expect(await outcome).toMatchObject({ outcome: 'restored', reason: 'ann ended the deployment: a drill' });
  expect(await world.weights()).toEqual(before);
  expect(world.mutationsSince(at).filter((call) => call.endsWith('ModifyRule'))).toHaveLength(1);
});

it.each([
  { when: 'after', what: 'after it has written the weights and before it hears so' },
  { when: 'before', what: 'before it writes the weights' },
] as const)('the worker of a rollback dies $what: the rollback goes on, with one write', async ({ when }) => {
  await world.signal({ service: 'web', signal: 'release', by: 'ann' });
  const { live, retained } = await world.item();
  const to = retained.at(-1)?.generation;
  const since = world.clock.now();
  const writing = breakpoint(world.aws.calls, when, writesWeights);
  const ended = rollBack({ to: to?.name, by: 'ann', reason: 'a drill' });
  await writing.reached;
  await world.aws.lambda.kill(await world.functionNamed('Shift'));
  writing.release(when === 'before' ? lost : undefined);
  expect((await ended).execution).toMatchObject({ status: 'SUCCEEDED' });
  const item = await world.item();
  expect(item.live).toEqual(to);
  expect(item.held).toMatchObject([{ generation: live?.name }]);
  expect(await world.weights()).toMatchObject({ [to?.slot ?? '']: 100, [live?.slot ?? '']: 0 });
  const written = world.aws.calls.records({ since, operation: 'ModifyRule' });
  expect(written.filter(({ error }) => error === undefined)).toHaveLength(1);
});
