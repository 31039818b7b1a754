/** An order to go back, through the fakes: what is written, what is asked, and what a failure leaves. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import type { CutoverError, ErrorName } from '../../functions/core/errors.ts';
import { latch } from '../../functions/core/signals/latch.ts';
import { launch } from '../../functions/steps/launch.ts';
import { planDeployment } from '../../functions/steps/plan-deployment.ts';
import { planRollback, planRollbackInput } from '../../functions/steps/plan-rollback.ts';
import { restore } from '../../functions/steps/restore.ts';
import { retire } from '../../functions/steps/retire.ts';
import { shift } from '../../functions/steps/shift.ts';
import { terminate } from '../../functions/steps/terminate.ts';
import {
  ecrEvent,
  execution,
  generationOf,
  green,
  pushOf,
  replacedItem,
  retainedOf,
  settingsOf,
  start,
  web,
  weightsOf,
} from '../core/examples.ts';
import { deploy } from './machine.ts';
import { World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
  world.item = replacedItem();
  world.rule = weightsOf({ green: 100 });
  world.live(generationOf(1));
  world.live(generationOf(2, green));
  world.time = start + 600_000;
});

const named = (name: ErrorName) => expect.objectContaining({ name }) as CutoverError;
const run = { arn: execution('rollback'), redrives: 0 };
const order = (given: object = { service: 'web', by: 'ann', reason: 'slow' }) =>
  planRollback(planRollbackInput.parse({ ...given, execution: run }), world.ports);
const effects = () => world.trace.filter((write) => !write.startsWith('ledger'));

async function ordered(given?: object): Promise<Plan> {
  const admission = await order(given);
  if (admission.plan === null) throw new Error(admission.reason);
  return JSON.parse(JSON.stringify(admission.plan)) as Plan;
}

const asBefore = () => {
  const { live, retained, proven, held } = replacedItem();
  return { owner: null, live, retained, proven, held, deployment: { outcome: 'restored' } };
};

describe('plan', () => {
  it('takes the service and writes nothing else; a repeat returns the same plan', async () => {
    const first = await order();
    expect(first).toMatchObject({ admission: 'admitted', plan: { direction: 'back', kept: true } });
    expect(world.written()).toEqual(['ledger: admitted']);
    expect(await order()).toMatchObject({ plan: first.plan });
    expect(world.written()).toEqual([]);
  });

  it('finds its own plan when its answer was lost', async () => {
    world.fail('ledger.write', 'after');
    await expect(order()).rejects.toThrow(named('Cutover.AwsUnavailable'));
    expect(await order()).toMatchObject({ admission: 'admitted', plan: { fence: 3 } });
  });

  it('asks no alarm', async () => {
    world.onCall = (call) => expect(call).not.toBe('alarms.states');
    await order();
  });

  it.each<[string, object, string]>([
    [
      'is not valid, with every mistake',
      { servce: 'web', by: '' },
      'the order is not valid; nothing was changed. service: ',
    ],
    ['has mistakes in several places', { service: 'web', to: 0, by: '' }, 'by: '],
    ['gives nothing', {}, 'The least is {"service":"web"}'],
    ['names a generation that is not known', { service: 'web', to: 'v9' }, 'One can go back to: web-g0001'],
    ['names what is live', { service: 'web', to: 'v2' }, 'web-g0002 (shop/web:v2) is live already'],
  ])('refuses an order that %s', async (_, given, reason) => {
    expect(await order(given)).toEqual({
      admission: 'rejected',
      plan: null,
      reason: expect.stringContaining(reason) as string,
      notBefore: null,
    });
    expect(world.item).toMatchObject({ owner: null, fence: 2 });
  });

  it('refuses an order for a service that is not declared, and keeps no item of it', async () => {
    world.settings = undefined;
    expect(await order()).toMatchObject({
      admission: 'rejected',
      reason: expect.stringContaining('no service web is declared') as string,
    });
    expect(world.written()).toEqual([]);
  });

  it('refuses an order while a deployment runs, and says how to end that', async () => {
    await world.plan(pushOf(3));
    expect(await order()).toMatchObject({
      admission: 'rejected',
      reason: expect.stringMatching(/^web-g0003-d3 holds the service\. To end it now, .*"abort"/) as string,
    });
  });

  it.each<[string, (to: World) => unknown, ErrorName]>([
    ['settings are not valid', (to) => (to.settings = {}), 'Cutover.InvalidInput'],
    ['the rule cannot be read', (to) => to.fail('traffic.weights'), 'Cutover.AwsUnavailable'],
    [
      'the rule is not ours',
      (to) => to.fail('traffic.weights', 'before', 'Cutover.RuleNotOurs'),
      'Cutover.RuleNotOurs',
    ],
  ])('takes nothing when %s', async (_, given, name) => {
    given(world);
    await expect(order()).rejects.toThrow(named(name));
    expect(world.written()).toEqual([]);
  });
});

describe('a rollback to a generation that is kept at full size', () => {
  it('writes the rule once and nothing to the fleet, and asks no alarm and nobody else', async () => {
    world.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '5 > 1' }];
    const plan = await ordered();
    const calls: string[] = [];
    world.onCall = (call, when) => when === 'before' && calls.push(call);
    await deploy(world, plan, 0);
    expect(effects()).toEqual(['rule: blue 100']);
    const forbidden = /^(fleet\.(launch|resize|terminate)|alarms|executions|settings)/;
    expect(calls.filter((call) => forbidden.test(call))).toEqual([]);
    expect(world.item).toMatchObject({
      owner: null,
      live: { name: 'web-g0001', slot: 'blue' },
      retained: [{ generation: { name: 'web-g0002' } }],
      held: [{ generation: 'web-g0002', by: 'ann', reason: 'slow' }],
      deployment: { outcome: 'live' },
    });
  });

  it('is not stopped by an alarm that turns red, nor by one that cannot be found', async () => {
    const plan = await ordered({ service: 'web', strategy: { kind: 'allAtOnce', bakeSeconds: 120 } });
    world.alarmStates = [];
    const red = { kind: 'alarm', alarm: 'web-errors', reason: '5 > 1', at: world.time + 5_000 } as const;
    world.item = latch(world.item, red, world.time).item;
    await deploy(world, plan, 0);
    expect(world.item.deployment?.outcome).toBe('live');
  });

  it('deploys nothing of what it left, until that is released', async () => {
    await deploy(world, await ordered(), 0);
    world.alarmStates = [{ name: 'web-errors', state: 'OK', reason: '' }];
    const again = ecrEvent({ ...pushOf(3), digest: pushOf(2).digest });
    const push = (name: string) =>
      planDeployment(
        { service: web, event: again, execution: { arn: execution(name), redrives: 0 } },
        world.ports,
      );
    expect(await push('held')).toMatchObject({
      admission: 'nothing',
      reason: expect.stringContaining('is held since ann went back from web-g0002 (slow)') as string,
    });
    world.item = latch(world.item, { kind: 'release', service: web, by: 'ann' }, world.time).item;
    expect(await push('released')).toMatchObject({ admission: 'admitted' });
  });

  it('leaves what it left to the retire machine, and never what it went to', async () => {
    const plan = await ordered();
    world.time = start + 3_600_000 + 1;
    const visit = () => retire({ service: web, execution: execution('retire') }, world.ports);
    expect(await visit()).toMatchObject({ retired: [] });
    await deploy(world, plan, 0);
    expect(await visit()).toMatchObject({ retired: [] });
    world.time += 3_600_000;
    expect(await visit()).toEqual({ retired: ['web-g0002'], next: null });
    expect(world.fleets.has('web-g0001')).toBe(true);
  });
});

describe('a rollback to a generation that is kept smaller', () => {
  it('makes it as large as what is live, waits until it is healthy, and shifts then', async () => {
    world.live(generationOf(1), 1);
    await deploy(world, await ordered(), 0);
    expect(effects()).toEqual(['fleet: web-g0001 resized to 4', 'rule: blue 100']);
    expect(world.item.deployment).toMatchObject({ outcome: 'live', desired: 4 });
  });

  it('leaves a larger one as it is', async () => {
    world.live(generationOf(1), 9);
    await deploy(world, await ordered(), 0);
    expect(effects()).toEqual(['rule: blue 100']);
  });
});

describe('a rollback to a generation that was made small', () => {
  const visit = () => retire({ service: web, execution: execution('retire') }, world.ports);
  const size = () => world.fleets.get('web-g0001')?.desired;

  beforeEach(async () => {
    world.settings = settingsOf({ retentionFloor: 1 });
    world.item = replacedItem({
      retained: [retainedOf(generationOf(1), start + 3_600_000, { fullUntil: start })],
      deployment: { ...(await ordersOf()).deployment!, outcome: 'live' },
      owner: null,
    });
    await visit();
    world.written();
  });

  /** The item of a deployment of this service, whose settings `retire` goes by. */
  async function ordersOf() {
    await order();
    return world.item;
  }

  it('makes it as large as what is live, and gives it weight when it is healthy; two writes to AWS', async () => {
    expect(size()).toBe(1);
    await deploy(world, await ordered(), 0);
    expect(effects()).toEqual(['fleet: web-g0001 resized to 4', 'rule: blue 100']);
    expect(world.item).toMatchObject({
      live: { name: 'web-g0001' },
      retained: [{ generation: { name: 'web-g0002' }, fullUntil: world.time }],
    });
  });

  it('that fails lets it be made small again', async () => {
    const plan = await ordered();
    world.onCall = (call) => call === 'fleet.resize' && (world.fleets.get('web-g0001')!.health = 'unhealthy');
    await deploy(world, plan, 0);
    expect(effects()).toEqual(['fleet: web-g0001 resized to 4']);
    expect(world.rule).toEqual(weightsOf({ green: 100 }));
    world.onCall = () => {};
    world.time += 300_000;
    await visit();
    expect(size()).toBe(1);
  });
});

