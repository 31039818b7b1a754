/** A person writes the rule in the middle of a canary: nothing is overwritten before they say so, and no request is lost. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import type { Traffic } from '../../local/demo/traffic.ts';
import { type Said, until, World } from './world.ts';

let world: World;
let traffic: Traffic;
let said: () => Promise<readonly Said[]>;

beforeAll(async () => {
  world = await World.create();
  await world.changeSettings({
    strategy: {
      kind: 'custom',
      steps: [
        { weightPercent: 10, bakeSeconds: 20 },
        { weightPercent: 100, bakeSeconds: 10 },
      ],
    },
  });
  said = await world.subscribe('people');
  await world.goLive('v1');
  traffic = world.traffic();
});

afterAll(async () => {
  const { total, lost, losses } = await traffic.stop();
  await world.close();
  if (lost > 0 || total < 100)
    throw new Error(`${lost} of ${total} requests were lost: ${losses.join('; ')}`);
});

/** Half of the traffic on each, by hand, while `tag` bakes; resolves when the deployment is held. */
async function meddle(tag: string): Promise<ServiceItem> {
  await world.push(tag);
  const { live, deployment } = await world.baking(tag);
  const [from, to] = [live?.slot ?? '', deployment?.plan.to.slot ?? ''];
  await world.writeWeights({ [from]: 50, [to]: 50 });
  const item = await world.itemWhere('the hold', ({ wait }) => wait?.for === 'hand');
  expect(await world.weights()).toMatchObject({ [from]: 50, [to]: 50 });
  return item;
}

async function toldOf(tag: string, kind: string): Promise<Said> {
  return until(`${kind} of ${tag}`, async () =>
    (await said()).find(({ Message }) => Message.kind === kind && Message.image === `web:${tag}`),
  );
}

it('a canary whose weights a person changed is held, and goes on from them by their word', async () => {
  const { deployment } = await meddle('v2');
  expect(deployment?.hold).toMatchObject({ kind: 'held', error: 'Cutover.ForeignWeights' });
  const { Message } = await toldOf('v2', 'held');
  expect(Message.reason).toContain('the rule has blue 50, green 50');
  expect(Message.reason).toContain('{"service":"web","signal":"resume","by":"you","reason":"why"}');

  const outcome = world.watch.outcomeOf('web:v2');
  const since = world.clock.now();
  await world.signal({ service: 'web', signal: 'resume', by: 'ann', reason: 'I meant it' });
  expect(await outcome).toMatchObject({ outcome: 'live' });
  expect(world.mutationsSince(since)).toEqual([
    'elasticloadbalancing ModifyRule',
    'elasticloadbalancing ModifyRule',
  ]);
  expect((await toldOf('v2', 'resumed')).Message.reason).toBe('ann: I meant it');
});

it('goes back by an abort, over whatever the person wrote', async () => {
  const before = await world.weights();
  await meddle('v3');
  const outcome = world.watch.outcomeOf('web:v3');
  await world.signal({ service: 'web', signal: 'abort', by: 'ann', reason: 'not this one' });
  expect(await outcome).toMatchObject({
    outcome: 'restored',
    reason: 'ann ended the deployment: not this one',
  });
  expect(await world.weights()).toEqual(before);
  expect((await world.item()).live?.tag).toBe('v2');
});
