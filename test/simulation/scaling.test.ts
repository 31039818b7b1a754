/**
 * What scales a service goes on doing so while a canary runs: the load rises threefold in its middle, and falls after it. The
 * checker asks at every event whether both generations are large enough (I6).
 */
import { describe, expect, it } from 'vitest';
import type { WeightStep } from '../../functions/core/deployment/strategy.ts';
import { ended, expectLive, expectOutcome, inWorld } from './cell.ts';
import { ground } from './ground.ts';
import { Observation } from './observation.ts';
import type { Scaling } from './simulated-fleet.ts';
import { alarm, baking, generations } from './stories.ts';
import type { World } from './world.ts';

const minuteMs = 60_000;
/** It answers for as long as requests may still be sent to it: what is scaled in loses none. */
const patient = { stopMs: 15_000 };

/** Target tracking scales out after three minutes, and would scale in after fifteen. */
const steps: readonly WeightStep[] = [
  { weightPercent: 10, bakeSeconds: 480 },
  { weightPercent: 50, bakeSeconds: 1_080 },
  { weightPercent: 100, bakeSeconds: 60 },
];

const tracking = {
  name: 'requests',
  metric: 'requestsPerTarget' as const,
  target: 600,
  scaleInCooldownSeconds: 60,
  scaleOutCooldownSeconds: 300,
};

const byRequests: Scaling = {
  minimum: 2,
  maximum: 12,
  policies: ['requests: ALBRequestCountPerTarget 600 of its slot'],
};

/** `v1` runs two tasks, each with as many requests as it is meant to have. */
const options = {
  settings: { strategy: { kind: 'custom' as const, steps: [...steps] } },
  scaling: { minimum: 2, maximum: 12, policies: [tracking] },
};

async function observed(world: World): Promise<Observation> {
  return new Observation(world.aws, await world.settings());
}

function sizes(world: World, seen: Observation): readonly (number | undefined)[] {
  const { from, to } = world.item?.deployment?.plan ?? {};
  return [seen.wanted(from?.name ?? ''), seen.wanted(to?.name ?? '')];
}

/** At the second step: the old generation was scaled out to three times its size at the first, and the new one grew with it. */
async function grown(world: World, seen: Observation): Promise<string> {
  await world.settle();
  const digest = world.push('v2', patient);
  await baking(world, digest, 0);
  expect(sizes(world, seen)).toEqual([2, 2]);
  world.load(60);
  await baking(world, digest, 1);
  expect(sizes(world, seen)).toEqual([6, 6]);
  return digest;
}

/** What is live had few requests until now, for which target tracking would scale it in before it has seen what came over. */
async function carries(world: World, seen: Observation, tasks: number): Promise<void> {
  for (let minutes = 0; minutes < 12; minutes++) {
    await world.passMs(minuteMs);
    expect(seen.wanted(world.item?.live?.name ?? '')).toBe(tasks);
  }
}

/** Only what is live and what is kept scales; what is live as before, and down again when the load falls. */
async function scalesAsBefore(world: World, seen: Observation): Promise<void> {
  await ended(world);
  const live = world.item!.live!;
  expect(await seen.scaling(live)).toEqual(byRequests);
  expect(await seen.fleet.schedule(live.name)).toEqual([]);
  world.load(20);
  await world.passMs(40 * minuteMs);
  expect(seen.wanted(live.name)).toBe(2);
}

const rush = { name: 'rush', expression: 'cron(0 13 * * ? *)', minimum: 6 };

const evening = { name: 'evening', expression: 'cron(0 22 * * ? *)', minimum: 2 };

/** A schedule of a group has no single time here, so it comes again tomorrow. */
const soon = { web: 'at(2026-01-05T12:06:00)', worker: 'cron(6 12 * * ? *)' };
const later = {
  web: ['evening: cron(0 22 * * ? *)'],
  worker: ['evening: 0 22 * * *', 'rush: 6 12 * * *'],
};
const daily = { web: 'rush: cron(0 13 * * ? *)', worker: 'rush: 0 13 * * *' };

