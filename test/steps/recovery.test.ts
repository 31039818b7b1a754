/**
 * Executions that die: what the recover machine makes of what they left, wherever that was. At every call the weights must sum
 * to 100 and lead only to what runs, and nothing that is kept or has weight is ended.
 */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import { CutoverError } from '../../functions/core/errors.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { launch } from '../../functions/steps/launch.ts';
import { planRecovery } from '../../functions/steps/plan-recovery.ts';
import { planRollback } from '../../functions/steps/plan-rollback.ts';
import { promote } from '../../functions/steps/promote.ts';
import { restore } from '../../functions/steps/restore.ts';
import { retire } from '../../functions/steps/retire.ts';
import { shift } from '../../functions/steps/shift.ts';
import { sweep } from '../../functions/steps/sweep.ts';
import { terminate } from '../../functions/steps/terminate.ts';
import {
  blue,
  ended,
  execution,
  green,
  liveItem,
  pushOf,
  replacedItem,
  start,
  web,
  weightsOf,
} from '../core/examples.ts';
import { deploy, goBack, trying } from './machine.ts';
import { World } from './world.ts';

/** The execution is stopped: no Catch runs. */
class Died extends Error {}

interface Story {
  readonly begin: () => Promise<{ readonly world: World; readonly plan: Plan }>;
  readonly to: string;
  /** Rule and generations when it ended well, and when it was taken back. */
  readonly well: readonly [Record<string, number>, readonly string[]];
  readonly back: readonly [Record<string, number>, readonly string[]];
}

function worldOf(item: ServiceItem): World {
  const world = new World();
  world.item = item;
  world.time = start + 600_000;
  world.rule = item.weights!;
  for (const each of [item.live!, ...item.retained.map(({ generation }) => generation)]) world.live(each);
  return world;
}

async function rollbackIn(world: World) {
  const run = { arn: execution('rollback'), redrives: 0 };
  const { plan } = await planRollback({ service: 'web', execution: run }, world.ports);
  return { world, plan: plan! };
}

const stories: Readonly<Record<string, Story>> = {
  push: {
    begin: async () => {
      const world = worldOf(liveItem());
      return { world, plan: await world.plan(pushOf(2)) };
    },
    to: 'web-g0002',
    well: [{ green: 100 }, ['web-g0001', 'web-g0002']],
    back: [{ blue: 100 }, ['web-g0001']],
  },
  'rollback to what is kept': {
    begin: () => rollbackIn(worldOf(replacedItem())),
    to: 'web-g0001',
    well: [{ blue: 100 }, ['web-g0001', 'web-g0002']],
    back: [{ green: 100 }, ['web-g0001', 'web-g0002']],
  },
  'rollback to what is launched anew': {
    begin: () => rollbackIn(worldOf(replacedItem({ retained: [] }))),
    to: 'web-g0003',
    well: [{ blue: 100 }, ['web-g0002', 'web-g0003']],
    back: [{ green: 100 }, ['web-g0002']],
  },
};

/** Fails or dies at the calls named, counted from 1, and holds what must hold at each. */
function watched(world: World, at: { fail?: number; die?: number; calls?: number }): readonly string[] {
  const broken: string[] = [];
  const { retained, live } = world.item;
  const safe = new Set([live, ...retained.map(({ generation }) => generation)].map((each) => each?.name));
  at.calls = 0;
  world.onCall = (call, when) => {
    world.time += 20;
    at.calls = (at.calls ?? 0) + 1;
    const slots = [blue, green].filter((slot) => (world.rule[slot] ?? 0) > 0);
    const lit = slots.every((slot) =>
      [...world.fleets.values()].some((each) => each.generation.slot === slot),
    );
    if (!lit) broken.push(`call ${at.calls}: weight on what does not exist`);
    if (Object.values(world.rule).reduce((sum, weight) => sum + weight, 0) !== 100)
      broken.push(`call ${at.calls}: weights do not sum to 100`);
    if (![...safe].every((name) => world.fleets.has(name ?? '')))
      broken.push(`call ${at.calls}: something that served or was kept was ended`);
    if (at.calls === at.die) throw new Died(`${when} ${call}`);
    if (at.calls === at.fail) throw new CutoverError('Cutover.AwsUnavailable', `${call} ${when} failed`);
  };
  return broken;
}

/** The recover machine, started as the sweep starts it. */
async function recover(world: World, name = 'recover'): Promise<string> {
  const run = { arn: execution(name), redrives: 0 };
  const { admission, plan, reason, notBefore } = await trying(world, 8, () =>
    planRecovery({ service: web, execution: run }, world.ports),
  );
  if (admission !== 'recover' || plan === null) return admission;
  world.time = Math.max(world.time, Date.parse(notBefore ?? ''));
  await goBack(world, plan, { Error: 'Cutover.Died', Cause: reason });
  return admission;
}

