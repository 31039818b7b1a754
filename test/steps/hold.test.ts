/** Deployments that wait for a person's word, and those that a newer push takes the place of, driven as the machine drives them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { admit } from '../../functions/core/deployment/admission.ts';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import type { CutoverError, ErrorName } from '../../functions/core/errors.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { awaitSignal } from '../../functions/steps/await-signal.ts';
import { launch } from '../../functions/steps/launch.ts';
import { planDeployment } from '../../functions/steps/plan-deployment.ts';
import { restore } from '../../functions/steps/restore.ts';
import { shift } from '../../functions/steps/shift.ts';
import { signal } from '../../functions/steps/signal.ts';
import {
  because,
  ecrEvent,
  execution,
  generationOf,
  goingBack,
  liveItem,
  offerOf,
  pendingOf,
  pushOf,
  replacedItem,
  settingsOf,
  start,
  weightsOf,
} from '../core/examples.ts';
import { deploy } from './machine.ts';
import { World } from './world.ts';

let world: World;
let plan: Plan;
beforeEach(async () => {
  world = new World();
  world.item = liveItem();
  world.live(generationOf(1));
  world.time = start + 200_000;
  plan = await world.plan(pushOf(2));
});

const named = (name: ErrorName) => expect.objectContaining({ name }) as CutoverError;
const say = (word: 'resume' | 'abort') =>
  signal({ service: 'web', signal: word, by: 'ann', reason: 'I did it' }, world.ports);
const rules = () => world.trace.filter((write) => write.startsWith('rule'));

/** A person writes the rule when traffic first goes over; what Cutover writes from then on is in `rules`. */
function meddle(theirs: Record<string, number>, when = 10): void {
  world.onCall = (call, moment) => {
    if (call !== 'fleet.observe' || moment !== 'before' || world.rule['green' as never] !== when) return;
    world.onCall = () => {};
    world.rule = weightsOf(theirs);
    world.trace.splice(0);
  };
}

/** The words of people, one each time that they are asked; then none. */
function words(...given: readonly (() => Promise<unknown>)[]): void {
  const left = [...given];
  world.whileHeld = async () => left.shift()?.();
}

describe('weights that a person changes in a bake', () => {
  it('are left alone until a resume: then the step is written again, baked anew, and the rest follows', async () => {
    meddle({ blue: 50, green: 50 });
    const seen: unknown[] = [];
    words(
      async () => seen.push([world.rule, world.item.deployment?.hold?.kind]),
      async () => say('resume'),
    );
    await deploy(world, plan, 8);
    expect(seen).toEqual([[weightsOf({ blue: 50, green: 50 }), 'held']]);
    expect(rules()).toEqual(['rule: blue 90, green 10', 'rule: green 100']);
    expect(world.item).toMatchObject({ live: { name: 'web-g0002' }, deployment: { outcome: 'live' } });
  });

  it('cannot make a generation live that has no traffic', async () => {
    meddle({ blue: 100 }, 100);
    words(async () => say('abort'));
    await deploy(world, plan, 8);
    expect(world.item).toMatchObject({ live: { name: 'web-g0001' }, deployment: { outcome: 'restored' } });
  });

  it('are put back by an abort, whatever they are', async () => {
    meddle({ red: 100 });
    words(async () => say('abort'));
    await deploy(world, plan, 8);
    expect(rules()).toEqual(['rule: blue 100']);
    expect(world.item).toMatchObject({
      weights: { blue: 100 },
      deployment: { outcome: 'restored', reason: 'ann ended the deployment: I did it' },
    });
  });

  it('are put back when nobody answers for a day, which the reason says', async () => {
    meddle({ blue: 50, green: 50 });
    const before = world.time;
    await deploy(world, plan, 8);
    expect(world.time - before).toBeGreaterThan(86_400_000);
    expect(world.item.deployment).toMatchObject({
      outcome: 'restored',
      reason: expect.stringContaining('nobody answered within 86400 s; somebody else changed') as string,
    });
  });

  it('hold again when they are changed again after a resume', async () => {
    meddle({ blue: 50, green: 50 });
    let asked = 0;
    world.whileHeld = async () => {
      asked += 1;
      await say(asked === 1 ? 'resume' : 'abort');
      if (asked === 1) meddle({ blue: 60, green: 40 });
    };
    await deploy(world, plan, 8);
    expect(asked).toBeGreaterThan(1);
    expect(world.item.deployment?.outcome).toBe('restored');
  });

  it('are not overwritten for an alarm that turns red meanwhile; after a resume it goes back', async () => {
    meddle({ blue: 50, green: 50 });
    const alarm = {
      'detail-type': 'CloudWatch Alarm State Change',
      time: new Date(start + 86_400_000).toISOString(),
      detail: { alarmName: 'web-errors', state: { value: 'ALARM', reason: '5 > 1' } },
    };
    words(
      async () => signal(alarm, world.ports),
      async () => expect(world.rule).toEqual(weightsOf({ blue: 50, green: 50 })),
      async () => say('resume'),
    );
    await deploy(world, plan, 8);
    expect(rules()).toEqual(['rule: blue 100']);
    expect(world.item.deployment).toMatchObject({
      outcome: 'restored',
      reason: expect.stringContaining('web-errors'),
    });
  });

  it('do not stop the newest push from waiting, nor does it stop them', async () => {
    world.settings = settingsOf({ whenBusy: 'supersede' });
    meddle({ blue: 50, green: 50 });
    words(
      async () =>
        planDeployment(
          {
            service: plan.settings.service,
            event: ecrEvent(pushOf(3)),
            execution: { arn: execution('3'), redrives: 0 },
          },
          world.ports,
        ),
      async () => expect(world.rule).toEqual(weightsOf({ blue: 50, green: 50 })),
      async () => say('resume'),
    );
    await deploy(world, plan, 8);
    expect(world.item).toMatchObject({ pending: { tag: 'v3' }, deployment: { outcome: 'superseded' } });
  });
});

