/** The way back: restore and terminate; and retiring what is no longer live. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import type { CutoverError, ErrorName } from '../../functions/core/errors.ts';
import { launch } from '../../functions/steps/launch.ts';
import { promote } from '../../functions/steps/promote.ts';
import { restore } from '../../functions/steps/restore.ts';
import { retire } from '../../functions/steps/retire.ts';
import { shift } from '../../functions/steps/shift.ts';
import { terminate } from '../../functions/steps/terminate.ts';
import {
  blue,
  execution,
  generationOf,
  green,
  liveItem,
  pushOf,
  settingsOf,
  start,
  web,
  weightsOf,
} from '../core/examples.ts';
import { World } from './world.ts';

let world: World;
let plan: Plan;
beforeEach(async () => {
  world = new World();
  world.item = liveItem();
  world.live(generationOf(1));
  world.time = start + 200_000;
  plan = await world.plan(pushOf(2));
  await launch({ plan }, world.ports);
  world.written();
});

const named = (name: ErrorName) => expect.objectContaining({ name }) as CutoverError;
const forward = (index: number) => ({ direction: 'forward' as const, plan, step: plan.steps[index]!, index });
const failure = { Error: 'Cutover.AlarmRed', Cause: 'the alarm web-errors is red' };
const back = () => restore({ direction: 'back', plan, failure }, world.ports);
const rules = () => world.trace.filter((write) => write.startsWith('rule'));

describe('restore', () => {
  it('notes why, writes the rule once, notes that it is done', async () => {
    await shift(forward(0), world.ports);
    world.written();
    expect(await back()).toEqual({ reason: 'the alarm web-errors is red', quietSeconds: 220 });
    expect(world.written()).toEqual(['ledger: intends restore', 'rule: blue 100', 'ledger: done']);
    expect(world.item).toMatchObject({
      weights: { blue: 100, green: 0 },
      deployment: {
        phase: 'restoring',
        reason: 'the alarm web-errors is red',
        withdrawnAt: world.time,
        quietAt: world.time + 220_000,
      },
    });
  });

  it('writes no rule and waits for nothing when no weight was given', async () => {
    expect(await back()).toMatchObject({ quietSeconds: 0 });
    expect(rules()).toEqual([]);
  });

  it('puts no traffic on a generation without a healthy target while the new one has some, and ends neither', async () => {
    await shift(forward(0), world.ports);
    const before = world.rule;
    world.fleets.delete('web-g0001');
    await expect(back()).rejects.toThrow(named('Cutover.Guarded'));
    expect(world.rule).toEqual(before);
    await expect(terminate({ plan }, world.ports)).rejects.toThrow(named('Cutover.Guarded'));
    expect([...world.fleets.keys()]).toEqual(['web-g0002']);
    world.live(generationOf(1));
    await back();
    expect(world.item).toMatchObject({ weights: { blue: 100 } });
  });

  it('goes on when the health of the targets cannot be read', async () => {
    await shift(forward(0), world.ports);
    world.fail('traffic.targets');
    await back();
    expect(world.item).toMatchObject({ weights: { blue: 100 } });
  });

  it('asks nothing of alarms, hooks or the registry, and of the fleet only what is wanted of the old generation', async () => {
    await shift(forward(0), world.ports);
    const asked: string[] = [];
    world.onCall = (call, when) => when === 'before' && asked.push(call);
    await back();
    expect(new Set(asked)).toEqual(
      new Set([
        'ledger.read',
        'ledger.write',
        'fleet.wanted',
        'traffic.weights',
        'traffic.targets',
        'traffic.shift',
      ]),
    );
  });

  it('puts nothing on a generation that somebody scaled to nothing, while its last targets are still healthy', async () => {
    await shift(forward(0), world.ports);
    Object.assign(world.fleets.get('web-g0001')!, { desired: 0 });
    await expect(back()).rejects.toThrow(named('Cutover.Guarded'));
    await expect(back()).rejects.toThrow('web-g0001 is scaled to 0 tasks, or gone');
    expect(rules().at(-1)).toBe('rule: blue 90, green 10');
    Object.assign(world.fleets.get('web-g0001')!, { desired: 2 });
    await back();
    expect(rules().at(-1)).toBe('rule: blue 100');
  });

  it('writes nothing to the rule when it runs again', async () => {
    await shift(forward(0), world.ports);
    await back();
    world.written();
    await back();
    expect(rules()).toEqual([]);
  });

  it('goes on from weights that a step wrote without living to note them', async () => {
    world.fail('traffic.shift', 'after');
    await expect(shift(forward(0), world.ports)).rejects.toThrow('failed');
    expect(await back()).toMatchObject({ quietSeconds: 220 });
    expect(world.rule).toEqual(weightsOf({ blue: 100 }));
  });

  it('is tried again when AWS stays away, also after weights that were never noted', async () => {
    world.fail('traffic.shift', 'after');
    await expect(shift(forward(0), world.ports)).rejects.toThrow(named('Cutover.AwsUnavailable'));
    world.fail('traffic.shift', 'before');
    await expect(back()).rejects.toThrow(named('Cutover.AwsUnavailable'));
    expect(await back()).toMatchObject({ quietSeconds: 220 });
    expect(world.rule).toEqual(weightsOf({ blue: 100 }));
  });

  it('lets what took traffic settle, also when the first try did not live to note it', async () => {
    world.fail('traffic.shift', 'after');
    await expect(shift(forward(0), world.ports)).rejects.toThrow('failed');
    world.fail('traffic.shift', 'after');
    await expect(back()).rejects.toThrow('failed');
    expect(world.rule).toEqual(weightsOf({ blue: 100 }));
    expect(await back()).toMatchObject({ quietSeconds: 220 });
  });

  it('leaves weights of a stranger alone, and prints the way back', async () => {
    await shift(forward(0), world.ports);
    world.rule = weightsOf({ blue: 50, red: 50 });
    await expect(back()).rejects.toThrow(named('Cutover.ForeignWeights'));
    await expect(back()).rejects.toThrow(
      /Cutover wrote blue 90, green 10, the rule has blue 50, red 50\. .* To restore: aws elbv2 modify-rule/,
    );
    expect(world.rule).toEqual(weightsOf({ blue: 50, red: 50 }));
  });

  it('is content when a person put the weights back by hand', async () => {
    await shift(forward(0), world.ports);
    world.rule = weightsOf({ blue: 100 });
    expect(await back()).toMatchObject({ quietSeconds: 220 });
  });

  it('changes nothing once the fence was passed on', async () => {
    await shift(forward(0), world.ports);
    world.item = { ...world.item, fence: 9 };
    await expect(back()).rejects.toThrow(named('Cutover.FencedOut'));
    expect(world.rule).toEqual(weightsOf({ blue: 90, green: 10 }));
  });

  it('is not turned round by a shift that was slow to arrive', async () => {
    await shift(forward(0), world.ports);
    await back();
    await expect(shift(forward(0), world.ports)).rejects.toThrow(named('Cutover.FencedOut'));
    await expect(promote({ plan }, world.ports)).rejects.toThrow(named('Cutover.FencedOut'));
    expect(world.rule).toEqual(weightsOf({ blue: 100 }));
  });
});

describe('terminate', () => {
  beforeEach(async () => {
    await shift(forward(0), world.ports);
  });

  it('ends the new generation when its weight is back and settled', async () => {
    await back();
    world.written();
    world.time += 220_000;
    expect(await terminate({ plan }, world.ports)).toMatchObject({ terminated: 'web-g0002' });
    expect(world.written()).toEqual([
      'ledger: remembers',
      'ledger: intends terminate',
      'fleet: web-g0002 ended',
      'ledger: restored',
    ]);
    expect([...world.forgotten]).toEqual(['web-g0002']);
    expect(world.item).toMatchObject({ owner: null, live: { name: 'web-g0001' } });
    expect(await terminate({ plan }, world.ports)).toMatchObject({ terminated: 'web-g0002' });
    expect(world.written()).toEqual([]);
  });

  it.each<[string, (to: World) => unknown, ErrorName]>([
    [
      'before the weights were put back',
      (to) => (to.item = { ...to.item, deployment: { ...to.item.deployment!, quietAt: null } }),
      'Cutover.Guarded',
    ],
    ['before they have settled', (to) => (to.time -= 1), 'Cutover.Guarded'],
    ['while it has weight', (to) => (to.rule = weightsOf({ blue: 99, green: 1 })), 'Cutover.Guarded'],
    [
      'while somebody sends the traffic elsewhere',
      (to) => (to.rule = weightsOf({ red: 100 })),
      'Cutover.Guarded',
    ],
    ['while its weight cannot be read', (to) => to.fail('traffic.weights'), 'Cutover.AwsUnavailable'],
    ['once the fence was passed on', (to) => (to.item = { ...to.item, fence: 9 }), 'Cutover.FencedOut'],
  ])('ends nothing %s', async (_, given, name) => {
    await back();
    world.time += 220_000;
    given(world);
    await expect(terminate({ plan }, world.ports)).rejects.toThrow(named(name));
    expect(world.fleets.has('web-g0002')).toBe(true);
  });

  it('ends nothing that requests still reach, and ends it once they have stopped', async () => {
    await back();
    world.time += 220_000;
    world.requests = { elsewhere: 50, [green]: 3 };
    await expect(terminate({ plan }, world.ports)).rejects.toThrow(named('Cutover.NotYet'));
    await expect(terminate({ plan }, world.ports)).rejects.toThrow('its slot green had 3 requests');
    expect(world.fleets.has('web-g0002')).toBe(true);
    expect(world.item).toMatchObject({ intent: null, deployment: { stillReached: null } });
    world.requests = { elsewhere: 50 };
    expect(await terminate({ plan }, world.ports)).toMatchObject({ terminated: 'web-g0002' });
  });

  it('tells people, once, of requests that go on for half an hour', async () => {
    await back();
    world.time += 1_800_001;
    world.requests = { [green]: 3 };
    await expect(terminate({ plan }, world.ports)).rejects.toThrow(named('Cutover.NotYet'));
    expect(world.item.deployment?.stillReached).toContain('requests have reached it in green since');
    const { version } = world.item;
    world.requests = { [green]: 4 };
    world.time += 60_000;
    await expect(terminate({ plan }, world.ports)).rejects.toThrow(named('Cutover.NotYet'));
    expect(world.item.version).toBe(version);
  });

  it.each<[string, (to: World) => unknown]>([
    ['nobody sends any request', (to) => (to.requests = {})],
    ['requests cannot be read', (to) => to.fail('requests.perMinute')],
  ])('goes by the time alone when %s', async (_, given) => {
    await back();
    world.time += 220_000;
    given(world);
    expect(await terminate({ plan }, world.ports)).toMatchObject({ terminated: 'web-g0002' });
  });

  it('ends the deployment also when it cannot give up what the generation was made from', async () => {
    await back();
    world.time += 220_000;
    world.fail('fleet.forget', 'before', 'Cutover.AwsRefused');
    await terminate({ plan }, world.ports);
    expect(world.item).toMatchObject({ owner: null, deployment: { outcome: 'restored' } });
    expect(world.fleets.has('web-g0002')).toBe(false);
  });

  it('goes on where it was when its answer was lost', async () => {
    await back();
    world.time += 220_000;
    world.fail('fleet.terminate', 'after');
    await expect(terminate({ plan }, world.ports)).rejects.toThrow('failed');
    expect(world.item).toMatchObject({ intent: { kind: 'terminate' }, deployment: { outcome: null } });
    await terminate({ plan }, world.ports);
    expect(world.item.deployment?.outcome).toBe('restored');
  });
});

it('a generation that never had weight is ended at once, whoever tests it by header', async () => {
  world.requests = { [green]: 3 };
  expect(await back()).toMatchObject({ quietSeconds: 0 });
  expect(await terminate({ plan }, world.ports)).toMatchObject({ terminated: 'web-g0002' });
});

describe('a first deployment that fails', () => {
  it('ends with nothing, for there is nothing to go back to', async () => {
    world.item = liveItem({ live: null, lastPush: null, admitted: [], lastGeneration: 0, weights: null });
    world.fleets.clear();
    plan = await world.plan(pushOf(1));
    await launch({ plan }, world.ports);
    const { quietSeconds } = await back();
    world.time += quietSeconds * 1_000;
    await terminate({ plan }, world.ports);
    expect(world.item).toMatchObject({ owner: null, live: null, deployment: { outcome: 'removed' } });
    expect(world.rule).toEqual(weightsOf({ blue: 100 }));
  });
});

describe('what a service wants small', () => {
  const visit = () => retire({ service: web, execution: execution('retire') }, world.ports);
  const settled = start + 420_000;
  const size = () => world.fleets.get('web-g0001')?.desired;

  beforeEach(async () => {
    world.settings = settingsOf({ retentionFloor: 1 });
    world.item = liveItem();
    world.live(generationOf(1));
    world.fleets.delete('web-g0002');
    plan = await world.plan(pushOf(2));
    await launch({ plan }, world.ports);
    await shift(forward(0), world.ports);
    await shift(forward(1), world.ports);
    await promote({ plan }, world.ports);
    world.written();
  });
  const end = start + 200_000 + 3_600_000;
  const iso = (time: number) => new Date(time).toISOString();

  it('is made small when no request reaches it any more, and ended when its retention is over', async () => {
    expect(await visit()).toEqual({ retired: [], next: iso(settled) });
    expect(size()).toBe(4);
    world.time = settled;
    expect(await visit()).toEqual({ retired: [], next: iso(end) });
    expect(world.written()).toEqual([
      'ledger: intends retire',
      'fleet: web-g0001 resized to 1',
      'ledger: released',
    ]);
    expect(await visit()).toEqual({ retired: [], next: iso(end) });
    expect(world.written()).toEqual([]);
    world.time = end;
    expect(await visit()).toEqual({ retired: ['web-g0001'], next: null });
  });

  it.each<[string, (to: World) => unknown, number]>([
    ['requests reach it', (to) => (to.requests = { [blue]: 3 }), 4],
    ['it is smaller already', (to) => (to.fleets.get('web-g0001')!.desired = 0), 0],
    ['it is as small already', (to) => (to.fleets.get('web-g0001')!.desired = 1), 1],
  ])('is left as it is while %s', async (_, given, desired) => {
    world.time = settled;
    given(world);
    await visit();
    expect(size()).toBe(desired);
    expect(world.trace.filter((write) => write.startsWith('fleet'))).toEqual([]);
    expect(world.item.owner).toBeNull();
  });

  it('is not made small while it has weight', async () => {
    world.time = settled;
    world.rule = weightsOf({ blue: 1, green: 99 });
    await expect(visit()).rejects.toThrow(named('Cutover.Guarded'));
    expect(size()).toBe(4);
    expect(world.item.owner).toBeNull();
  });

  it('is made small once, however often AWS refuses half-way', async () => {
    world.time = settled;
    world.fail('fleet.resize', 'after');
    await expect(visit()).rejects.toThrow('failed');
    expect(world.item.owner).toBeNull();
    expect(await visit()).toEqual({ retired: [], next: iso(end) });
    expect(world.written().filter((write) => write.startsWith('fleet'))).toEqual([
      'fleet: web-g0001 resized to 1',
    ]);
  });
});

describe('retire', () => {
  const visit = () => retire({ service: web, execution: execution('retire') }, world.ports);
  const iso = (time: number) => new Date(time).toISOString();

  beforeEach(async () => {
    await shift(forward(0), world.ports);
    await shift(forward(1), world.ports);
    await promote({ plan }, world.ports);
    world.written();
  });
  const until = start + 200_000 + 3_600_000;

  it('comes again when the retention is over, and ends the generation then', async () => {
    expect(await visit()).toEqual({ retired: [], next: iso(until) });
    world.time += 230_000;
    expect(await visit()).toEqual({ retired: [], next: iso(until) });
    expect(world.written()).toEqual([]);
    world.time = until;
    expect(await visit()).toEqual({ retired: ['web-g0001'], next: null });
    // A rollback may launch it anew.
    expect([...world.forgotten]).toEqual([]);
    expect(world.written()).toEqual(['ledger: intends retire', 'fleet: web-g0001 ended', 'ledger: released']);
    expect(world.item).toMatchObject({ owner: null, retained: [], live: { name: 'web-g0002' } });
    expect(await visit()).toEqual({ retired: [], next: null });
    expect(world.written()).toEqual([]);
  });

  it('ends a generation in the place that it was launched in, whatever the settings say now', async () => {
    const fleet = { kind: 'ecs', cluster: 'old' };
    const [kept] = world.item.retained;
    const old = { ...kept!.generation, fleet };
    world.live(old);
    world.item = { ...world.item, retained: [{ ...kept!, generation: old }] };
    world.time = until;
    expect(await visit()).toMatchObject({ retired: ['web-g0001'] });
    expect(world.fleets.has('web-g0001')).toBe(false);
  });

  it('waits while the weights settle', async () => {
    world.item = { ...world.item, retained: world.item.retained.map((each) => ({ ...each, until: start })) };
    expect(await visit()).toEqual({ retired: [], next: iso(start + 420_000) });
  });

  it('ends nothing that requests still reach; comes again ever more rarely, and ends it once they have stopped', async () => {
    world.time = until;
    world.requests = { [blue]: 3 };
    expect(await visit()).toEqual({ retired: [], next: iso(until + 60_000) });
    expect(world.item).toMatchObject({ owner: null, retained: [{ reachedSince: until, remark: null }] });
    expect(world.fleets.has('web-g0001')).toBe(true);
    let visits = 0;
    for (const days = until + 10 * 86_400_000; world.time < days; visits++) {
      world.time = Date.parse((await visit()).next ?? '');
    }
    // Each visit is nine events of at most 25,000.
    expect(visits).toBeLessThan(500);
    expect(world.item).toMatchObject({ owner: null, retained: [{ reachedSince: until }] });
    world.requests = { elsewhere: 50 };
    expect(await visit()).toEqual({ retired: ['web-g0001'], next: null });
  });

  it('waits while a deployment has the service', async () => {
    world.time = until;
    await world.plan(pushOf(3));
    world.written();
    expect(await visit()).toEqual({ retired: [], next: iso(until + 60_000) });
    expect(world.written()).toEqual([]);
  });

  it('comes ever more rarely while a deployment has the service for days, for the history of its own execution', async () => {
    world.time = until;
    await world.plan(pushOf(3));
    let visits = 0;
    for (const days = until + 10 * 86_400_000; world.time < days; visits++) {
      world.time = Date.parse((await visit()).next ?? '');
    }
    // Each visit is nine events of at most 25,000.
    expect(visits).toBeLessThan(500);
  });

  it('ends nothing that has weight, and does not keep the service', async () => {
    world.time = until;
    world.rule = weightsOf({ blue: 1, green: 99 });
    await expect(visit()).rejects.toThrow(named('Cutover.Guarded'));
    expect(world.fleets.has('web-g0001')).toBe(true);
    expect(world.item.owner).toBeNull();
  });

  it('gives the service back when AWS refuses half-way, and goes on the next time', async () => {
    world.time = until;
    world.fail('fleet.terminate', 'after');
    await expect(visit()).rejects.toThrow('failed');
    expect(world.item).toMatchObject({ owner: null, retained: [{ generation: { name: 'web-g0001' } }] });
    expect(await visit()).toMatchObject({ retired: ['web-g0001'] });
  });

  it('goes on in the same execution when it was killed while it had the service', async () => {
    world.time = until;
    world.onCall = (call, when) => {
      if (call === 'fleet.terminate' && when === 'before') world.fail('ledger.write');
    };
    world.fail('fleet.terminate');
    await expect(visit()).rejects.toThrow('failed');
    expect(world.item.owner).not.toBeNull();
    world.onCall = () => {};
    expect(await visit()).toMatchObject({ retired: ['web-g0001'], next: null });
    expect(world.item.owner).toBeNull();
  });

  it('gives the service back when it was killed before, and what was due has weight now', async () => {
    world.time = until;
    world.onCall = (call, when) => {
      if (call === 'fleet.terminate' && when === 'before') world.fail('ledger.write');
    };
    world.fail('fleet.terminate');
    await expect(visit()).rejects.toThrow('failed');
    world.onCall = () => {};
    world.rule = weightsOf({ blue: 1, green: 99 });
    await expect(visit()).rejects.toThrow(named('Cutover.Guarded'));
    expect(world.item.owner).toBeNull();
  });

  it('leaves alone what was made live again since it looked', async () => {
    world.time = until;
    world.conflicts.push((item) => ({ ...item, retained: [] }));
    expect(await visit()).toEqual({ retired: [], next: null });
    expect(world.fleets.has('web-g0001')).toBe(true);
    expect(world.item.owner).toBeNull();
  });
});