function outcomeOf(world: World, { to, well, back }: Story): 'live' | 'restored' {
  const { owner, deployment, weights, live } = world.item;
  const outcome = deployment!.outcome as 'live' | 'restored';
  expect(owner).toBeNull();
  expect(['live', 'restored']).toContain(outcome);
  const [rule, fleets] = outcome === 'live' ? well : back;
  expect(world.rule).toEqual(weightsOf(rule));
  expect(weights).toEqual(world.rule);
  expect([...world.fleets.keys()].sort()).toEqual(fleets);
  expect(live?.name === to).toBe(outcome === 'live');
  return outcome;
}

async function failureOf(done: Promise<unknown>): Promise<Error | undefined> {
  return done.then(
    () => undefined,
    (failure: unknown) => failure as Error,
  );
}

const dying = async (world: World, plan: Plan) => {
  const died = await deploy(world, plan, 8).then(
    () => false,
    (thrown: unknown) => {
      if (!(thrown instanceof Died)) throw thrown;
      return true;
    },
  );
  world.onCall = () => {};
  if (world.item.owner !== null) world.executions.set(world.item.owner.execution, 'ABORTED');
  return died;
};

describe.each(Object.entries(stories))('a %s', (_, story) => {
  it('ends well through any single fault, when steps are tried again', async () => {
    const at: { fail?: number; calls?: number } = {};
    for (let fail = 1; fail <= (at.calls ?? 1); fail++) {
      const { world, plan } = await story.begin();
      at.fail = fail;
      const broken = watched(world, at);
      await deploy(world, plan, 1);
      world.onCall = () => {};
      expect([fail, broken, outcomeOf(world, story)]).toEqual([fail, [], 'live']);
    }
    expect(at.calls).toBeGreaterThan(20);
  });

  it('ends well or as it was before through any single fault, when no step is tried again', async () => {
    const outcomes = new Set<string>();
    const at: { fail?: number; calls?: number } = {};
    for (let fail = 1; fail <= (at.calls ?? 1) + 1; fail++) {
      const { world, plan } = await story.begin();
      at.fail = fail;
      const broken = watched(world, at);
      const refused = await failureOf(deploy(world, plan, 0));
      world.onCall = () => {};
      // Unless the commit was written and its answer lost: then there is nothing to take back any more.
      const committed = `${plan.deployment} has ended (live); nothing more may be changed`;
      expect([undefined, committed]).toContain(refused?.message);
      expect(broken).toEqual([]);
      outcomes.add(outcomeOf(world, story));
    }
    expect([...outcomes].sort()).toEqual(['live', 'restored']);
  });

  it('that dies at any call is taken back, or had ended; redriven it writes nothing more', async () => {
    const outcomes = { live: 0, restored: 0 };
    for (let die = 1, died = true; died; die++) {
      const { world, plan } = await story.begin();
      const broken = watched(world, { die });
      died = await dying(world, plan);
      expect(broken).toEqual([]);
      expect((await sweep(world.ports)).started.some((name) => name.startsWith('recover'))).toBe(
        world.item.owner !== null,
      );
      await recover(world);
      outcomes[outcomeOf(world, story)] += 1;

      world.written();
      const redriven = [
        () => launch({ plan }, world.ports),
        () => shift({ direction: 'forward', plan, step: plan.steps[0]!, index: 0 }, world.ports),
        () => restore({ direction: 'back', plan, failure: { Error: 'Cutover.AlarmRed' } }, world.ports),
        () => promote({ plan }, world.ports),
        () => terminate({ plan }, world.ports),
      ];
      for (const step of redriven)
        expect([undefined, 'Cutover.FencedOut', 'Cutover.Committed']).toContain(
          (await failureOf(step()))?.name,
        );
      expect(world.written()).toEqual([]);
    }
    expect(outcomes.restored).toBeGreaterThan(20);
    expect(outcomes.live).toBeGreaterThan(0);
  });

  it('is taken back through any single fault of the recovery, and any death of it', async () => {
    for (const die of [3, 9, 20, 27, 33]) {
      for (let second = 1; second <= 40; second++) {
        for (const way of ['fail', 'die'] as const) {
          const { world, plan } = await story.begin();
          watched(world, { die });
          await dying(world, plan);
          const broken = watched(world, { [way]: second });
          await recover(world).catch((thrown: unknown) => {
            if (!(thrown instanceof Died)) throw thrown;
          });
          world.onCall = () => {};
          if (world.item.owner !== null) world.executions.set(world.item.owner.execution, 'TIMED_OUT');
          await recover(world, 'recover-2');
          expect([die, way, second, broken]).toEqual([die, way, second, []]);
          outcomeOf(world, story);
        }
      }
    }
  });
});