describe('weights that a person changes at any call', () => {
  const theirs = weightsOf({ blue: 70, green: 30 });

  it.each<['resume' | 'abort' | undefined, readonly string[]]>([
    ['resume', ['live']],
    ['abort', ['live', 'restored']],
    [undefined, ['live', 'restored']],
  ])('are never overwritten without asking; to the word %s it ends %j', async (word, expected) => {
    const outcomes = new Set<string>();
    let asked = 0;
    for (let at = 1, changed = true; changed; at++) {
      world = new World();
      world.item = liveItem();
      world.live(generationOf(1));
      world.time = start + 200_000;
      plan = await world.plan(pushOf(2));
      [asked, world.whileHeld] = [
        0,
        async () => {
          asked += 1;
          if (word !== undefined) await say(word);
          else if (world.item.deployment?.phase === 'restoring') world.rule = plan.weightsBefore;
        },
      ];
      let calls = 0;
      world.onCall = (call, moment) => {
        // Between the look at the rule and its write nobody can see a change: ELB has no conditional write.
        if (call === 'traffic.shift' && moment === 'before') return;
        calls += 1;
        if (calls === at) world.rule = theirs;
      };
      await deploy(world, plan, 8);
      const outcome = world.item.deployment?.outcome ?? '';
      outcomes.add(outcome);
      const ours = weightsOf(outcome === 'live' ? { green: 100 } : { blue: 100 });
      // Who was not asked wrote after the last look, or never.
      changed = calls >= at;
      const kept = changed && asked === 0 ? theirs : ours;
      expect([at, world.rule]).toEqual([at, kept]);
      expect([at, world.item.owner]).toEqual([at, null]);
    }
    expect([...outcomes].toSorted()).toEqual(expected);
  });
});