describe('a rollback to a generation that is gone', () => {
  it('launches it from its digest like it was, and goes there when it is healthy', async () => {
    world.item = replacedItem({ retained: [] });
    world.fleets.delete('web-g0001');
    await deploy(world, await ordered(), 0);
    expect(effects()).toEqual(['fleet: web-g0003 launched with 4 like web-g0001', 'rule: blue 100']);
    expect(world.item).toMatchObject({
      live: { name: 'web-g0003', tag: 'v1', digest: pushOf(1).digest },
      retained: [{ generation: { name: 'web-g0002' } }],
    });
  });

  it('ends what it launched when that does not become healthy, and all is as before', async () => {
    world.item = replacedItem({ retained: [] });
    world.fleets.delete('web-g0001');
    world.launchesAs = { health: 'unhealthy' };
    await deploy(world, await ordered(), 0);
    expect(effects()).toEqual(['fleet: web-g0003 launched with 4 like web-g0001', 'fleet: web-g0003 ended']);
    expect(world.item).toMatchObject({ ...asBefore(), retained: [] });
  });

  it('though the ledger keeps it, fails with words, and launches it anew the next time', async () => {
    world.fleets.delete('web-g0001');
    const plan = await ordered();
    await expect(launch({ plan }, world.ports)).rejects.toThrow(
      'web-g0001 was kept, but does not run any more: somebody deleted it. Order the rollback again: it is launched anew',
    );
    await deploy(world, plan, 0);
    expect(effects()).toEqual([]);
    expect(world.item).toMatchObject({ ...asBefore(), retained: [] });
    const next = await planRollback(
      { service: 'web', execution: { arn: execution('again'), redrives: 0 } },
      world.ports,
    );
    expect(next).toMatchObject({ plan: { kept: false, copyOf: { name: 'web-g0001' } } });
  });
});

