/** What every kind of fleet promises, by the ports alone: each with its real clients on the embedded AWS. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import type { Standing } from '../../functions/core/fleet/orphans.ts';
import type { Bounds } from '../../functions/core/fleet/scaling.ts';
import { ownerTags } from '../../functions/core/tags.ts';
import type { Ending } from '../../functions/ports/fleet.ts';
import { AwsError } from '../../local/call.ts';
import { blue, digestOf, generationOf, green, web } from '../core/examples.ts';
import { asgKind } from './asg-kind.ts';
import { ecsKind } from './ecs-kind.ts';
import type { Kind } from './kind.ts';

const kinds = { ecs: ecsKind, asg: asgKind } as const;
const minutes = 60_000;
const first = generationOf(1, blue);
const second = generationOf(2, green);
const bounds: Bounds = { minimum: 2, maximum: 6 };

describe.each(['ecs', 'asg'] as const)('a fleet of the kind %s', (name) => {
  let kind: Kind;
  beforeEach(async () => {
    kind = await kinds[name]();
  });
  afterEach(() => kind.region.close());

  const pass = (count: number) => kind.region.clock.advance(count * minutes);
  const launch = (generation: Generation, desired = 2, copyOf: Generation | null = null) =>
    kind.fleet.launch(kind.settings, generation, desired, copyOf);
  const observe = (generation: Generation) => kind.fleet.observe(kind.settings, generation);
  const wanted = (generation: Generation) => kind.fleet.wanted(kind.settings, generation);
  const imageOf = ({ digest }: Generation) => `${kind.settings.repositoryUri}@${digest}`;
  /** The calls since then that are not reads. */
  const writes = async (during: () => Promise<unknown>): Promise<readonly string[]> => {
    const before = kind.region.calls.records().length;
    await during();
    return kind.region.calls
      .records()
      .slice(before)
      .flatMap(({ operation }) => (/^(?:Describe|List|Get)/.test(operation) ? [] : [operation]));
  };
  /** The next call of the operation is answered so, before it has an effect. */
  const failNext = (operation: string, error: Error): void => {
    const unhook = kind.region.calls.hook({
      before: (call) => {
        if (call.operation !== operation) return;
        unhook();
        throw error;
      },
    });
  };
  const down = () => new AwsError('InternalFailure', 'not now', { status: 500 });
  const terminated = async (generation: Generation): Promise<readonly Ending[]> => {
    const said: Ending[] = [];
    for (let look = 0; look < 30; look += 1) {
      said.push(await kind.fleet.terminate(kind.settings, generation));
      if (said.at(-1) === 'ended') break;
      await pass(1);
    }
    return said;
  };

  describe('launch', () => {
    it("makes the generation in its slot's target group, as large as it is to be, by digest, as ours", async () => {
      await launch(first, 3);
      expect(await wanted(first)).toBe(3);
      await pass(5);
      const seen = await observe(first);
      expect(seen).toMatchObject({ desired: 3, running: 3 });
      const targets = await kind.region.targets(first.slot);
      expect([...targets.keys()].toSorted()).toEqual([...(seen?.own ?? [])].toSorted());
      expect([...targets.values()]).toEqual(['healthy', 'healthy', 'healthy']);
      expect(await kind.made(first)).toEqual({ image: imageOf(first), template: 'old' });
      const owner = ownerTags(web, first.name);
      expect(await kind.tags(first)).toMatchObject([owner, owner]);
      expect((await kind.region.targets(second.slot)).size).toBe(0);
    });

    it('adopts what an earlier try made', async () => {
      await launch(first);
      expect(await writes(() => launch(first))).toEqual([]);
      await pass(5);
      expect(await writes(() => launch(first))).toEqual([]);
      expect(await observe(first)).toMatchObject({ desired: 2, running: 2 });
    });

    it('finishes what an earlier try began', async () => {
      failNext(kind.creation, down());
      await expect(launch(first)).rejects.toMatchObject({ name: 'Cutover.AwsUnavailable' });
      expect(await kind.tags(first)).toMatchObject([undefined, ownerTags(web, first.name)]);
      expect(await wanted(first)).toBeUndefined();
      expect(await writes(() => launch(first))).toEqual([kind.creation]);
      await pass(5);
      expect(await observe(first)).toMatchObject({ desired: 2, running: 2 });
    });

    it('makes one generation by two tries at once, of which one may have to come again', async () => {
      const tries = await Promise.allSettled([launch(first), launch(first)]);
      expect(tries.map(({ status }) => status)).toContain('fulfilled');
      await launch(first);
      await pass(5);
      expect(await observe(first)).toMatchObject({ desired: 2, running: 2 });
    });

    it("leaves a stranger's alone", async () => {
      await kind.squat(first);
      expect(
        await writes(() => expect(launch(first)).rejects.toMatchObject({ name: 'Cutover.Guarded' })),
      ).toEqual([]);
      expect(await wanted(first)).toBe(1);
    });

    it("leaves a stranger's template of that name alone", async () => {
      await kind.squatTemplate(first);
      expect(
        await writes(() => expect(launch(first)).rejects.toMatchObject({ name: 'Cutover.Guarded' })),
      ).toEqual([]);
      expect(await wanted(first)).toBeUndefined();
    });

    it('refuses what was launched from another image, as after the loss of a ledger', async () => {
      const other = { ...first, digest: digestOf(7) };
      await launch(other);
      const again = () =>
        expect(launch(first)).rejects.toMatchObject({
          name: 'Cutover.Guarded',
          message: expect.stringContaining(`${imageOf(other)}, not ${imageOf(first)}`),
        });
      expect(await writes(again)).toEqual([]);
      await terminated(other);
      expect(await writes(again)).toEqual([]);
    });

    it('knows no slot but those of the service', async () => {
      const elsewhere = { ...first, slot: 'violet' as typeof blue };
      await expect(launch(elsewhere)).rejects.toMatchObject({ name: 'Cutover.InvalidInput' });
    });

    it('makes a copy of a generation that ended, whatever the template says by now', async () => {
      await launch(first);
      await terminated(first);
      const again = { ...generationOf(3, green), digest: first.digest };
      for (const expected of [2, 0]) {
        const done = await writes(() => kind.fleet.launch(kind.newer, again, 2, first));
        expect(done).toHaveLength(expected);
      }
      expect(await kind.made(again)).toEqual({ image: imageOf(first), template: 'old' });
      const owner = ownerTags(web, again.name);
      expect(await kind.tags(again)).toMatchObject([owner, owner]);
      await kind.fleet.launch(kind.newer, second, 2, null);
      expect(await kind.made(second)).toEqual({ image: imageOf(second), template: 'new' });
    });
  });

  describe.each(['before', 'after'] as const)('whichever call is lost %s it has its effect', (when) => {
    /** Does it again and again, each time with the next of its calls lost, until none is left to lose. */
    const losing = async (
      act: (generation: Generation) => Promise<unknown>,
      made: (generation: Generation) => Promise<void>,
      before: (generation: Generation) => Promise<void> = async () => undefined,
    ): Promise<void> => {
      let wasLost = true;
      for (let number = 1; wasLost; number += 1) {
        const generation = generationOf(number, blue);
        await before(generation);
        let calls = 0;
        const unhook = kind.region.calls.hook({
          [when]: () => {
            calls += 1;
            if (calls === number) throw down();
          },
        });
        const [tried] = await Promise.allSettled([act(generation)]);
        unhook();
        wasLost = calls >= number;
        if (wasLost)
          expect(tried).toMatchObject({ status: 'rejected', reason: { name: 'Cutover.AwsUnavailable' } });
        await act(generation);
        await made(generation);
      }
    };

    it('a launch finishes', () =>
      losing(
        (generation) => launch(generation),
        async (generation) => expect(await wanted(generation)).toBe(2),
      ));

    it('scaling is carried whole', () =>
      losing(
        async (generation) => {
          await launch(generation);
          await kind.scaling.carry(kind.scaled, null, generation, bounds);
          await kind.scaling.carrySchedule(kind.scaled, null, generation);
        },
        async (generation) => {
          expect(await kind.scaling.bounds(kind.settings, generation)).toEqual(bounds);
          expect(await kind.policies(generation)).toEqual(['cpu 60', 'requests 500 web-blue']);
          expect(await kind.schedule(generation)).toEqual(['morning 4']);
        },
      ));

    it('an end comes, and nothing scales what is left', () =>
      losing(
        async (generation) => {
          await kind.scaling.release(kind.settings, generation);
          await kind.fleet.terminate(kind.settings, generation);
        },
        async (generation) => {
          await terminated(generation);
          await kind.fleet.forget(kind.settings, generation);
          expect(await kind.tags(generation)).toEqual([undefined, undefined]);
        },
        async (generation) => {
          await launch(generation, 1);
          await kind.scaling.carry(kind.scaled, null, generation, bounds);
          await kind.scaling.carrySchedule(kind.scaled, null, generation);
        },
      ));
  });

  describe('of none', () => {
    it('nothing is wanted or seen', async () => {
      expect(await wanted(first)).toBeUndefined();
      expect(await observe(first)).toBeUndefined();
    });

    it('what ends it, forgets it or releases it is done', async () => {
      expect(await kind.fleet.terminate(kind.settings, first)).toBe('ended');
      await kind.fleet.forget(kind.settings, first);
      await kind.scaling.release(kind.settings, first);
      expect(await kind.fleet.discard(kind.settings, first.name, 'all')).toBe('ended');
    });
  });

  describe('resize', () => {
    const resize = (desired: number) => kind.fleet.resize(kind.settings, first, desired);

    it('makes it larger and smaller, each twice', async () => {
      await launch(first);
      for (const desired of [4, 4, 1, 1]) {
        await resize(desired);
        expect(await wanted(first)).toBe(desired);
        await pass(10);
        expect(await observe(first)).toMatchObject({ desired, running: desired });
      }
    });

    it.each([8, 1])('goes beyond the bounds that scale it: %i', async (desired) => {
      await launch(first);
      await kind.scaling.carry(kind.scaled, null, first, bounds);
      await resize(desired);
      await resize(desired);
      expect(await wanted(first)).toBe(desired);
    });

    it("leaves a stranger's alone", async () => {
      await kind.squat(first);
      await expect(resize(4)).rejects.toMatchObject({ name: 'Cutover.Guarded' });
      expect(await wanted(first)).toBe(1);
    });
  });

  describe('terminate', () => {
    it('lets the targets drain, and leaves only what the generation was made from', async () => {
      await launch(first);
      await pass(5);
      const ends = [await kind.fleet.terminate(kind.settings, first)];
      await pass(1);
      expect(new Set((await kind.region.targets(first.slot)).values())).toEqual(new Set(['draining']));
      ends.push(...(await terminated(first)));
      expect(ends.at(-1)).toBe('ended');
      expect(new Set(ends.slice(0, -2))).toEqual(new Set(name === 'ecs' ? [] : ['ending']));
      await pass(10);
      expect((await kind.region.targets(first.slot)).size).toBe(0);
      expect(await kind.tags(first)).toMatchObject([undefined, ownerTags(web, first.name)]);
      expect(await wanted(first)).toBeUndefined();
      expect(await writes(() => kind.fleet.terminate(kind.settings, first))).toEqual([]);
    });

    it('ends what has not begun to run', async () => {
      await launch(first);
      expect((await terminated(first)).at(-1)).toBe('ended');
      await pass(5);
      expect((await kind.region.targets(first.slot)).size).toBe(0);
      expect(await observe(first)).toBeUndefined();
    });

    it('may be tried twice at once', async () => {
      await launch(first, 1);
      for (let look = 0; look < 30; look += 1) {
        const both = await Promise.all([1, 2].map(() => kind.fleet.terminate(kind.settings, first)));
        if (both.every((each) => each === 'ended')) break;
        await pass(1);
      }
      expect(await observe(first)).toBeUndefined();
    });

    it("leaves a stranger's alone", async () => {
      await kind.squat(first);
      await expect(kind.fleet.terminate(kind.settings, first)).rejects.toMatchObject({
        name: 'Cutover.Guarded',
      });
      expect(await wanted(first)).toBe(1);
    });
  });

  describe('what it was made from', () => {
    it('is forgotten, and may be gone already', async () => {
      await launch(first);
      await terminated(first);
      await kind.fleet.forget(kind.settings, first);
      expect(await kind.tags(first)).toEqual([undefined, undefined]);
      expect(await writes(() => kind.fleet.forget(kind.settings, first))).toEqual([]);
    });

    it("is left alone when it is a stranger's", async () => {
      await kind.squatTemplate(first);
      await expect(kind.fleet.forget(kind.settings, first)).rejects.toMatchObject({
        name: 'Cutover.Guarded',
      });
      expect(await kind.tags(first)).toEqual([undefined, {}]);
    });
  });

  describe('what stands', () => {
    const standing = (isAsked: (found: Pick<Standing, 'name' | 'runs'>) => boolean = () => true) =>
      kind.fleet.standing(kind.settings, isAsked);

    it('is told with its slot, also what is left of those that ended, and no strangers', async () => {
      const createdAt = kind.region.clock.now();
      await launch(first);
      await launch(second);
      await kind.squat(generationOf(3));
      await kind.squatTemplate(generationOf(4));
      await terminated(first);
      const found = await standing();
      expect(found.toSorted((one, other) => (one.name < other.name ? -1 : 1))).toEqual([
        { name: first.name, runs: false, slot: null, createdAt },
        { name: second.name, runs: true, slot: green, createdAt },
      ]);
      expect(await standing(({ runs }) => runs)).toMatchObject([{ name: second.name }]);
      expect(await standing(({ name: found }) => found === first.name)).toMatchObject([{ name: first.name }]);
    });

    it.each(['all', 'what runs'] as const)('is discarded: %s', async (what) => {
      await launch(first);
      await pass(5);
      const discard = () => kind.fleet.discard(kind.settings, first.name, what);
      for (let look = 0; look < 30 && (await discard()) === 'ending'; look += 1) await pass(1);
      expect(await writes(discard)).toEqual([]);
      expect(await standing()).toMatchObject(what === 'all' ? [] : [{ name: first.name, runs: false }]);
    });

    it("is not discarded when it is a stranger's", async () => {
      await kind.squat(first);
      await expect(kind.fleet.discard(kind.settings, first.name, 'all')).rejects.toMatchObject({
        name: 'Cutover.Guarded',
      });
      expect(await wanted(first)).toBe(1);
    });
  });

  describe('scaling', () => {
    const boundsOf = (generation: Generation | null, settings = kind.settings) =>
      kind.scaling.bounds(settings, generation);
    beforeEach(async () => {
      await launch(first);
      await launch(second);
    });
    const scaleFirst = () => kind.scaling.carry(kind.scaled, null, first, bounds);

    it('is none where nothing scales', async () => {
      expect(await boundsOf(null)).toBeUndefined();
      expect(await boundsOf(first)).toBeUndefined();
      expect(await boundsOf(generationOf(9))).toBeUndefined();
      await kind.scaling.carry(kind.settings, null, first, bounds);
      expect(await boundsOf(first)).toBeUndefined();
    });

    it('is as declared, by requests to its own slot, and is not written again', async () => {
      expect(await boundsOf(null, kind.scaled)).toEqual(bounds);
      const held = { minimum: 3, maximum: 7 };
      expect(await writes(() => kind.scaling.carry(kind.scaled, null, second, held))).toHaveLength(3);
      expect(await boundsOf(second)).toEqual(held);
      expect(await kind.policies(second)).toEqual(['cpu 60', 'requests 500 web-green']);
      expect(await wanted(second)).toBe(3);
      expect(await writes(() => kind.scaling.carry(kind.scaled, null, second, held))).toEqual([]);
    });

    it('is carried from the one before, whatever the settings say by now', async () => {
      await scaleFirst();
      const held = { minimum: 2, maximum: 9 };
      expect(await writes(() => kind.scaling.carry(kind.settings, first, second, held))).toHaveLength(3);
      expect(await kind.policies(second)).toEqual(['cpu 60', 'requests 500 web-green']);
      expect(await kind.policies(first)).toEqual(['cpu 60', 'requests 500 web-blue']);
      expect(await boundsOf(second)).toEqual(held);
      expect(await boundsOf(first)).toEqual(bounds);
      expect(await writes(() => kind.scaling.carry(kind.settings, first, second, held))).toEqual([]);
    });

    it('is not carried from what nothing scales, nor from what ended, and nothing is taken away', async () => {
      await kind.scaling.carry(kind.scaled, null, second, bounds);
      for (const from of [first, generationOf(9)]) {
        const carry = () => kind.scaling.carry(kind.settings, from, second, { minimum: 1, maximum: 3 });
        expect(await writes(carry)).toEqual([]);
      }
      expect(await boundsOf(second)).toEqual(bounds);
      expect(await kind.policies(second)).toHaveLength(2);
    });

    it('comes to a later try while what runs is not known everywhere', async () => {
      const carry = kind.scaling.carry(kind.scaled, null, generationOf(9), bounds);
      await expect(carry).rejects.toMatchObject({ name: 'Cutover.AwsUnavailable' });
    });

    it('keeps the count within the bounds, also by a repeat', async () => {
      await scaleFirst();
      const held = { minimum: 4, maximum: 5 };
      await kind.scaling.bound(kind.settings, first, held);
      expect(await wanted(first)).toBe(4);
      await kind.scaleTo(first, 5);
      await kind.scaling.bound(kind.settings, first, held);
      expect(await wanted(first)).toBe(5);
      await kind.scaling.bound(kind.settings, first, { minimum: 2, maximum: 3 });
      expect(await wanted(first)).toBe(3);
      expect(await kind.policies(first)).toHaveLength(2);
    });

    it('has the declared schedule, and then that of the one before', async () => {
      await scaleFirst();
      const declared = () => kind.scaling.carrySchedule(kind.scaled, null, first);
      expect(await writes(declared)).toHaveLength(1);
      expect(await kind.schedule(first)).toEqual(['morning 4']);
      expect(await writes(declared)).toEqual([]);
      await kind.scaling.carry(kind.settings, first, second, bounds);
      const carried = () => kind.scaling.carrySchedule(kind.settings, first, second);
      expect(await writes(carried)).toHaveLength(1);
      expect(await kind.schedule(second)).toEqual(['morning 4']);
      expect(await writes(carried)).toEqual([]);
      await pass(15);
      expect(await writes(carried)).toEqual([]);
      await kind.scaling.carrySchedule(kind.settings, null, second);
      expect(await kind.schedule(second)).toEqual([]);
    });

    it('is released whole, and leaves as many as there were', async () => {
      await scaleFirst();
      await kind.scaling.carrySchedule(kind.scaled, null, first);
      await kind.scaleTo(first, 5);
      await kind.scaling.release(kind.settings, first);
      expect(await writes(() => kind.scaling.release(kind.settings, first))).toHaveLength(
        // Application Auto Scaling is told to forget what it does not know.
        name === 'ecs' ? 1 : 0,
      );
      expect(await boundsOf(first)).toBeUndefined();
      expect([...(await kind.policies(first)), ...(await kind.schedule(first))]).toEqual([]);
      expect(await wanted(first)).toBe(5);
    });
  });
});