describe.each(['web', 'worker'] as const)('of %s', (service) => {
  describe('a canary while target tracking scales the old generation out threefold', () => {
    it('goes live at full size, and so does a hot rollback after it', () =>
      inWorld(
        { ...ground(), service },
        async (world) => {
          const first = await world.goLive('v1', patient);
          const seen = await observed(world);
          const digest = await grown(world, seen);
          await world.pass(() => world.item?.owner === null, 'the end');
          expectLive(world, digest);
          await carries(world, seen, 6);
          // The way back stays as large as it was.
          expect(sizes(world, seen)).toEqual([6, 6]);
          const made = generations(world);
          await world.rollback();
          await world.pass(() => world.item?.live?.number === 1 && world.item.owner === null, 'the way back');
          expectLive(world, first);
          expect(generations(world)).toBe(made);
          await carries(world, seen, 6);
          await scalesAsBefore(world, seen);
          await world.passMs(90 * minuteMs);
          expect(await seen.fleet.scaled()).toEqual([`${service}-g0001`]);
        },
        options,
      ));

    it.each([
      ['taken back by a red alarm', (world: World) => alarm(world, 'ALARM')],
      ['stopped by hand', (world: World) => world.stop(world.item?.owner?.execution ?? '')],
    ])('%s in its middle leaves the old one as large, and scaling as before', (_, happens) =>
      inWorld(
        { ...ground(), service },
        async (world) => {
          const first = await world.goLive('v1', patient);
          const seen = await observed(world);
          const digest = await grown(world, seen);
          // So long that nothing but its being held keeps the old one from being scaled in.
          await world.passMs(16 * minuteMs);
          await happens(world);
          await world.pass(
            () => world.item?.deployment?.plan.to.digest === digest && world.item.owner === null,
            'the way back',
          );
          expectOutcome(world, 'restored');
          expectLive(world, first);
          expect(seen.wanted(`${service}-g0001`)).toBe(6);
          await scalesAsBefore(world, seen);
          expect(await seen.fleet.scaled()).toEqual([`${service}-g0001`]);
        },
        options,
      ),
    );
  });

  it('a canary while a schedule scales the old generation out threefold goes live at full size, with what the schedule said and will say', () =>
    inWorld(
      { ...ground(), service },
      async (world) => {
        await world.goLive('v1', patient);
        const seen = await observed(world);
        const digest = world.push('v2', patient);
        await baking(world, digest, 0);
        expect(sizes(world, seen)).toEqual([2, 2]);
        await baking(world, digest, 1);
        expect(sizes(world, seen)).toEqual([6, 6]);
        await world.pass(() => world.item?.owner === null, 'the end');
        expectLive(world, digest);
        await ended(world);
        const live = world.item!.live!;
        // As the schedule said of the old one meanwhile, and for the rest of the day.
        expect(await seen.scaling(live)).toEqual({ ...byRequests, minimum: 6 });
        expect((await seen.fleet.schedule(live.name)).toSorted()).toEqual(later[service]);
      },
      {
        ...options,
        scaling: {
          ...options.scaling,
          schedule: [{ name: 'rush', expression: soon[service], minimum: 6 }, evening],
        },
      },
    ));

  it('a generation that is kept small stays so, whatever its schedule says, and scales as before when it is gone back to', () =>
    inWorld(
      { ...ground(), service },
      async (world) => {
        const first = await world.goLive('v1', patient);
        const seen = await observed(world);
        await world.goLive('v2', patient);
        await world.settle();
        // Over the hour of the rush.
        await world.pass(() => seen.wanted(`${service}-g0002`) === 6, 'the rush');
        await world.passMs(5 * minuteMs);
        expect(seen.wanted(`${service}-g0001`)).toBe(1);
        await world.rollback();
        await world.pass(
          () => world.item?.live?.digest === first && world.item.owner === null,
          'the way back',
        );
        await ended(world);
        expect(seen.wanted(`${service}-g0001`)).toBe(6);
        expect(await seen.scaling(world.item!.live!)).toEqual({ ...byRequests, minimum: 6 });
        expect(await seen.fleet.schedule(`${service}-g0001`)).toEqual([daily[service]]);
      },
      {
        ...options,
        settings: { retentionFloor: 1, retentionSeconds: 7_200 },
        scaling: { ...options.scaling, schedule: [rush] },
      },
    ));
});