describe('a way back that is barred', () => {
  /** The alarm turns red while `bars` stands in the way. */
  const goBack = async (bars: () => void): Promise<void> => {
    world.onCall = (call, moment) => {
      if (call !== 'alarms.states' || moment !== 'before') return;
      world.onCall = () => {};
      world.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '5 > 1' }];
      bars();
    };
    await deploy(world, plan, 0);
  };

  it('by weights of a stranger is gone once they are put back by hand', async () => {
    words(
      async () => {},
      async () =>
        expect(world.item.deployment).toMatchObject({ phase: 'restoring', hold: { kind: 'needsHand' } }),
      async () => (world.rule = weightsOf({ blue: 100 })),
    );
    await goBack(() => (world.rule = weightsOf({ blue: 50, red: 50 })));
    expect(rules().at(-1)).toBe('rule: blue 90, green 10');
    expect(world.item).toMatchObject({
      weights: { blue: 100 },
      deployment: { outcome: 'restored', hold: null },
    });
  });

  it.each(['resume', 'abort'] as const)('by weights of a stranger is gone on a person’s %s', async (word) => {
    words(
      async () => {},
      async () => say(word),
    );
    await goBack(() => (world.rule = weightsOf({ blue: 50, red: 50 })));
    expect(rules().at(-1)).toBe('rule: blue 100');
    expect(world.item.deployment?.outcome).toBe('restored');
  });

  it('by AWS for hours keeps both generations up, tells few, and works as soon as AWS does', async () => {
    let calls = 0;
    let looks = 0;
    const healed = () => (looks > 60 ? undefined : 'Cutover.AwsRefused');
    world.whileHeld = async () => {
      looks += 1;
      expect([...world.fleets.keys()]).toEqual(['web-g0001', 'web-g0002']);
    };
    const told: string[] = [];
    let before = world.item;
    await goBack(() => {
      world.onCall = (call, moment) => {
        told.push(...chaptersOf(before, world.item).map(({ kind }) => kind));
        before = world.item;
        if (call !== 'traffic.shift' || moment !== 'before' || healed() === undefined) return;
        calls += 1;
        world.fail('traffic.shift', 'before', 'Cutover.AwsRefused');
      };
    });
    expect(calls).toBe(61);
    expect(world.item.deployment).toMatchObject({
      outcome: 'restored',
      reason: expect.stringContaining('web-errors'),
    });
    // Five hours.
    expect(told.filter((kind) => kind === 'needsHand')).toHaveLength(1);
    expect(told.filter((kind) => kind === 'reminded')).toHaveLength(7);
  });

  it('by a guard is tried on a person’s word, and stays barred', async () => {
    let asked = 0;
    world.whileHeld = async () => {
      asked += 1;
      if (asked === 1) await say('resume');
      if (asked === 3) world.live(generationOf(1));
    };
    await goBack(() => (world.fleets.get('web-g0001')!.health = 'unhealthy'));
    expect(asked).toBe(3);
    expect(rules().at(-1)).toBe('rule: blue 100');
  });
});

describe('a restore of what was promoted', () => {
  it('touches nothing, also when the next deployment has begun', async () => {
    await deploy(world, plan, 8);
    const item = world.item;
    const back = () =>
      restore({ direction: 'back', plan, failure: { Error: 'Lambda.Unknown' } }, world.ports);
    await expect(back()).rejects.toThrow(named('Cutover.Committed'));
    world.time += 60_000;
    await world.plan(pushOf(9));
    world.written();
    await expect(back()).rejects.toThrow(named('Cutover.Committed'));
    expect(world.written()).toEqual([]);
    expect(item.live?.name).toBe('web-g0002');
  });

  it('leaves it live when every answer of the promotion was lost', async () => {
    world.onCall = (call, moment) => {
      const promoted = world.item.live?.name === 'web-g0002';
      if (call === 'ledger.write' && moment === 'after' && promoted) world.fail('ledger.write', 'after');
    };
    await deploy(world, plan, 0);
    expect(world.item).toMatchObject({ live: { name: 'web-g0002' }, owner: null });
    expect(world.rule).toEqual(weightsOf({ green: 100 }));
  });
});

describe('a push that takes the place of what is deployed', () => {
  const push = (number: number, at = 'newer') =>
    planDeployment(
      {
        service: plan.settings.service,
        event: ecrEvent(pushOf(number)),
        execution: { arn: execution(at), redrives: 0 },
      },
      world.ports,
    );
  /** In the first bake. */
  const inBake = async (act: () => Promise<unknown>) => {
    const { ledger } = world.ports;
    const original = { ...ledger };
    let acted = false;
    const change: typeof ledger.change = async (service, decide) => {
      const done = await original.change(service, decide);
      if (!acted && world.item.wait?.for === 'bake') {
        acted = true;
        await act();
      }
      return done;
    };
    Object.assign(ledger, { change });
    await deploy(world, plan, 8);
  };

  beforeEach(() => {
    world.settings = settingsOf({ whenBusy: 'supersede' });
  });

  it('ends its wait, waits for the way back, and is no failure', async () => {
    await inBake(async () => {
      expect(await push(3)).toMatchObject({
        admission: 'queued',
        reason: 'it takes the place of web-g0002-d2 (shop/web:v2), which goes back first',
      });
      expect(world.ended.at(-1)).toMatchObject({ how: 'Cutover.Superseded' });
      expect(world.ended.at(-1)?.token).toBe(world.item.wait?.token);
    });
    expect(world.item).toMatchObject({
      pending: { tag: 'v3' },
      owner: null,
      live: { name: 'web-g0001' },
      deployment: { outcome: 'superseded', reason: 'shop/web:v3 takes its place' },
    });
    expect(world.rule).toEqual(weightsOf({ blue: 100 }));
    world.time += 60_000;
    expect(await push(3, 'offered')).toMatchObject({ admission: 'admitted' });
  });

  it('ends the wait when Plan comes again, should the first have been lost', async () => {
    await inBake(async () => {
      world.fail('waits.end');
      await expect(push(3)).rejects.toThrow(named('Cutover.AwsUnavailable'));
      const { version } = world.item;
      await push(3);
      expect(world.item.version).toBe(version);
      expect(world.ended.at(-1)).toMatchObject({ how: 'Cutover.Superseded' });
    });
    expect(world.item.deployment?.outcome).toBe('superseded');
  });

  it('is latched when no wait is under way, and obeyed by the next step', async () => {
    await push(3);
    expect(world.ended).toEqual([]);
    await deploy(world, plan, 8);
    expect(world.item.deployment).toMatchObject({ outcome: 'superseded', step: -1 });
  });

  it('of a first deployment removes it', async () => {
    world = new World();
    world.settings = settingsOf({ whenBusy: 'supersede' });
    world.time = start + 200_000;
    plan = await world.plan(pushOf(2));
    await push(3);
    await deploy(world, plan, 8);
    expect(world.item).toMatchObject({ live: null, deployment: { outcome: 'removed' } });
  });

  it('waits for what goes back already, and for what a person ordered', async () => {
    await shiftAndTurn();
    expect(await push(3)).toMatchObject({
      admission: 'queued',
      reason: expect.stringContaining('it waits for'),
    });
    expect(world.item.deployment?.latch.superseded).toBeNull();
    world = new World();
    world.settings = settingsOf({ whenBusy: 'supersede' });
    world.item = goingBack(replacedItem()).item;
    world.rule = weightsOf({ green: 100 });
    expect(await push(3)).toMatchObject({
      admission: 'queued',
      reason: expect.stringContaining('it waits for'),
    });
    expect(world.item.deployment?.latch.superseded).toBeNull();
  });

  async function shiftAndTurn(): Promise<void> {
    world.launchesAs = { health: 'healthy' };
    await restore({ direction: 'back', plan, failure: because('red') }, world.ports);
  }
});

