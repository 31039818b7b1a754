/**
 * What scales generations while a deployment runs: nothing may make the new one smaller than what it must carry, nor the old one
 * smaller than what it had, and whatever the end, and wherever a call failed or the execution died, what is live scales as before.
 */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import { CutoverError } from '../../functions/core/errors.ts';
import { planRecovery } from '../../functions/steps/plan-recovery.ts';
import { planRollback } from '../../functions/steps/plan-rollback.ts';
import { retire } from '../../functions/steps/retire.ts';
import { sweep } from '../../functions/steps/sweep.ts';
import {
  execution,
  generationOf,
  green,
  liveItem,
  pendingOf,
  pushOf,
  replacedItem,
  settingsOf,
  start,
  web,
} from '../core/examples.ts';
import { deploy, goBack, trying } from './machine.ts';
import { type Call, World } from './world.ts';

const between = (minimum: number, maximum: number) => ({ minimum, maximum });
const original = between(2, 10);

function scaledWorld(desired = 4): World {
  const world = new World();
  world.item = liveItem();
  world.time = start + 200_000;
  world.live(generationOf(1), desired);
  world.scaled.set('web-g0001', { bounds: original, like: 'web-g0001', schedule: null });
  return world;
}

/** The load falls at each call as far as the bounds let it: what is held does not follow. */
function idle(world: World): void {
  for (const [name, { bounds }] of world.scaled) {
    const found = world.fleets.get(name);
    if (found === undefined || found.desired <= bounds.minimum) continue;
    Object.assign(found, { desired: bounds.minimum, running: bounds.minimum });
  }
}

const ending: Readonly<Record<string, (world: World) => void>> = {
  live: () => {},
  'unhealthy from the first': (world) => (world.launchesAs = { health: 'unhealthy' }),
  'red in the middle': (world) => {
    world.onCall = () => {
      if ((world.rule[green] ?? 0) > 0)
        world.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '5 > 1', since: world.time }];
    };
  },
  'dead in the middle': (world) => {
    world.onCall = () => {
      const fleet = world.fleets.get('web-g0002');
      if ((world.rule[green] ?? 0) > 0 && fleet !== undefined) fleet.health = 'unhealthy';
    };
  },
};

/** What is live scales as it did, nothing else does that is not kept, and nobody is owed anything. */
function settled(world: World): void {
  const { item } = world;
  expect(item.owner).toBeNull();
  expect(item.bounds).toBeNull();
  expect(world.scaled.get(item.live!.name)?.bounds).toEqual(original);
  for (const name of world.scaled.keys()) expect([...world.fleets.keys()]).toContain(name);
}

/** By then a whole minute of the requests to what is live is counted. */
async function sweepLater(world: World): Promise<void> {
  world.time += 300_000;
  await trying(world, 2, () => sweep(world.ports));
}

async function planned(world: World): Promise<Plan> {
  return world.plan(pushOf(2));
}