describe('a rollback that fails', () => {
  it.each<[string, (to: World) => unknown]>([
    ['its generation is not healthy', (to) => (to.fleets.get('web-g0001')!.health = 'unhealthy')],
    [
      'strangers are in the slot',
      (to) => (to.strangers = { [generationOf(1).slot]: [{ id: 'stranger', state: 'healthy' }] }),
    ],
    [
      'a person ends it',
      (to) => {
        const stop = { kind: 'abort', service: web, by: 'bob', reason: 'no' } as const;
        to.item = latch(to.item, stop, to.time).item;
      },
    ],
  ])('because %s leaves everything as before, and its generation kept', async (_, given) => {
    const plan = await ordered();
    given(world);
    await deploy(world, plan, 0);
    expect(effects()).toEqual([]);
    expect(world.item).toMatchObject(asBefore());
    expect(world.fleets.has('web-g0001')).toBe(true);
    expect(world.rule).toEqual(weightsOf({ green: 100 }));
  });

  it('after the shift puts the weights back, and ends nothing', async () => {
    const plan = await ordered({ service: 'web', strategy: { kind: 'allAtOnce', bakeSeconds: 300 } });
    world.onCall = () => {
      if (world.rule[generationOf(1).slot] === 100) world.fleets.get('web-g0001')!.health = 'unhealthy';
    };
    await deploy(world, plan, 0);
    expect(effects()).toEqual(['rule: blue 100', 'rule: green 100']);
    expect(world.item).toMatchObject(asBefore());
    expect([...world.fleets.keys()]).toEqual(['web-g0001', 'web-g0002']);
  });
});

describe('the way back of a rollback', () => {
  it('waits for nothing to settle: what it went to is kept, not ended', async () => {
    const plan = await ordered();
    await launch({ plan }, world.ports);
    await shift({ direction: 'forward', plan, step: plan.steps[0]!, index: 0 }, world.ports);
    const failure = { Error: 'Cutover.Aborted', Cause: 'no' };
    expect(await restore({ direction: 'back', plan, failure }, world.ports)).toMatchObject({
      quietSeconds: 0,
    });
    for (let time = 0; time < 2; time++)
      expect(await terminate({ plan }, world.ports)).toMatchObject({ terminated: null });
    expect(world.fleets.has('web-g0001')).toBe(true);
  });
});

describe('with two slots', () => {
  it('goes back to what is due but not yet ended, and what it left is due at once', async () => {
    world.settings = settingsOf({}, ['blue', 'green']);
    world.item = replacedItem({
      retained: [retainedOf(generationOf(1), start)],
      weights: { [generationOf(1).slot]: 0, [green]: 100 },
    });
    world.rule = { [generationOf(1).slot]: 0, [green]: 100 };
    await deploy(world, await ordered(), 0);
    expect(world.item).toMatchObject({
      live: { name: 'web-g0001' },
      retained: [{ generation: { name: 'web-g0002' } }],
    });
    expect(world.item.retained[0]!.until).toBeLessThanOrEqual(world.time);
  });
});
