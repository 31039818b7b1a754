/** What the sweep's schedule does beyond what is open: pushes that were lost, images that must stay, and orphans. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Standing } from '../../functions/core/fleet/orphans.ts';
import { retire } from '../../functions/steps/retire.ts';
import { sweep } from '../../functions/steps/sweep.ts';
import {
  admitted,
  execution,
  generationOf,
  green,
  imageOf,
  liveItem,
  pushOf,
  red,
  replacedItem,
  retainedOf,
  settingsOf,
  start,
  weightsOf,
} from '../core/examples.ts';
import { type Call, World } from './world.ts';

let world: World;
let calls: Call[];
beforeEach(() => {
  world = new World();
  world.time = start + 3_600_000;
  world.item = liveItem();
  world.live(generationOf(1));
  world.registry = [imageOf(1)];
  calls = [];
  world.onCall = (call, when) => void (when === 'before' && calls.push(call));
});

const everything = () => sweep(world.ports, 'everything');
const period = (start + 3_600_000) / 300_000;

describe('by schedule', () => {
  it('a quiet service costs one listing of its images, one of its fleet, and nothing is written or started', async () => {
    expect(await everything()).toEqual({ started: [] });
    expect(calls.toSorted()).toEqual([
      'fleet.standing',
      'images.tagged',
      'ledger.read',
      'settings.list',
      'settings.read',
    ]);
    expect(world.trace).toEqual([]);
  });

  it('a push that no event announced is started as ECR would have announced it', async () => {
    world.registry = [imageOf(1), imageOf(2)];
    const name = `web-${period}-sweep-v2-000000000000`;
    expect(await everything()).toEqual({ started: [name] });
    expect(world.started.get(name)).toMatchObject({
      machine: 'deploy',
      input: {
        service: 'web',
        event: {
          id: 'sweep-v2-000000000000',
          time: new Date(pushOf(2).at).toISOString(),
          detail: { 'action-type': 'PUSH', 'image-tag': 'v2', 'image-digest': imageOf(2).digest },
        },
      },
    });
    await everything();
    expect(world.started.size).toBe(1);
  });

  it('a push that no event announced is looked for at a service that was never deployed, too', async () => {
    world = new World();
    world.time = start + 3_600_000;
    expect((await everything()).started).toEqual([`web-${period}-sweep-v5-000000000000`]);
  });

  it('nothing is started when an execution ends: its push may be under way', async () => {
    world.registry = [imageOf(1), imageOf(2)];
    expect(await sweep(world.ports)).toEqual({ started: [] });
    expect(calls).not.toContain('images.tagged');
  });

  it.each<[string, unknown]>([
    ['is not declared any more', undefined],
    ['is declared wrongly: Plan says so with the next push', { ...settingsOf(), tags: [] }],
  ])('a service that %s is left alone', async (_, settings) => {
    world.settings = settings;
    world.registry = [imageOf(1), imageOf(2)];
    expect(await everything()).toEqual({ started: [] });
  });

  it.each<Call>(['images.tagged', 'fleet.standing', 'settings.read', 'settings.list'])(
    'what fails is tried again as a whole: %s',
    async (call) => {
      world.fail(call);
      await expect(everything()).rejects.toThrow(`${call} failed`);
    },
  );

  it('a fleet that cannot be listed does not keep a push that was lost', async () => {
    world.registry = [imageOf(1), imageOf(2)];
    world.fail('fleet.standing');
    await expect(everything()).rejects.toThrow('fleet.standing failed');
    expect(world.started.size).toBe(1);
  });
});

describe('images', () => {
  it('that are gone are noted once, after the registry was asked for them alone', async () => {
    world.registry = [];
    await everything();
    expect(world.item.imagesMissing).toMatchObject([{ generation: { name: 'web-g0001' }, at: world.time }]);
    calls = [];
    await everything();
    expect(calls).not.toContain('images.existing');
    expect(calls).not.toContain('ledger.write');
  });

  it('that no tag names but that are there are not noted', async () => {
    world.registry = [imageOf(1, { tags: [] })];
    await everything();
    expect(world.item.imagesMissing).toEqual([]);
  });

  it('lose the tag that kept them when their generation is forgotten', async () => {
    world.item = liveItem({ lastGeneration: 2, seen: [] });
    world.registry = [
      imageOf(1, { tags: ['v1', 'retain-web-g0001'] }),
      imageOf(0, { tags: ['old', 'retain-web-g0002'] }),
    ];
    await everything();
    expect(world.registry.flatMap(({ tags }) => tags)).toEqual(['v1', 'retain-web-g0001', 'old']);
  });
});

const stray = (number: number, changes: Partial<Standing> = {}): Standing => ({
  name: generationOf(number).name,
  runs: true,
  slot: green,
  createdAt: start,
  ...changes,
});

describe('orphans', () => {
  it('are noted once, and nothing is ended', async () => {
    world.strays = [stray(7), stray(8, { createdAt: world.time - 60_000 })];
    await everything();
    await everything();
    expect(world.item.orphans).toEqual([{ name: 'web-g0007', runs: true, at: world.time }]);
    expect(world.written()).toEqual(['ledger: changed']);
  });

  it('get a retirement when somebody wants them ended', async () => {
    world.item = liveItem({
      orphans: [{ name: stray(7).name, runs: true, at: start }],
      collect: { by: 'ann', at: start },
    });
    expect((await sweep(world.ports)).started).toEqual([`collect-web-${period}`]);
    expect(world.started.get(`collect-web-${period}`)).toEqual({
      machine: 'retire',
      input: { service: 'web' },
    });
  });
});

describe('the retirement that ends orphans', () => {
  const visit = () => retire({ service: liveItem().service, execution: execution('collect') }, world.ports);
  const noted = (...numbers: number[]) =>
    numbers.map((number) => ({ name: stray(number).name, runs: true, at: start }));
  const discarded = () => world.trace.filter((each) => each.startsWith('fleet'));

  beforeEach(() => {
    const { deployment } = admitted().item;
    world.item = replacedItem({
      retained: [],
      deployment: { ...deployment!, outcome: 'live' },
      orphans: noted(7),
      collect: { by: 'ann', at: start },
    });
    world.rule = weightsOf({ blue: 100 });
    world.strays = [stray(7)];
  });

  it('holds the service while it ends them, and gives it back', async () => {
    world.onCall = (call) => {
      if (call !== 'fleet.discard') return;
      expect(world.item).toMatchObject({ fence: 3, owner: { execution: execution('collect') } });
      expect(world.item.mutatingUntil).toBeGreaterThan(world.time);
    };
    expect(await visit()).toEqual({
      retired: [],
      collected: { gone: ['web-g0007'], left: [] },
      next: null,
    });
    expect(discarded()).toEqual(['fleet: web-g0007 discarded, all']);
    expect(world.item).toMatchObject({ owner: null, orphans: [], collect: null });
  });

  it('leaves the definition of what was proven: it is launched like that again', async () => {
    world.item = { ...world.item, orphans: noted(1) };
    world.fleets.clear();
    world.strays = [stray(1)];
    await visit();
    expect(discarded()).toEqual(['fleet: web-g0001 discarded, what runs']);
  });

  it.each<[string, (to: World) => unknown, string[]]>([
    [
      'has weight',
      (to) => (to.rule = weightsOf({ green: 100 })),
      ['web-g0007 is left alone: its slot green has weight 100'],
    ],
    [
      'runs in no slot',
      (to) => (to.strays = [stray(7, { slot: null })]),
      ["web-g0007 is left alone: it runs in none of the service's slots"],
    ],
    ['is live by now', (to) => (to.item = { ...to.item, live: generationOf(7, red) }), []],
    [
      'is kept warm by now',
      (to) => {
        const retained = [retainedOf(generationOf(7, red), to.time + 60_000)];
        to.item = { ...to.item, retained };
      },
      [],
    ],
  ])('leaves alone what %s, and says why', async (_, given, left) => {
    given(world);
    expect(await visit()).toMatchObject({ collected: { left } });
    expect(discarded()).toEqual([]);
    expect(world.item).toMatchObject({ owner: null, collect: null });
  });

  it('ends nothing that nobody was told of', async () => {
    world.strays = [stray(7), stray(9)];
    await visit();
    expect(discarded()).toEqual(['fleet: web-g0007 discarded, all']);
  });

  it('ends nothing while somebody has the service', async () => {
    world.item = { ...world.item, owner: { execution: 'other', redrives: 0, since: start } };
    expect(await visit()).toMatchObject({ retired: [] });
    expect(discarded()).toEqual([]);
    expect(world.item.collect).not.toBeNull();
  });

  it('ends ten in one visit; the order stands for the rest', async () => {
    const numbers = Array.from({ length: 12 }, (_, index) => index + 10);
    world.item = { ...world.item, orphans: noted(...numbers) };
    world.strays = numbers.map((number) => stray(number));
    await visit();
    expect(world.item).toMatchObject({ collect: { by: 'ann' } });
    expect(world.item.orphans).toHaveLength(2);
    await visit();
    expect(world.item).toMatchObject({ collect: null, orphans: [] });
  });

  it('finds what it ended before when its answer was lost', async () => {
    world.fail('fleet.discard', 'after');
    await expect(visit()).rejects.toThrow('fleet.discard failed');
    expect(world.item).toMatchObject({ owner: null, collect: { by: 'ann' } });
    expect(await visit()).toMatchObject({ collected: { gone: ['web-g0007'] } });
    expect(discarded()).toHaveLength(1);
  });
});