describe('a deployment that goes live', () => {
  it('holds both while it runs, and gives the new one bounds, policies and schedule', async () => {
    const world = scaledWorld();
    await deploy(world, await planned(world), 0);
    expect(world.written().filter((each) => each.startsWith('scaling'))).toEqual([
      'scaling: web-g0002 4 to 10 like web-g0001',
      'scaling: web-g0001 4 to 10',
      'scaling: web-g0001 4 to 10',
      'scaling: web-g0002 2 to 10 like web-g0001',
      'scaling: web-g0002 2 to 10, by the schedule of web-g0001',
    ]);
    settled(world);
  });

  it('keeps the old one as large as it was when the first request went elsewhere', async () => {
    const world = scaledWorld();
    let least = Infinity;
    world.onCall = () => {
      if ((world.rule[green] ?? 0) > 0) idle(world);
      if ((world.rule[green] ?? 0) > 0 && world.item.owner !== null)
        least = Math.min(
          least,
          world.fleets.get('web-g0001')!.desired,
          world.fleets.get('web-g0002')!.desired,
        );
    };
    await deploy(world, await planned(world), 0);
    expect(least).toBe(4);
    settled(world);
  });

  it('grows with the old one before each raise, and is not scaled in below that', async () => {
    const world = scaledWorld();
    const sizes = [6, 8, 12];
    let weight = 0;
    const raised: (readonly number[])[] = [];
    world.onCall = (call, when) => {
      const old = world.fleets.get('web-g0001')!;
      const to = world.fleets.get('web-g0002');
      if (to === undefined) return;
      idle(world);
      if (call === 'traffic.shift' && when === 'before') raised.push([old.desired, to.desired]);
      const share = world.rule[green] ?? 0;
      if (share <= weight) return;
      weight = share;
      const next = sizes.shift();
      if (next !== undefined) Object.assign(old, { desired: next, running: next });
    };
    const plan = await planned(world);
    await deploy(world, plan, 0);
    expect(world.item.live?.name).toBe('web-g0002');
    expect(raised).toHaveLength(plan.steps.length);
    for (const [old, to] of raised) expect(to).toBeGreaterThanOrEqual(old!);
  });

  it('first of all scales as the service says', async () => {
    const world = new World();
    world.time = start;
    world.scalingDeclared = original;
    await deploy(world, await world.plan(pushOf(1)), 0);
    expect(world.scaled.get('web-g0001')).toEqual({
      bounds: original,
      like: 'settings',
      schedule: 'settings',
    });
    settled(world);
  });

  it('is made to scale where the one before it did not yet', async () => {
    const world = scaledWorld();
    world.scaled.clear();
    world.scalingDeclared = original;
    await deploy(world, await planned(world), 0);
    expect(world.scaled.get('web-g0002')).toMatchObject({ bounds: original, like: 'settings' });
    settled(world);
  });

  it('where nothing scales asks once, and writes nothing', async () => {
    const world = scaledWorld();
    world.scaled.clear();
    const asked: Call[] = [];
    world.onCall = (call, when) => {
      if (when === 'before' && call.startsWith('scaling')) asked.push(call);
    };
    await deploy(world, await planned(world), 0);
    expect(asked).toEqual(['scaling.bounds']);
  });
});

describe.each(Object.entries(ending))('whatever the end: %s', (name, given) => {
  const story = async (watch: (world: World, calls: number, call: Call) => void): Promise<World> => {
    const world = scaledWorld();
    given(world);
    const happens = world.onCall;
    const plan = await planned(world);
    let calls = 0;
    world.onCall = (call, when) => {
      happens(call, when);
      calls += 1;
      watch(world, calls, call);
    };
    const die = (failure: unknown): void => {
      if (!(failure instanceof Died)) throw failure;
    };
    await deploy(world, plan, 2).catch(die);
    world.onCall = () => {};
    return world;
  };

  it('is as before, and what was launched and taken back scales no more', async () => {
    const world = await story(() => {});
    await sweepLater(world);
    settled(world);
    expect(world.item.live?.name).toBe(name === 'live' ? 'web-g0002' : 'web-g0001');
    expect(world.scaled.has('web-g0002')).toBe(name === 'live');
  });

  it('also when any one call failed', async () => {
    let total = 0;
    await story((_, calls) => (total = calls));
    expect(total).toBeGreaterThan(20);
    for (let at = 1; at <= total; at++) {
      const world = await story((_, calls, call) => {
        if (calls === at) throw new CutoverError('Cutover.AwsUnavailable', `${call} failed`);
      });
      await sweepLater(world);
      settled(world);
    }
  });

  it('also when the execution died at any call', async () => {
    let total = 0;
    await story((_, calls) => (total = calls));
    expect(total).toBeGreaterThan(20);
    for (let at = 1; at <= total; at++) {
      const world = await story((_, calls) => {
        if (calls === at) throw new Died();
      });
      await recover(world);
      await sweepLater(world);
      settled(world);
    }
  });
});

/** The execution is stopped: no Catch runs. */
class Died extends Error {}

async function recover(world: World): Promise<void> {
  world.executions.set(execution('event-2'), 'ABORTED');
  const run = { arn: execution('recover'), redrives: 0 };
  const { plan, reason, notBefore } = await planRecovery({ service: web, execution: run }, world.ports);
  if (plan === null) return;
  world.time = Math.max(world.time, Date.parse(notBefore ?? ''));
  await goBack(world, plan, { Error: 'Cutover.Died', Cause: reason });
}

