/** The way forward: plan, launch, await, shift, judge, promote; each repeated, and each refusing what it must. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { retired, retiring } from '../../functions/core/deployment/course.ts';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import { type CutoverError, type ErrorName } from '../../functions/core/errors.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { awaitInput, awaitSignal } from '../../functions/steps/await-signal.ts';
import { judge } from '../../functions/steps/judge.ts';
import { launch, launchInput } from '../../functions/steps/launch.ts';
import { planDeployment } from '../../functions/steps/plan-deployment.ts';
import { promote } from '../../functions/steps/promote.ts';
import { shift } from '../../functions/steps/shift.ts';
import { sweep } from '../../functions/steps/sweep.ts';
import {
  digestOf,
  ecrEvent,
  execution,
  generationOf,
  green,
  liveItem,
  pendingOf,
  pushOf,
  settingsOf,
  start,
  web,
  weightsOf,
} from '../core/examples.ts';
import { World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
  world.item = liveItem();
  world.live(generationOf(1));
  world.time = start + 200_000;
});

const abort = (item: ServiceItem): ServiceItem => ({
  ...item,
  deployment: {
    ...item.deployment!,
    latch: { ...item.deployment!.latch, abort: { by: 'ann', reason: 'no', at: start } },
  },
});
const named = (name: ErrorName) => expect.objectContaining({ name }) as CutoverError;
const forward = (plan: Plan, index: number) => ({
  direction: 'forward' as const,
  plan,
  step: plan.steps[index]!,
  index,
});
const wait = (plan: Plan, what: 'healthy' | 'bake', changes: object = {}) =>
  awaitInput.parse({
    plan,
    for: what,
    deadline: world.time + 600_000,
    recheckSeconds: 60,
    token: 'token',
    entered: world.time,
    due: world.time + 600_000,
    asking: false,
    ...changes,
  });

async function launched(): Promise<Plan> {
  const plan = await world.plan(pushOf(2));
  await launch({ plan }, world.ports);
  world.written();
  return plan;
}

async function shifted(steps: number): Promise<Plan> {
  const plan = await launched();
  for (let index = 0; index < steps; index++) await shift(forward(plan, index), world.ports);
  world.written();
  return plan;
}

describe('plan', () => {
  const input = (event: unknown) => ({
    service: web,
    event,
    execution: { arn: execution('event-2'), redrives: 0 },
  });
  const refused = (admission: string, reason: string) => ({
    admission,
    plan: null,
    reason: expect.stringContaining(reason) as string,
    notBefore: null,
  });

  it('admits a push and writes nothing but the service item', async () => {
    const admission = await planDeployment(input(ecrEvent(pushOf(2))), world.ports);
    expect(admission).toMatchObject({ admission: 'admitted', plan: { deployment: 'web-g0002-d2' } });
    expect(world.written()).toEqual(['ledger: admitted']);
  });

  it('returns the same plan when it runs again, and writes nothing', async () => {
    const first = await planDeployment(input(ecrEvent(pushOf(2))), world.ports);
    world.written();
    world.alarmStates[0] = { name: 'web-errors', state: 'ALARM', reason: 'since' };
    expect(await planDeployment(input(ecrEvent(pushOf(2))), world.ports)).toMatchObject({ plan: first.plan });
    expect(world.written()).toEqual([]);
  });

  it('finds its own plan when its answer was lost', async () => {
    world.fail('ledger.write', 'after');
    await expect(planDeployment(input(ecrEvent(pushOf(2))), world.ports)).rejects.toThrow(
      named('Cutover.AwsUnavailable'),
    );
    expect(await planDeployment(input(ecrEvent(pushOf(2))), world.ports)).toMatchObject({
      admission: 'admitted',
      plan: { fence: 2 },
    });
  });

  it('decides again when somebody else wrote in between', async () => {
    world.conflicts.push((item) => ({ ...item, live: { ...item.live!, digest: digestOf(2) } }));
    expect(await planDeployment(input(ecrEvent(pushOf(2))), world.ports)).toEqual(
      refused('nothing', 'is already live'),
    );
  });

  it.each<[string, (to: World) => unknown, string, string]>([
    [
      'a red alarm',
      (to) => (to.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '5 > 1' }]),
      'rejected',
      'before anything was launched: the alarm web-errors is red: 5 > 1',
    ],
    ['a missing alarm', (to) => (to.alarmStates = []), 'rejected', 'the alarm web-errors does not exist'],
    [
      'settings that are not valid',
      (to) => (to.settings = { ...settingsOf(), tags: [] }),
      'rejected',
      'what is declared of web is not valid; nothing was changed. tags: ',
    ],
    [
      'a fleet that is not valid',
      (to) => (to.settings = settingsOf({ fleet: { kind: 'asg' } })),
      'rejected',
      'fleet/kind: must be ecs, got asg',
    ],
    [
      'a rule that holds unknown things',
      (to) => to.fail('traffic.weights', 'before', 'Cutover.RuleNotOurs'),
      'rejected',
      'traffic.weights failed',
    ],
    [
      'alarms that may not be read',
      (to) => to.fail('alarms.states', 'before', 'Cutover.AwsRefused'),
      'rejected',
      'alarms.states failed',
    ],
    [
      'settings that are no JSON',
      (to) => to.fail('settings.read', 'before', 'Cutover.InvalidInput'),
      'rejected',
      'settings.read failed',
    ],
  ])('rejects a push for %s, and the refusal is told', async (_, given, admission, reason) => {
    given(world);
    expect(await planDeployment(input(ecrEvent(pushOf(2))), world.ports)).toEqual(refused(admission, reason));
    expect(world.item).toMatchObject({
      owner: null,
      fence: 1,
      lastGeneration: 1,
      intake: { id: 'event-2', admission },
    });
    expect(world.item.intake?.reason).toContain(reason);
  });

  it.each([
    ['an event that is none', { hello: 1 }, 'rejected', 'this is not an ECR image event'],
    ['a tag of others', ecrEvent(pushOf(2, { tag: 'latest' })), 'nothing', 'the tag latest matches none'],
  ])('notes %s, once', async (_, event, admission, reason) => {
    for (let time = 0; time < 2; time++) {
      expect(await planDeployment(input(event), world.ports)).toEqual(refused(admission, reason));
      world.time += 1_000;
    }
    expect(world.written()).toEqual([`ledger: ${admission}`]);
  });

  it('keeps no item of a service that was never declared', async () => {
    world = new World();
    world.settings = undefined;
    expect(await planDeployment(input(ecrEvent(pushOf(2))), world.ports)).toEqual(
      refused('rejected', 'no service web is declared'),
    );
    expect(world.written()).toEqual([]);
  });

  it.each<[string, (to: World) => unknown]>([
    ['settings that are not valid', (to) => (to.settings = {})],
    ['a service that was taken away', (to) => (to.settings = undefined)],
    ['a tag that is not deployed any more', (to) => (to.settings = settingsOf({ tags: ['release-*'] }))],
    ['what is live already', (to) => (to.item = liveItem({ live: generationOf(2) }))],
    ['a newer push', (to) => (to.item = liveItem({ lastPush: { eventId: 'event-3', at: pushOf(3).at } }))],
  ])('offers a push that waited once: refused for %s it waits no more', async (_, given) => {
    given(world);
    world.item = { ...world.item, pending: pendingOf(2) };
    expect(await planDeployment(input(ecrEvent(pushOf(2))), world.ports)).toMatchObject({ plan: null });
    expect(world.item).toMatchObject({ pending: null, intake: { id: 'event-2' } });
  });

  it('keeps a push that came in the middle of a retirement, should the tries run out', async () => {
    world.item = retiring(world.item, execution('retire'), world.time);
    for (let time = 0; time < 9; time++) {
      await expect(planDeployment(input(ecrEvent(pushOf(2))), world.ports)).rejects.toThrow(
        named('Cutover.Busy'),
      );
    }
    expect(world.written()).toEqual(['ledger: pending']);
    world.item = retired(world.item, execution('retire'), []);
    await sweep(world.ports);
    const [offered] = world.started.values();
    expect(offered).toMatchObject({ machine: 'deploy', input: { service: 'web' } });
    const { event } = offered!.input as { event: unknown };
    expect(await planDeployment(input(event), world.ports)).toMatchObject({ admission: 'admitted' });
    expect(world.item.pending).toBeNull();
  });

  it('goes on with its own plan when its answer was lost and the settings were broken since', async () => {
    world.fail('ledger.write', 'after');
    await expect(planDeployment(input(ecrEvent(pushOf(2))), world.ports)).rejects.toThrow('failed');
    world.settings = {};
    expect(await planDeployment(input(ecrEvent(pushOf(2))), world.ports)).toMatchObject({
      admission: 'admitted',
      plan: { fence: 2 },
    });
  });

  it.each<[Parameters<World['fail']>[0]]>([
    ['settings.read'],
    ['traffic.weights'],
    ['alarms.states'],
    ['ledger.read'],
  ])('is tried again when %s gets no answer: the push is not lost', async (call) => {
    world.fail(call);
    await expect(planDeployment(input(ecrEvent(pushOf(2))), world.ports)).rejects.toThrow(
      named('Cutover.AwsUnavailable'),
    );
    expect(world.item.intake).toBeNull();
  });

  it('waits when AWS does not answer on the rule or the alarms: it is offered again should the tries run out', async () => {
    world.fail('alarms.states');
    const given = input(ecrEvent(pushOf(2)));
    await expect(planDeployment(given, world.ports)).rejects.toThrow(named('Cutover.AwsUnavailable'));
    expect(world.item.pending).toMatchObject({ tag: 'v2' });
    expect(await planDeployment(given, world.ports)).toMatchObject({ admission: 'admitted' });
    expect(world.item.pending).toBeNull();
  });
});

describe('launch', () => {
  it('intends, launches as large as the live generation, notes it', async () => {
    const plan = await world.plan(pushOf(2));
    world.written();
    expect(await launch(launchInput.parse({ plan }), world.ports)).toEqual({ desired: 4 });
    expect(world.written()).toEqual([
      'ledger: intends launch',
      'fleet: web-g0002 launched with 4',
      'registry: retain-web-g0002 put on',
      'ledger: proving',
    ]);
    expect(world.item).toMatchObject({ intent: null, deployment: { desired: 4 } });
  });

  it('never launches less than the minimum', async () => {
    world.live(generationOf(1), 1);
    const plan = await world.plan(pushOf(2));
    expect(await launch({ plan }, world.ports)).toEqual({ desired: 2 });
  });

  it("sees the live generation's size in the place that it was launched in, wherever the next one goes", async () => {
    const live = { ...generationOf(1), fleet: { kind: 'ecs', cluster: 'old' } };
    world.item = liveItem({ live });
    world.live(live, 7);
    world.settings = settingsOf({ fleet: { kind: 'ecs', cluster: 'new' } });
    const plan = await world.plan(pushOf(2));
    expect(plan.to.fleet).toEqual({ kind: 'ecs', cluster: 'new' });
    expect(await launch({ plan }, world.ports)).toEqual({ desired: 7 });
  });

  it('adopts what it launched when it runs again', async () => {
    const plan = await launched();
    await launch({ plan }, world.ports);
    expect(world.written()).toEqual([
      'ledger: intends launch',
      'registry: retain-web-g0002 put on',
      'ledger: done',
    ]);
    expect(world.fleets.size).toBe(2);
  });

  it('leaves its intent behind when its answer is lost, and goes on from there', async () => {
    const plan = await world.plan(pushOf(2));
    world.fail('fleet.launch', 'after');
    await expect(launch({ plan }, world.ports)).rejects.toThrow('failed');
    expect(world.item).toMatchObject({
      intent: { kind: 'launch', fence: 2 },
      deployment: { phase: 'launching' },
    });
    await launch({ plan }, world.ports);
    expect(world.item).toMatchObject({ intent: null, deployment: { phase: 'proving' } });
  });

  it('launches nothing after a person ended the deployment', async () => {
    const plan = await world.plan(pushOf(2));
    world.item = abort(world.item);
    await expect(launch({ plan }, world.ports)).rejects.toThrow(named('Cutover.Aborted'));
    expect(world.fleets.has('web-g0002')).toBe(false);
  });

  it('launches nothing once the fence was passed on', async () => {
    const plan = await world.plan(pushOf(2));
    world.item = { ...world.item, fence: 3 };
    await expect(launch({ plan }, world.ports)).rejects.toThrow(named('Cutover.FencedOut'));
    expect(world.fleets.has('web-g0002')).toBe(false);
  });
});

describe('await healthy', () => {
  it('writes the token, then ends the wait when all is healthy', async () => {
    const plan = await launched();
    expect(await awaitSignal(wait(plan, 'healthy'), world.ports)).toEqual({ remark: 'healthy' });
    expect(world.written()).toEqual(['ledger: waits for healthy']);
    expect(world.item.wait).toMatchObject({ token: 'token', for: 'healthy' });
    expect(world.ended).toEqual([{ token: 'token', how: 'success' }]);
  });

  it('waits on while targets are not healthy; wakes once to look more often when all tasks run', async () => {
    world.launchesAs = { health: 'initial' };
    const plan = await launched();
    expect(await awaitSignal(wait(plan, 'healthy'), world.ports)).toMatchObject({
      remark: expect.stringContaining('0 of 4 targets are healthy') as string,
    });
    expect(world.ended).toEqual([{ token: 'token', how: 'Cutover.Woken', cause: 'all tasks run' }]);
    await awaitSignal(wait(plan, 'healthy', { recheckSeconds: 10 }), world.ports);
    expect(world.ended).toHaveLength(1);
  });

  it('asks for more than one healthy look where the service does, an interval apart and in a row', async () => {
    world.settings = settingsOf({ healthyLooks: 2, healthIntervalSeconds: 10 });
    const plan = await launched();
    const look = async () => {
      const { remark } = await awaitSignal(wait(plan, 'healthy', { recheckSeconds: 10 }), world.ports);
      return remark;
    };
    const short = 'it must be seen healthy 2 times';
    expect(await look()).toBe(short);
    // The same check again.
    world.time += 1_000;
    expect(await look()).toBe(short);
    world.time += 9_000;
    world.fleets.get('web-g0002')!.health = 'unhealthy';
    await look();
    world.fleets.get('web-g0002')!.health = 'healthy';
    for (const remark of [short, 'healthy']) {
      world.time += 10_000;
      expect(await look()).toBe(remark);
    }
  });

  it('waits on without waking while tasks are missing', async () => {
    world.launchesAs = { health: 'initial', share: 0.5 };
    const plan = await launched();
    await awaitSignal(wait(plan, 'healthy'), world.ports);
    expect(world.ended).toEqual([]);
  });

  it('fails at the deadline, with what is missing', async () => {
    world.launchesAs = { health: 'unhealthy' };
    const plan = await launched();
    await awaitSignal(wait(plan, 'healthy', { deadline: world.time }), world.ports);
    expect(world.ended).toMatchObject([
      {
        how: 'Cutover.Unhealthy',
        cause: expect.stringContaining(
          'web-g0002 did not become healthy within 600 s: 0 of 4 targets are healthy',
        ) as string,
      },
    ]);
  });

  it('succeeds when it is healthy after all at the deadline', async () => {
    const plan = await launched();
    await awaitSignal(wait(plan, 'healthy', { deadline: world.time }), world.ports);
    expect(world.ended).toMatchObject([{ how: 'success' }]);
  });

  it('fails when the generation was deleted by hand', async () => {
    const plan = await launched();
    world.fleets.delete('web-g0002');
    // Just launched it may only not be visible yet.
    await awaitSignal(wait(plan, 'healthy'), world.ports);
    expect(world.ended).toEqual([]);
    world.time += 60_000;
    await awaitSignal({ ...wait(plan, 'healthy'), deadline: world.time + 540_000 }, world.ports);
    expect(world.ended).toMatchObject([
      { how: 'Cutover.Unhealthy', cause: 'web-g0002 does not exist (any more): somebody deleted it' },
    ]);
  });

  it('ends at once with a signal that came before the token was written', async () => {
    const plan = await launched();
    world.item = abort(world.item);
    await awaitSignal(wait(plan, 'healthy'), world.ports);
    expect(world.ended).toMatchObject([{ how: 'Cutover.Aborted', cause: 'ann ended the deployment: no' }]);
  });

  it('ends at once with a signal that came while the token was written', async () => {
    const plan = await launched();
    world.conflicts.push(abort);
    await awaitSignal(wait(plan, 'healthy'), world.ports);
    expect(world.ended).toMatchObject([{ how: 'Cutover.Aborted' }]);
  });

  it('begins no wait once the fence was passed on', async () => {
    const plan = await launched();
    world.item = { ...world.item, fence: 3 };
    await expect(awaitSignal(wait(plan, 'healthy'), world.ports)).rejects.toThrow(named('Cutover.FencedOut'));
    expect(world.ended).toEqual([]);
  });
});

it('looks that do not fit before the deadline are refused where they are said', () => {
  const looking = (healthDeadlineSeconds: number) => () =>
    settingsOf({ healthyLooks: 3, healthIntervalSeconds: 300, healthDeadlineSeconds });
  expect(looking(600)).toThrow('3 looks, 300 s apart, take 600 s');
  expect(looking(601)).not.toThrow();
});

describe('await bake', () => {
  it.each([
    ['bakes on', 'OK', 1, undefined],
    ['ends at the deadline', 'OK', 0, 'success'],
    ['ends at once with a red alarm', 'ALARM', 1, 'Cutover.AlarmRed'],
  ] as const)('%s', async (_, state, remaining, how) => {
    const plan = await shifted(1);
    world.alarmStates = [{ name: 'web-errors', state, reason: 'x' }];
    await awaitSignal(wait(plan, 'bake', { deadline: world.time + remaining }), world.ports);
    expect(world.ended.map((each) => each.how)).toEqual(how === undefined ? [] : [how]);
  });
});

describe('shift', () => {
  it('looks, intends, writes the rule, notes it', async () => {
    const plan = await launched();
    expect(await shift(forward(plan, 0), world.ports)).toEqual({
      weights: weightsOf({ blue: 90, green: 10 }),
    });
    expect(world.written()).toEqual(['ledger: intends shift', 'rule: blue 90, green 10', 'ledger: baking']);
    expect(world.item).toMatchObject({
      intent: null,
      weights: { blue: 90, green: 10 },
      deployment: { step: 0 },
    });
  });

  it('writes the rule once, however often it runs', async () => {
    const plan = await shifted(1);
    await shift(forward(plan, 0), world.ports);
    expect(world.written().filter((write) => write.startsWith('rule'))).toEqual([]);
  });

  it.each(['before', 'after'] as const)(
    'goes on where it was when the rule failed %s its effect',
    async (when) => {
      const plan = await launched();
      world.fail('traffic.shift', when);
      await expect(shift(forward(plan, 0), world.ports)).rejects.toThrow(named('Cutover.AwsUnavailable'));
      expect(world.item).toMatchObject({ intent: { kind: 'shift' }, weights: { blue: 100 } });
      await shift(forward(plan, 0), world.ports);
      expect(world.rule).toEqual(weightsOf({ blue: 90, green: 10 }));
      expect(world.item).toMatchObject({ intent: null, weights: { blue: 90, green: 10 } });
    },
  );

  it.each<[string, (to: World) => unknown, ErrorName]>([
    ['is not healthy', (to) => (to.fleets.get('web-g0002')!.health = 'unhealthy'), 'Cutover.Unhealthy'],
    ['lost a task', (to) => (to.fleets.get('web-g0002')!.running = 3), 'Cutover.Unhealthy'],
    [
      'was scaled to nothing',
      (to) => to.fleets.set('web-g0002', { ...to.fleets.get('web-g0002')!, desired: 0, running: 0 }),
      'Cutover.Unhealthy',
    ],
    ['was deleted', (to) => to.fleets.delete('web-g0002'), 'Cutover.Unhealthy'],
    [
      'shares its slot with strangers',
      (to) => (to.strangers = { [green]: [{ id: 'stranger', state: 'healthy' }] }),
      'Cutover.Guarded',
    ],
    ['was ended by a person', (to) => (to.item = abort(to.item)), 'Cutover.Aborted'],
    ['was ended by a person this instant', (to) => to.conflicts.push(abort), 'Cutover.Aborted'],
    ['lost the service', (to) => (to.item = { ...to.item, fence: 3 }), 'Cutover.FencedOut'],
    [
      'lost the service this instant',
      (to) => to.conflicts.push((item) => ({ ...item, fence: 3 })),
      'Cutover.FencedOut',
    ],
    [
      'meets weights of a stranger',
      (to) => (to.rule = weightsOf({ blue: 50, red: 50 })),
      'Cutover.ForeignWeights',
    ],
  ])('gives no weight to a generation that %s', async (_, given, name) => {
    const plan = await launched();
    given(world);
    const before = world.rule;
    await expect(shift(forward(plan, 0), world.ports)).rejects.toThrow(named(name));
    expect(world.rule).toBe(before);
  });

  it("leaves draining targets of the slot's last tenant alone", async () => {
    const plan = await launched();
    world.strangers = { [green]: [{ id: 'gone', state: 'draining' }] };
    await expect(shift(forward(plan, 0), world.ports)).resolves.toBeDefined();
  });
});

describe('a new generation that is smaller than the old one by now', () => {
  const old = () => world.fleets.get('web-g0001')!;
  const coming = () => world.fleets.get('web-g0002')!;
  const state = ({ desired, running, health }: ReturnType<typeof old>) => ({ desired, running, health });

  it('is made as large, and gets its weight when it is healthy at that size', async () => {
    const plan = await launched();
    old().desired = 6;
    const resized = vi.fn<() => void>(() => (coming().running = 4));
    world.onCall = (call, when) => call === 'fleet.resize' && when === 'after' && resized();
    await expect(shift(forward(plan, 0), world.ports)).rejects.toThrow(named('Cutover.Growing'));
    expect(world.written()).toEqual([
      'ledger: changed',
      'ledger: intends resize',
      'fleet: web-g0002 resized to 6',
      'ledger: done',
    ]);
    expect(state(coming())).toEqual({ desired: 6, running: 4, health: 'healthy' });
    await expect(shift(forward(plan, 0), world.ports)).rejects.toThrow(
      '4 of the 6 tasks that the old generation has are healthy',
    );
    expect(world.written()).toEqual([]);
    expect(resized).toHaveBeenCalledOnce();
    coming().running = 6;
    await shift(forward(plan, 0), world.ports);
    expect(world.written()).toEqual(['ledger: intends shift', 'rule: blue 90, green 10', 'ledger: baking']);
    expect(world.item.deployment).toMatchObject({ desired: 6, desiredBefore: 4, growingSince: null });
  });

  it('is asked for the new size before each weight', async () => {
    const plan = await shifted(1);
    old().desired = 5;
    await expect(shift(forward(plan, 1), world.ports)).rejects.toThrow(named('Cutover.Growing'));
    await shift(forward(plan, 1), world.ports);
    expect(world.rule).toEqual(weightsOf({ green: 100 }));
  });

  it('fails when it does not grow within the health deadline', async () => {
    const plan = await launched();
    old().desired = 6;
    await expect(shift(forward(plan, 0), world.ports)).rejects.toThrow(named('Cutover.Growing'));
    coming().running = 4;
    world.time += 600_000;
    await expect(shift(forward(plan, 0), world.ports)).rejects.toThrow(named('Cutover.Growing'));
    world.time += 1;
    await expect(shift(forward(plan, 0), world.ports)).rejects.toThrow(named('Cutover.Unhealthy'));
  });

  it('is finished with what an earlier try may have written first: the intent is all that is known of it', async () => {
    const plan = await launched();
    world.fail('traffic.shift', 'after');
    await expect(shift(forward(plan, 0), world.ports)).rejects.toThrow(named('Cutover.AwsUnavailable'));
    old().desired = 6;
    await shift(forward(plan, 0), world.ports);
    expect(world.item).toMatchObject({ intent: null, weights: { blue: 90, green: 10 } });
  });

  it('may be larger, by its own autoscaling, whose tasks still start', async () => {
    const plan = await shifted(1);
    coming().desired = 9;
    await judge({ plan, deadline: world.time, due: world.time }, world.ports);
    await shift(forward(plan, 1), world.ports);
    coming().running = 3;
    await expect(judge({ plan, deadline: world.time, due: world.time }, world.ports)).rejects.toThrow(
      '3 of 4 tasks run',
    );
  });
});

describe('an old generation that somebody scaled to nothing, or deleted', () => {
  it.each<[string, () => unknown, string]>([
    ['scaled', () => (world.fleets.get('web-g0001')!.desired = 0), 'web-g0001 is scaled to 0 tasks'],
    ['deleted', () => world.fleets.delete('web-g0001'), 'web-g0001 does not exist any more'],
  ])('stops what goes forward: %s', async (_, given, words) => {
    const plan = await shifted(1);
    given();
    const before = world.rule;
    for (const step of [
      () => shift(forward(plan, 1), world.ports),
      () => judge({ plan, deadline: world.time + 1, due: world.time + 1 }, world.ports),
    ]) {
      await expect(step()).rejects.toThrow(named('Cutover.ForeignCounts'));
      await expect(step()).rejects.toThrow(words);
    }
    await awaitSignal(wait(plan, 'bake', { deadline: world.time + 1 }), world.ports);
    expect(world.ended).toMatchObject([{ how: 'Cutover.ForeignCounts' }]);
    expect(world.rule).toBe(before);
    expect(world.written().filter((write) => write.startsWith('fleet'))).toEqual([]);
  });

  it('is nothing new when it had no task before', async () => {
    world.fleets.get('web-g0001')!.desired = 0;
    const plan = await shifted(2);
    expect(await judge({ plan, deadline: world.time, due: world.time }, world.ports)).toEqual({
      verdict: 'pass',
      words: [],
    });
  });
});

describe('judge', () => {
  it('passes when the bake is over and nothing speaks against it', async () => {
    const plan = await shifted(1);
    expect(await judge({ plan, deadline: world.time, due: world.time }, world.ports)).toEqual({
      verdict: 'pass',
      words: [],
    });
    expect(world.written()).toEqual([]);
  });

  it.each<[string, (to: World) => unknown, number, ErrorName]>([
    ['says not yet before the deadline', () => {}, 1, 'Cutover.NotYet'],
    [
      'fails for a red alarm, also before the deadline',
      (to) => (to.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '' }]),
      1,
      'Cutover.AlarmRed',
    ],
    ['fails for a missing alarm', (to) => (to.alarmStates = []), 0, 'Cutover.AlarmRed'],
    [
      'fails for a target that is not healthy',
      (to) => (to.fleets.get('web-g0002')!.health = 'unhealthy'),
      1,
      'Cutover.Unhealthy',
    ],
    [
      'holds when a person changed the weights in the bake',
      (to) => (to.rule = weightsOf({ blue: 100 })),
      0,
      'Cutover.ForeignWeights',
    ],
    ['fails for a latched signal', (to) => (to.item = abort(to.item)), 0, 'Cutover.Aborted'],
    [
      'fails once the fence was passed on',
      (to) => (to.item = { ...to.item, fence: 3 }),
      0,
      'Cutover.FencedOut',
    ],
    [
      'is tried again when alarms cannot be read',
      (to) => to.fail('alarms.states'),
      0,
      'Cutover.AwsUnavailable',
    ],
  ])('%s', async (_, given, remaining, name) => {
    const plan = await shifted(1);
    given(world);
    const judged = judge(
      { plan, deadline: world.time + remaining, due: world.time + remaining },
      world.ports,
    );
    await expect(judged).rejects.toThrow(named(name));
    expect(world.written()).toEqual([]);
  });
});

describe('a live generation that dies in a bake', () => {
  const dies = () => {
    world.fleets.get('web-g0001')!.health = 'unhealthy';
  };

  it('ends the bake at the next look, and the judge passes before the deadline', async () => {
    const plan = await shifted(1);
    dies();
    await awaitSignal(wait(plan, 'bake', { deadline: world.time + 60_000 }), world.ports);
    expect(world.ended.map(({ how }) => how)).toEqual(['success']);
    expect(
      await judge({ plan, deadline: world.time + 60_000, due: world.time + 60_000 }, world.ports),
    ).toEqual({ verdict: 'pass', words: [] });
  });

  it('loses the rest of the traffic at once, and gets none back should it recover', async () => {
    const plan = await launched();
    const [first, last] = [0, plan.steps.length - 1];
    await shift(forward(plan, first), world.ports);
    dies();
    world.written();
    await shift(forward(plan, first), world.ports);
    expect(world.rule).toMatchObject({ blue: 0, green: 100 });
    expect(world.item.deployment?.step).toBe(last);
    world.fleets.get('web-g0001')!.health = 'healthy';
    world.written();
    for (const index of plan.steps.keys()) await shift(forward(plan, index), world.ports);
    expect(world.written().filter((write) => write.startsWith('rule'))).toEqual([]);
  });

  it('costs nothing once all weight is on the new one: its last bake goes on to its end', async () => {
    const plan = await launched();
    for (const index of plan.steps.keys()) await shift(forward(plan, index), world.ports);
    dies();
    await awaitSignal(wait(plan, 'bake', { deadline: world.time + 60_000 }), world.ports);
    expect(world.ended).toEqual([]);
    await expect(
      judge({ plan, deadline: world.time + 60_000, due: world.time + 60_000 }, world.ports),
    ).rejects.toThrow(named('Cutover.NotYet'));
  });

  it('is not waited for by any bake after the new one took over', async () => {
    const plan = await shifted(1);
    dies();
    await shift(forward(plan, 1), world.ports);
    expect(
      await judge({ plan, deadline: world.time + 60_000, due: world.time + 60_000 }, world.ports),
    ).toEqual({ verdict: 'pass', words: [] });
  });

  it.each([
    ['dies', 'healthy', 'unhealthy'],
    ['comes back', 'unhealthy', 'healthy'],
  ] as const)(
    'and %s between two tries of a step: the weights of the first one, which got no answer, are ours',
    async (_, first, then) => {
      const weights = { blue: 0, green: 100 };
      const plan = await launched();
      const old = world.fleets.get('web-g0001')!;
      old.health = first;
      world.fail('traffic.shift', 'after');
      await expect(shift(forward(plan, 0), world.ports)).rejects.toThrow(named('Cutover.AwsUnavailable'));
      old.health = then;
      // What a second try without an effect intends hides nothing of the first one.
      world.fail('traffic.shift', 'before');
      await Promise.allSettled([shift(forward(plan, 0), world.ports)]);
      await shift(forward(plan, 0), world.ports);
      expect(world.rule).toMatchObject(weights);
      expect(world.item).toMatchObject({ intent: null, weights });
    },
  );

  it('takes nothing over while a gate says no', async () => {
    const plan = await shifted(1);
    dies();
    world.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '' }];
    await expect(judge({ plan, deadline: world.time + 1, due: world.time + 1 }, world.ports)).rejects.toThrow(
      named('Cutover.AlarmRed'),
    );
  });
});

describe('promote', () => {
  it('commits in one write; a repeat writes nothing', async () => {
    const plan = await shifted(2);
    expect(await promote({ plan }, world.ports)).toEqual({ live: 'web-g0002', retained: ['web-g0001'] });
    expect(world.written()).toEqual(['ledger: live']);
    expect(await promote({ plan }, world.ports)).toEqual({ live: 'web-g0002', retained: ['web-g0001'] });
    expect(world.written()).toEqual([]);
  });

  it('commits nothing after a signal that came when all gates had passed', async () => {
    const plan = await shifted(2);
    world.conflicts.push(abort);
    await expect(promote({ plan }, world.ports)).rejects.toThrow(named('Cutover.Aborted'));
    expect(world.item).toMatchObject({ live: { name: 'web-g0001' }, deployment: { outcome: null } });
  });
});

describe('a first deployment', () => {
  it('needs no shift: its slot has all the weight already', async () => {
    world.item = liveItem({ live: null, lastPush: null, admitted: [], lastGeneration: 0, weights: null });
    world.fleets.clear();
    const plan = await world.plan(pushOf(1));
    expect(plan.steps).toEqual([]);
    await launch({ plan }, world.ports);
    await awaitSignal(wait(plan, 'healthy'), world.ports);
    expect(world.ended).toMatchObject([{ how: 'success' }]);
    await promote({ plan }, world.ports);
    expect(world.item).toMatchObject({ live: { name: 'web-g0001', slot: 'blue' }, retained: [] });
    expect(world.trace.filter((write) => write.startsWith('rule'))).toEqual([]);
  });
});