describe('a push that waited while the alarm is red', () => {
  it('is told once, however many alarms are', () => {
    const names = Array.from({ length: 60 }, (_, at) => `alarm-${at}-`.padEnd(80, 'x'));
    const objections = names.map((redAlarm) => ({
      severity: 'refuse' as const,
      check: 'alarms' as const,
      redAlarm,
      words: 'red',
    }));
    const first = admit(liveItem({ pending: pendingOf(2) }), offerOf(pushOf(2), { objections }));
    const run = { arn: execution('again'), redrives: 0 };
    expect(admit(first.item, offerOf(pushOf(2), { objections, execution: run })).item).toBe(first.item);
  });

  it('waits on, which is told once, and is deployed when the alarm is green', async () => {
    world = new World();
    world.live(generationOf(1));
    world.item = liveItem({ pending: pendingOf(2) });
    world.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '5 > 1' }];
    const offer = (number: number) =>
      planDeployment(
        {
          service: plan.settings.service,
          event: ecrEvent(pushOf(2)),
          execution: { arn: execution(`offer-${number}`), redrives: 0 },
        },
        world.ports,
      );
    const reason = 'it waits for the alarm web-errors to turn green, and is offered again every few minutes';
    expect(await offer(1)).toEqual({ admission: 'queued', plan: null, reason, notBefore: null });
    const told = world.item;
    expect(told).toMatchObject({ pending: pendingOf(2), intake: { admission: 'queued', reason } });
    world.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '6 > 1' }];
    await offer(2);
    expect(world.item).toEqual(told);
    world.alarmStates = [{ name: 'web-errors', state: 'OK', reason: '' }];
    expect(await offer(3)).toMatchObject({ admission: 'admitted' });
    expect(world.item.pending).toBeNull();
  });
});

describe('a slow invocation of a wait that is over', () => {
  it('neither writes its token nor ends anything', async () => {
    await bake();
    const late = {
      plan,
      for: 'healthy' as const,
      deadline: start,
      recheckSeconds: 60,
      token: 'late',
      entered: start,
    };
    expect(await awaitSignal(late, world.ports)).toMatchObject({
      remark: expect.stringContaining('too late'),
    });
    expect(world.item.wait?.token).toBe('now');
    expect(world.ended).toEqual([]);
  });

  async function bake(): Promise<void> {
    await launch({ plan }, world.ports);
    await shift({ direction: 'forward', plan, step: plan.steps[0]!, index: 0 }, world.ports);
    const input = {
      plan,
      for: 'bake' as const,
      due: world.time + 60_000,
      asking: false,
      deadline: world.time + 60_000,
      recheckSeconds: 60,
      token: 'now',
    };
    await awaitSignal({ ...input, entered: world.time }, world.ports);
  }
});