describe('when nobody can say how generations scale', () => {
  it('nothing is launched', async () => {
    const world = scaledWorld();
    const plan = await planned(world);
    world.fail('scaling.bounds', 'before', 'Cutover.AwsRefused');
    await deploy(world, plan, 0);
    expect(world.written().filter((each) => each.startsWith('fleet'))).toEqual([]);
    expect(world.item.live?.name).toBe('web-g0001');
  });

  it('a deployment ends all the same, and the sweep gives back what it held', async () => {
    const world = scaledWorld();
    const plan = await planned(world);
    world.fail('scaling.carrySchedule', 'before', 'Cutover.AwsRefused');
    await deploy(world, plan, 0);
    expect(world.item).toMatchObject({ live: { name: 'web-g0002' }, bounds: original });
    await sweep(world.ports);
    settled(world);
    expect(world.scaled.get('web-g0002')?.schedule).toBe('web-g0001');
  });

  it('a push that waits is offered all the same', async () => {
    const world = scaledWorld();
    world.fail('scaling.carrySchedule', 'before', 'Cutover.AwsRefused');
    await deploy(world, await planned(world), 0);
    world.item = { ...world.item, pending: pendingOf(3) };
    world.fail('scaling.carrySchedule', 'before', 'Cutover.AwsRefused');
    await expect(sweep(world.ports)).rejects.toThrow('scaling.carrySchedule failed');
    expect([...world.started.values()]).toMatchObject([{ machine: 'deploy' }]);
  });

  it('the next deployment does not take what is held for what is wanted', async () => {
    const world = scaledWorld();
    world.fail('scaling.carrySchedule', 'before', 'Cutover.AwsRefused');
    await deploy(world, await planned(world), 0);
    world.scaled.set('web-g0002', { ...world.scaled.get('web-g0002')!, bounds: between(4, 10) });
    await deploy(world, await world.plan(pushOf(3)), 0);
    expect(world.item.live?.name).toBe('web-g0003');
    settled(world);
  });
});

it('what is alone takes all the traffic though nothing can be held', async () => {
  const world = scaledWorld();
  const plan = await planned(world);
  world.onCall = (call, when) => {
    if ((world.rule[green] ?? 0) === 0 || world.item.deployment?.outcome !== null) return;
    world.fleets.get('web-g0001')!.health = 'unhealthy';
    if (when === 'before' && call.startsWith('scaling'))
      throw new CutoverError('Cutover.AwsUnavailable', 'down');
  };
  await deploy(world, plan, 2);
  expect(world.item.live?.name).toBe('web-g0002');
  await sweepLater(world);
  settled(world);
});

describe('bounds that a schedule, or a person, changes in the middle', () => {
  const others = between(6, 20);
  const changing = async (
    given: (world: World) => void,
    at: (world: World) => boolean,
    change: Partial<typeof others> = others,
  ): Promise<World> => {
    const world = scaledWorld();
    const plan = await planned(world);
    let isChanged = false;
    given(world);
    const happens = world.onCall;
    world.onCall = (call, when) => {
      happens(call, when);
      if (isChanged || !at(world)) return;
      isChanged = true;
      const known = world.scaled.get('web-g0001')!;
      world.scaled.set('web-g0001', { ...known, bounds: { ...known.bounds, ...change } });
    };
    await deploy(world, plan, 0);
    world.onCall = () => {};
    world.time += 600_000;
    await sweep(world.ports);
    return world;
  };

  it.each<[string, (world: World) => boolean]>([
    ['before the first weight', (world) => world.fleets.has('web-g0002')],
    ['between two weights', (world) => (world.rule[green] ?? 0) > 0],
    ['in the last bake', (world) => (world.rule[green] ?? 0) === 100],
  ])('%s are what the new generation has in the end', async (_, at) => {
    const world = await changing(ending['live']!, at);
    expect(world.item).toMatchObject({ live: { name: 'web-g0002' }, bounds: null, knownBounds: [] });
    expect(world.scaled.get('web-g0002')?.bounds).toEqual(others);
  });

  it.each(['live', 'red in the middle'])(
    'of which only one is set leave the other as it was: %s',
    async (end) => {
      const isShared = (each: World) => (each.rule[green] ?? 0) > 0;
      const world = await changing(ending[end]!, isShared, { maximum: 20 });
      expect(world.scaled.get(world.item.live!.name)?.bounds).toEqual(between(2, 20));
    },
  );

  it('stay when it is taken back', async () => {
    const world = await changing(ending['red in the middle']!, (each) => (each.rule[green] ?? 0) > 0);
    expect(world.item).toMatchObject({ live: { name: 'web-g0001' }, bounds: null });
    expect(world.scaled.get('web-g0001')?.bounds).toEqual(others);
  });
});

