/** Deployments while parts of AWS, or of the deployer itself, fail at the worst moment. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { AwsError } from '../../local/call.ts';
import type { Traffic } from '../../local/demo/traffic.ts';
import type { Delivery, Interception } from '../../local/services/events/delivery.ts';
import { breakpoint } from '../../local/wire/breakpoint.ts';
import type { PendingCall } from '../../local/wire/call-log.ts';
import { World } from './world.ts';

let world: World;
let traffic: Traffic;
let deliver: (delivery: Delivery) => Interception = () => 'deliver';

beforeAll(async () => {
  world = await World.create({ deliveries: (delivery) => deliver(delivery) });
  await world.changeSettings({
    strategy: {
      kind: 'custom',
      steps: [
        { weightPercent: 10, bakeSeconds: 60 },
        { weightPercent: 100, bakeSeconds: 10 },
      ],
    },
    // Replaced generations go soon, so that each test finds a free slot.
    retentionSeconds: 0,
  });
  await world.goLive('v1');
});

afterAll(() => world?.close());

beforeEach(async () => {
  deliver = () => 'deliver';
  await world.itemWhere(
    'the last retirement',
    ({ owner, retained }) => owner === null && retained.length === 0,
  );
  traffic = world.traffic();
});

afterEach(async () => {
  const { total, lost, losses } = await traffic.stop();
  if (lost > 0 || total < 100)
    throw new Error(`${lost} of ${total} requests were lost: ${losses.join('; ')}`);
});

const writesWeights = ({ operation }: PendingCall): boolean => operation === 'ModifyRule';

it('the worker that writes the weights dies before it hears that they are written: the deployment goes on from them', async () => {
  const written = breakpoint(world.aws.calls, 'after', writesWeights);
  const outcome = world.deploy('v2');
  const { at } = await written.reached;
  await world.aws.lambda.kill(await world.functionNamed('Shift'));
  written.release();
  expect(await outcome).toMatchObject({ outcome: 'live' });
  // One for each step: the second try found the first's weights.
  expect(world.mutationsSince(at).filter((call) => call.endsWith('ModifyRule'))).toHaveLength(2);
});

it('the worker dies before it writes them: they are written all the same', async () => {
  const writing = breakpoint(world.aws.calls, 'before', writesWeights);
  const outcome = world.deploy('v3');
  await writing.reached;
  await world.aws.lambda.kill(await world.functionNamed('Shift'));
  writing.release(new AwsError('ServiceUnavailable', 'the connection is gone', { status: 503 }));
  expect(await outcome).toMatchObject({ outcome: 'live' });
});

it('the load balancer throttles the writing of weights: it is tried again until it works', async () => {
  let left = 4;
  const unhook = world.aws.calls.hook({
    before: (call) => {
      if (!writesWeights(call) || left === 0) return;
      left -= 1;
      throw new AwsError('Throttling', 'Rate exceeded');
    },
  });
  try {
    expect(await world.deploy('v4')).toMatchObject({ outcome: 'live' });
    expect(left).toBe(0);
  } finally {
    unhook();
  }
});

it('the load balancer throttles the way back: the weights are restored all the same', async () => {
  const before = await world.weights();
  const outcome = world.deploy('v5');
  await world.baking('v5');
  let left = 3;
  const unhook = world.aws.calls.hook({
    before: (call) => {
      if (!writesWeights(call) || left === 0) return;
      left -= 1;
      throw new AwsError('Throttling', 'Rate exceeded');
    },
  });
  try {
    await world.signal({ service: 'web', signal: 'abort', by: 'ann', reason: 'a drill' });
    expect(await outcome).toMatchObject({ outcome: 'restored', reason: 'ann ended the deployment: a drill' });
    expect(left).toBe(0);
    expect(await world.weights()).toEqual(before);
  } finally {
    unhook();
  }
});

it('no event of ECS arrives: looking again by itself finds that the tasks run and are healthy', async () => {
  let dropped = 0;
  deliver = ({ event }) => {
    if (event.source !== 'aws.ecs') return 'deliver';
    dropped += 1;
    return 'drop';
  };
  expect(await world.deploy('v6')).toMatchObject({ outcome: 'live' });
  expect(dropped).toBeGreaterThan(0);
});

it('every event arrives twice: one deployment goes live, and no second one starts', async () => {
  deliver = () => 'twice';
  const { lastGeneration } = await world.item();
  await world.push('v7');
  const { live } = await world.itemWhere('v7 to be live', (item) => item.live?.tag === 'v7');
  expect(live?.number).toBe(lastGeneration + 1);
  expect((await world.item()).lastGeneration).toBe(lastGeneration + 1);
});

it('the event of the alarm is lost: the bake that looks again finds it red', async () => {
  deliver = ({ event }) => (event.source === 'aws.cloudwatch' ? 'drop' : 'deliver');
  // Long enough for a metric of minutes to be seen.
  const steps = [
    { weightPercent: 10, bakeSeconds: 300 },
    { weightPercent: 100, bakeSeconds: 10 },
  ];
  await world.changeSettings({ strategy: { kind: 'custom', steps } });
  expect(await world.deploy('v8', 'failing')).toMatchObject({
    outcome: 'restored',
    reason: expect.stringMatching(/^the alarm .* is red: Threshold Crossed/),
  });
});