describe('what an execution left when it died', () => {
  type Row = readonly [string, (world: World, plan: Plan) => Promise<unknown>, string[], 'restored' | 'live'];
  const step = (plan: Plan, index: number) => ({
    direction: 'forward' as const,
    plan,
    step: plan.steps[index]!,
    index,
  });
  const upTo = (steps: number) => async (world: World, plan: Plan) => {
    await launch({ plan }, world.ports);
    for (let index = 0; index < steps; index++) await shift(step(plan, index), world.ports);
  };
  const failure = { Error: 'Cutover.AlarmRed', Cause: 'red' };
  const back = async (world: World, plan: Plan) => {
    await upTo(1)(world, plan);
    const { quietSeconds } = await restore({ direction: 'back', plan, failure }, world.ports);
    world.time += quietSeconds * 1_000;
  };

  it.each<Row>([
    ['when it had the service', async () => {}, [], 'restored'],
    [
      'when it had launched without noting it',
      async (world, plan) => {
        world.fail('fleet.launch', 'after');
        await launch({ plan }, world.ports).catch(() => {});
      },
      ['fleet: web-g0002 ended'],
      'restored',
    ],
    ['when it was healthy, before the first weight', upTo(0), ['fleet: web-g0002 ended'], 'restored'],
    ['when part of the traffic was over', upTo(1), ['rule: blue 100', 'fleet: web-g0002 ended'], 'restored'],
    [
      'when it had shifted without noting it',
      async (world, plan) => {
        await upTo(0)(world, plan);
        world.fail('traffic.shift', 'after');
        await shift(step(plan, 0), world.ports).catch(() => {});
      },
      ['rule: blue 100', 'fleet: web-g0002 ended'],
      'restored',
    ],
    [
      'when all the traffic was over, baking',
      upTo(2),
      ['rule: blue 100', 'fleet: web-g0002 ended'],
      'restored',
    ],
    [
      'when it had committed',
      async (world, plan) => {
        await upTo(2)(world, plan);
        await promote({ plan }, world.ports);
      },
      [],
      'live',
    ],
    ['when it was going back', back, ['fleet: web-g0002 ended'], 'restored'],
    [
      'when it had ended the new generation without noting it',
      async (world, plan) => {
        await back(world, plan);
        world.fail('fleet.terminate', 'after');
        await terminate({ plan }, world.ports).catch(() => {});
      },
      [],
      'restored',
    ],
    [
      'when it had gone back',
      async (world, plan) => {
        await back(world, plan);
        await terminate({ plan }, world.ports);
      },
      [],
      'restored',
    ],
  ])('%s', async (_, live, effects, outcome) => {
    const { world, plan } = await stories['push']!.begin();
    await live(world, plan);
    const owner = world.item.owner?.execution;
    if (owner !== undefined) world.executions.set(owner, 'ABORTED');
    world.written();
    expect(await recover(world)).toBe(owner === undefined ? 'nothing' : 'recover');
    expect(world.written().filter((write) => !write.startsWith('ledger'))).toEqual(effects);
    expect(outcomeOf(world, stories['push']!)).toBe(outcome);
  });

  it('is written to only when the last function of the dead owner can be writing no more', async () => {
    const { world, plan } = await stories['push']!.begin();
    await launch({ plan }, world.ports);
    world.executions.set(world.item.owner!.execution, 'ABORTED');
    const until = world.item.mutatingUntil;
    const run = { arn: execution('recover'), redrives: 0 };
    const { notBefore } = await planRecovery({ service: web, execution: run }, world.ports);
    expect(Date.parse(notBefore!)).toBe(until);
    expect(until - world.time).toBe(90_000);
  });

  it('is left alone while its owner lives', async () => {
    const { world } = await stories['push']!.begin();
    world.written();
    expect(await recover(world)).toBe('nothing');
    expect(world.written()).toEqual([]);
  });

  it('stays held, with both generations up, while the weights are a stranger’s, and is taken back when they are not', async () => {
    const { world, plan } = await stories['push']!.begin();
    await upTo(1)(world, plan);
    world.executions.set(world.item.owner!.execution, 'ABORTED');
    const ours = world.rule;
    world.rule = weightsOf({ blue: 50, red: 50 });
    await expect(recover(world)).rejects.toThrow('somebody else changed them');
    world.executions.set(execution('recover'), 'FAILED');
    expect(world.item.owner).not.toBeNull();
    expect([...world.fleets.keys()]).toEqual(['web-g0001', 'web-g0002']);
    world.rule = ours;
    expect(await recover(world, 'recover-2')).toBe('recover');
    expect(outcomeOf(world, stories['push']!)).toBe('restored');
  });
});

describe('a retirement that died', () => {
  it('is set free when it can be writing no more, and what it left is retired', async () => {
    const world = worldOf(ended().item);
    world.time = world.item.retained[0]!.until;
    world.onCall = (call, when) => {
      if (call === 'fleet.terminate' && when === 'before') throw new Died();
      if (call === 'ledger.write' && world.item.owner !== null) throw new Died();
    };
    const visit = (name: string) => retire({ service: web, execution: execution(name) }, world.ports);
    await expect(visit('retire')).rejects.toThrow(Died);
    world.onCall = () => {};
    world.executions.set(execution('retire'), 'ABORTED');
    const held = world.item;
    expect(await recover(world)).toBe('nothing');
    expect(world.item).toBe(held);
    world.time = held.mutatingUntil;
    expect(await recover(world, 'recover-2')).toBe('nothing');
    expect(world.item.owner).toBeNull();
    expect(await visit('retire-2')).toMatchObject({ retired: ['web-g0001'] });
  });
});