describe('a rollback to what is kept', () => {
  const rolledBack = async (refused?: Call, size = 4): Promise<World> => {
    const world = new World();
    world.item = replacedItem();
    world.time = start + 600_000;
    world.rule = world.item.weights!;
    world.live(generationOf(1), size);
    world.live(generationOf(2, green));
    world.scaled.set('web-g0001', { bounds: between(size, 10), like: 'web-g0001', schedule: null });
    world.scaled.set('web-g0002', { bounds: original, like: 'web-g0001', schedule: null });
    const run = { arn: execution('rollback'), redrives: 0 };
    const { plan } = await planRollback({ service: 'web', execution: run }, world.ports);
    world.written();
    if (refused !== undefined) world.fail(refused, 'before', 'Cutover.AwsRefused');
    await deploy(world, plan!, 0);
    return world;
  };

  it('gives it the bounds of what was live, once its requests are counted', async () => {
    const world = await rolledBack();
    expect(world.written().filter((each) => !each.startsWith('ledger'))).toEqual(['rule: blue 100']);
    await sweep(world.ports);
    expect(world.written()).toEqual([]);
    await sweepLater(world);
    expect(world.written().filter((each) => !each.startsWith('ledger'))).toEqual([
      'scaling: web-g0001 2 to 10 like web-g0002',
      'scaling: web-g0001 2 to 10, by the schedule of web-g0002',
    ]);
    settled(world);
  });

  it('grows what is small by now though nobody may hold it', async () => {
    const world = await rolledBack('scaling.bound', 1);
    expect(world.item).toMatchObject({ live: { name: 'web-g0001' }, deployment: { desired: 4 } });
  });

  it('does not fail because nobody can say how they scale', async () => {
    const world = await rolledBack('scaling.bounds');
    expect(world.rule).toMatchObject({ blue: 100 });
    expect(world.item).toMatchObject({ live: { name: 'web-g0001' }, bounds: null });
  });
});

it('a rollback that launches anew does so though nothing can be asked or held; the sweep has it scale', async () => {
  const world = new World();
  world.item = replacedItem({ retained: [] });
  world.time = start + 600_000;
  world.rule = world.item.weights!;
  world.live(generationOf(2, green));
  world.scaled.set('web-g0002', { bounds: original, like: 'web-g0002', schedule: null });
  world.scalingDeclared = between(1, 5);
  const run = { arn: execution('rollback'), redrives: 0 };
  const { plan } = await planRollback({ service: 'web', execution: run }, world.ports);
  world.onCall = (call, when) => {
    if (when === 'before' && call.startsWith('scaling'))
      throw new CutoverError('Cutover.AwsUnavailable', 'down');
  };
  await deploy(world, plan!, 0);
  expect(world.item.live?.digest).toBe(generationOf(1).digest);
  world.onCall = () => {};
  await sweepLater(world);
  settled(world);
});

describe('a generation that is kept', () => {
  const kept = async (settings: Parameters<typeof settingsOf>[0]): Promise<World> => {
    const world = scaledWorld();
    world.settings = settingsOf(settings);
    await deploy(world, await planned(world), 0);
    world.time = world.item.retained[0]!.until - 1;
    return world;
  };
  const retired = (world: World) =>
    trying(world, 2, () => retire({ service: web, execution: execution('retire') }, world.ports));

  it('is made small, and stays so', async () => {
    const world = await kept({ retentionFloor: 1 });
    await retired(world);
    // Its schedule least of all: that is not for what no request reaches.
    expect([...world.scaled.keys()]).toEqual(['web-g0002']);
    expect(world.fleets.get('web-g0001')?.desired).toBe(1);
  });

  it('scales no more when it is ended', async () => {
    const world = await kept({});
    world.time += 2;
    await retired(world);
    expect([...world.scaled.keys()]).toEqual(['web-g0002']);
    expect(world.fleets.has('web-g0001')).toBe(false);
  });
});
