/**
 * Whole deployments, driven as the deploy machine drives them, while calls fail before and after their effects and the new
 * generation turns out as it may. At every call: no weight on what does not run, an intent before each effect, no second
 * turn; at the end exactly one of live and restored.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CutoverError } from '../../functions/core/errors.ts';
import { latch } from '../../functions/core/signals/latch.ts';
import type { Signal } from '../../functions/core/signals/signal.ts';
import { judgedFrom } from '../../functions/core/traffic/quiet.ts';
import { sameWeights } from '../../functions/core/traffic/weights.ts';
import { blue, generationOf, green, liveItem, pushOf, start, web, weightsOf } from '../core/examples.ts';
import { deploy } from './machine.ts';
import { type Call, World } from './world.ts';

type Event = 'red' | 'dead' | 'abort' | 'crash';

interface Schedule {
  /** Calls that fail, by their number; even numbers before the effect, odd ones after it. */
  readonly faults: readonly number[];
  /** What happens at which call. */
  readonly events: readonly { readonly at: number; readonly what: Event }[];
  /** How often the machine tries a step again on the way forward. */
  readonly retries: number;
}

function happen(world: World, what: Event): void {
  const said: Record<Exclude<Event, 'dead'>, Signal> = {
    red: { kind: 'alarm', alarm: 'web-errors', reason: '5 > 1', at: world.time },
    abort: { kind: 'abort', service: web, by: 'ann', reason: 'no' },
    crash: { kind: 'fleetFailed', service: web, generation: generationOf(2).name, reason: 'circuit breaker' },
  };
  if (what === 'red') world.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '5 > 1' }];
  if (what === 'dead') {
    const fleet = world.fleets.get('web-g0002');
    if (fleet !== undefined) fleet.health = 'unhealthy';
    return;
  }
  const { item } = latch(world.item, said[what], world.time);
  if (item !== world.item) world.item = { ...item, version: item.version + 1 };
}

/** Fails the calls that the schedule names, and holds what must hold at each of them. */
function held(world: World, { faults, events }: Schedule): readonly string[] {
  let calls = 0;
  let weightedAt: number | undefined;
  let highest = 0;
  let turned = false;
  const intended: Partial<Record<Call, readonly string[]>> = {
    'fleet.launch': ['launch'],
    'fleet.terminate': ['terminate'],
    'fleet.resize': ['resize'],
    'traffic.shift': ['shift', 'restore'],
  };
  // A step would take a thrown assertion for a failure and go back: what was broken is kept, and told at the end.
  const broken: string[] = [];
  const hold = (holds: boolean, what: string): void => {
    if (!holds) broken.push(`call ${calls}: ${what}`);
  };
  world.onCall = (call, when) => {
    world.time += 20;
    for (const { what } of events.filter(({ at }) => at === calls)) happen(world, what);
    const share = world.rule[green] ?? 0;
    if (share > 0) {
      weightedAt = world.time;
      hold(world.fleets.has('web-g0002'), 'weight on what does not exist');
    }
    hold((world.rule[blue] ?? 0) + share === 100, 'weights do not sum to 100');
    if (share < highest) turned = true;
    if (turned) hold(share === 0, 'weight again after it was taken back');
    highest = Math.max(highest, share);

    if (when === 'before') {
      const wanted = intended[call];
      if (wanted !== undefined)
        hold(wanted.includes(world.item.intent?.kind ?? ''), `${call} without an intent`);
      if (call === 'fleet.terminate') {
        hold(share === 0, 'ended while it has weight');
        hold(
          weightedAt === undefined || world.time >= judgedFrom(weightedAt),
          'ended before its weight settled',
        );
      }
    }
    calls += 1;
    if (faults.includes(calls))
      throw new CutoverError('Cutover.AwsUnavailable', `${call} ${when} call ${calls}`);
  };
  return broken;
}

async function run(schedule: Schedule): Promise<World> {
  const world = new World();
  world.item = liveItem();
  world.live(generationOf(1));
  world.time = start + 200_000;
  const plan = await world.plan(pushOf(2));
  const broken = held(world, schedule);
  await deploy(world, plan, schedule.retries);
  world.onCall = () => {};
  expect(broken).toEqual([]);
  return world;
}

function outcomeOf(world: World): string {
  const { outcome } = world.item.deployment!;
  expect(world.item).toMatchObject({ owner: null, intent: null, wait: null });
  expect(world.fleets.has('web-g0001')).toBe(true);
  expect(world.fleets.has('web-g0002')).toBe(outcome === 'live');
  expect(sameWeights(world.rule, weightsOf(outcome === 'live' ? { green: 100 } : { blue: 100 }))).toBe(true);
  expect(sameWeights(world.item.weights!, world.rule)).toBe(true);
  expect(world.item.live?.name).toBe(outcome === 'live' ? 'web-g0002' : 'web-g0001');
  return outcome!;
}

const anySchedule: fc.Arbitrary<Schedule> = fc.record({
  faults: fc.uniqueArray(fc.integer({ min: 1, max: 160 }), { maxLength: 25 }),
  events: fc.array(
    fc.record({ at: fc.nat({ max: 160 }), what: fc.constantFrom<Event>('red', 'dead', 'abort', 'crash') }),
    { maxLength: 2 },
  ),
  retries: fc.constantFrom(0, 1, 8),
});

describe('a deployment', () => {
  it('goes live when nothing is in its way', async () => {
    expect(outcomeOf(await run({ faults: [], events: [], retries: 0 }))).toBe('live');
  });

  it('goes live through any single fault, when steps are tried again', async () => {
    for (let fault = 1; fault <= 160; fault++) {
      expect([fault, outcomeOf(await run({ faults: [fault], events: [], retries: 1 }))]).toEqual([
        fault,
        'live',
      ]);
    }
  });

  it('ends live or restored through any two faults close together, when no step forward is tried again', async () => {
    for (let first = 1; first <= 80; first++) {
      for (let second = first + 1; second <= first + 8; second++) {
        const outcome = outcomeOf(await run({ faults: [first, second], events: [], retries: 0 }));
        expect(['live', 'restored']).toContain(outcome);
      }
    }
  });

  it.each<Event>(['red', 'dead', 'abort', 'crash'])(
    'goes back when it is %s, whenever that is',
    async (what) => {
      const outcomes = new Set<string>();
      for (let at = 0; at <= 160; at += 3)
        outcomes.add(outcomeOf(await run({ faults: [], events: [{ at, what }], retries: 8 })));
      expect(outcomes).toContain('restored');
    },
  );

  it('ends live or restored, whatever fails and whatever happens', async () => {
    const outcomes = { live: 0, restored: 0 };
    await fc.assert(
      fc.asyncProperty(anySchedule, async (schedule) => {
        outcomes[outcomeOf(await run(schedule)) as keyof typeof outcomes] += 1;
      }),
      { numRuns: 400 },
    );
    expect(outcomes.live).toBeGreaterThan(0);
    expect(outcomes.restored).toBeGreaterThan(0);
  });
});
