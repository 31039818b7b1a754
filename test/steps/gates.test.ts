/**
 * No generation is promoted past a gate that is red, missing or unreadable, wherever in its course that begins: each gate and each
 * such state from each call on, as long as one look is still to come.
 */
import { describe, expect, it } from 'vitest';
import { CutoverError, type ErrorName } from '../../functions/core/errors.ts';
import { generationOf, green, liveItem, pushOf, settingsOf, start } from '../core/examples.ts';
import { deploy } from './machine.ts';
import { type Call, World } from './world.ts';

const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:look';
const settings = settingsOf({
  alarms: ['web-errors'],
  alarmPolicy: { noData: 'fail' },
  metrics: [
    {
      name: 'depth',
      metrics: [{ id: 'depth', namespace: 'Shop', metricName: 'Depth', stat: 'Average' }],
      limit: { kind: 'atMost', value: 10 },
    },
  ],
  hooks: [{ name: 'look', stage: 'step', function: arn, deadlineSeconds: 60 }],
  extendSeconds: 120,
});

interface Fault {
  /** From now on. */
  readonly begin: (world: World) => void;
  /** What looks at it. */
  readonly looksBy: Call;
  /** Thrown at each such call. */
  readonly throws?: ErrorName;
}

const depth = 'depth web-g0002';
const unreadable = (looksBy: Call, throws: ErrorName): Fault => ({ begin: () => {}, looksBy, throws });
const alarm = (state: 'ALARM' | 'INSUFFICIENT_DATA'): Fault => ({
  begin: (world) => (world.alarmStates = [{ name: 'web-errors', state, reason: '' }]),
  looksBy: 'alarms.states',
});
const faults: Readonly<Record<string, Fault>> = {
  'the alarm is red': alarm('ALARM'),
  'the alarm has no data': alarm('INSUFFICIENT_DATA'),
  'the alarm is deleted': { begin: (world) => (world.alarmStates = []), looksBy: 'alarms.states' },
  'alarms may not be read': unreadable('alarms.states', 'Cutover.AwsRefused'),
  'alarms cannot be read': unreadable('alarms.states', 'Cutover.AwsUnavailable'),
  'the metric is above its limit': {
    begin: (world) => world.metrics.set(depth, [11]),
    looksBy: 'metrics.values',
  },
  'the metric has no value': { begin: (world) => world.metrics.delete(depth), looksBy: 'metrics.values' },
  'metrics may not be read': unreadable('metrics.values', 'Cutover.AwsRefused'),
  'the generation is unhealthy': {
    begin: (world) => {
      const found = world.fleets.get('web-g0002');
      if (found !== undefined) found.health = 'unhealthy';
    },
    looksBy: 'traffic.targets',
  },
  'targets may not be read': unreadable('traffic.targets', 'Cutover.AwsRefused'),
};

/** Runs a deployment whose gates are all green until `from`, in calls, and says how it ended and when each was looked at last. */
async function run(from: number, { begin, looksBy, throws }: Fault) {
  const world = new World();
  world.settings = settings;
  world.item = liveItem();
  world.live(generationOf(1));
  world.time = start + 200_000;
  world.metrics.set(depth, [1]);
  const plan = await world.plan(pushOf(2));
  let calls = 0;
  let lastLook = 0;
  let stands = true;
  world.onCall = (call, when) => {
    for (const run of world.item.hooks.filter(({ answer }) => answer === null)) {
      const answer = { verdict: 'pass' as const, reason: 'as told', at: world.time };
      const hooks = world.item.hooks.map((each) => (each.key === run.key ? { ...each, answer } : each));
      world.item = { ...world.item, version: world.item.version + 1, hooks };
    }
    calls += 1;
    if (calls >= from) begin(world);
    // Going back nothing stands in the way any more; the first look after the last weight is what counts.
    stands &&= world.item.deployment?.turned === null;
    if (call !== looksBy || when !== 'before' || world.item.deployment?.outcome !== null || !stands) return;
    if ((world.rule[green] ?? 0) > 0) lastLook = calls;
    if (calls >= from && throws !== undefined) throw new CutoverError(throws, `${call} failed`);
  };
  await deploy(world, plan, 3);
  return { outcome: world.item.deployment?.outcome, lastLook, calls };
}

describe.each(Object.entries(faults))('when %s', (_, fault) => {
  it('from any call on before the last look, the generation does not stay', async () => {
    const { outcome, lastLook } = await run(Infinity, fault);
    expect(outcome).toBe('live');
    expect(lastLook).toBeGreaterThan(20);
    const promoted: number[] = [];
    for (let from = 1; from <= lastLook; from++) {
      if ((await run(from, fault)).outcome === 'live') promoted.push(from);
    }
    expect(promoted).toEqual([]);
  });
});

it('a hook that refuses, at any step, or never answers, is not passed', async () => {
  for (const verdict of ['fail', null] as const) {
    const world = new World();
    world.settings = settings;
    world.item = liveItem();
    world.live(generationOf(1));
    world.time = start + 200_000;
    world.metrics.set(depth, [1]);
    world.onCall = () => {
      const open = world.item.hooks.find(({ answer }) => answer === null);
      if (open === undefined || verdict === null) return;
      const answer = { verdict, reason: 'as told', at: world.time };
      const hooks = world.item.hooks.map((each) => (each === open ? { ...each, answer } : each));
      world.item = { ...world.item, version: world.item.version + 1, hooks };
    };
    await deploy(world, await world.plan(pushOf(2)), 3);
    expect(world.item.deployment?.outcome).toBe('restored');
  }
});
