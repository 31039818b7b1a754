import { describe, expect, it } from 'vitest';
import {
  intending,
  launched,
  promoted,
  restored,
  restoredWeights,
  restoring,
  retired,
  retiring,
  shifted,
  waiting,
} from '../../functions/core/deployment/course.ts';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import type { Deployment, ServiceItem } from '../../functions/core/ledger/service-item.ts';
import {
  admitted,
  baking,
  because,
  ended,
  execution,
  generationOf,
  green,
  liveItem,
  offerOf,
  pushOf,
  retainedOf,
  start,
  weightsOf,
} from './examples.ts';

type Change = (item: ServiceItem, plan: Plan) => ServiceItem;

const launch = { kind: 'launch', before: null, after: null } as const;
const wait = { token: 'token', for: 'healthy', deadline: start, entered: start } as const;
const shift = (plan: Plan) => ({
  kind: 'shift' as const,
  before: plan.weightsBefore,
  after: plan.steps[0]!.weights,
});

const forward: readonly [string, Change][] = [
  ['an intent to launch', (item, plan) => intending(item, plan, launch, start)],
  ['an intent to shift', (item, plan) => intending(item, plan, shift(plan), start)],
  ['a launch', (item, plan) => launched(item, plan, 2)],
  ['a wait', (item, plan) => waiting(item, plan, wait)],
  ['a shift', (item, plan) => shifted(item, plan, plan.steps[0]!, 0, start)],
  ['a promotion', (item, plan) => promoted(item, plan, start)],
];
const back: readonly [string, Change][] = [
  ['the way back', (item, plan) => restoring(item, plan, plan.weightsBefore, because('why'), start)],
  ['weights put back', (item, plan) => restoredWeights(item, plan, start, start)],
  ['an intent to terminate', (item, plan) => intending(item, plan, { ...launch, kind: 'terminate' }, start)],
  ['a restore', (item, plan) => restored(item, plan, start)],
];

/** The service taken over by a newer deployment. */
function takenOver(item: ServiceItem, outcome: Deployment['outcome'] = 'restored'): ServiceItem {
  const free = {
    ...item,
    owner: null,
    weights: weightsOf({ blue: 100 }),
    deployment: { ...item.deployment!, outcome },
  };
  return admitted(free, offerOf(pushOf(9))).item;
}

const fencedOut = expect.objectContaining({ name: 'Cutover.FencedOut' });

describe('a deployment whose fence was passed on', () => {
  it.each([...forward, ...back])('may not record %s', (_, change) => {
    const { item, plan } = baking(1);
    expect(() => change(takenOver(item), plan)).toThrow(fencedOut);
  });

  it('is told which fence it holds and which was issued since', () => {
    const { item, plan } = baking(1);
    expect(() => launched(takenOver(item), plan, 2)).toThrow(
      'web-g0002-d2 holds fence 2, but fence 3 was issued since; this execution may change nothing more',
    );
  });
});

describe('a deployment that has ended', () => {
  it.each([...forward, ...back].filter(([what]) => what !== 'a promotion' && what !== 'a restore'))(
    'may not record %s',
    (_, change) => {
      const { item, plan } = ended();
      expect(() => change(item, plan)).toThrow('web-g0002-d2 has ended (live); nothing more may be changed');
    },
  );

  it('is promoted once: a repeat changes nothing', () => {
    const { item, plan } = ended();
    expect(promoted(item, plan, start + 9_999_999)).toBe(item);
  });

  it('is promoted once, also when the service was taken for a retirement since', () => {
    const { item, plan } = ended();
    const held = retiring(item, execution('retire'), start);
    expect(promoted(held, plan, start + 9_999_999)).toBe(held);
  });

  it('is promoted once, also when the next deployment has begun since', () => {
    const { item, plan } = ended();
    const next = admitted(item, offerOf(pushOf(3), { weights: weightsOf({ green: 100 }) })).item;
    expect(promoted(next, plan, start + 9_999_999)).toBe(next);
  });

  it('is restored once: a repeat changes nothing', () => {
    const { item, plan } = baking(1);
    const done = restored(item, plan, start);
    expect(restored(done, plan, start + 1)).toBe(done);
    const held = retiring(done, execution('retire'), start);
    expect(restored(held, plan, start + 1)).toBe(held);
  });

  it('that went back can never be promoted', () => {
    const { item, plan } = baking(1);
    expect(() => promoted(restored(item, plan, start), plan, start)).toThrow(fencedOut);
  });
});

describe('a deployment that goes back', () => {
  it.each(forward)('may not record %s any more', (_, change) => {
    const { item, plan } = baking(1);
    const returning = restoring(item, plan, item.weights!, because('why'), start);
    expect(() => change(returning, plan)).toThrow(fencedOut);
  });

  it('keeps its first reason', () => {
    const { item, plan } = baking(1);
    const once = restoring(item, plan, item.weights!, because('the first'), start);
    expect(restoring(once, plan, item.weights!, because('the second'), start).deployment?.reason).toBe(
      'the first',
    );
  });

  it('keeps a reason short enough to be told', () => {
    const { item, plan } = baking(1);
    const reason = restoring(item, plan, item.weights!, because('x'.repeat(100_000)), start).deployment
      ?.reason;
    expect(reason?.length).toBeLessThanOrEqual(2_000);
  });
});

describe('a deployment with a latched signal against it', () => {
  it('is not promoted, whatever was judged before', () => {
    const { item, plan } = baking(2);
    const abort = { by: 'ann', reason: 'no', at: start };
    const stopped = {
      ...item,
      deployment: { ...item.deployment!, latch: { ...item.deployment!.latch, abort } },
    };
    expect(() => promoted(stopped, plan, start)).toThrow(
      expect.objectContaining({ name: 'Cutover.Aborted' }),
    );
  });
});

describe('the item', () => {
  it('forward: intent, launched, waiting, shifted, promoted', () => {
    const { item: fresh, plan } = admitted();
    const intended = intending(fresh, plan, launch, start);
    expect(intended).toMatchObject({
      intent: { ...launch, fence: 2, at: start },
      mutatingUntil: start + 90_000,
    });

    const up = launched(intended, plan, 4);
    expect(up).toMatchObject({ intent: null, deployment: { phase: 'proving', desired: 4 } });

    const waits = waiting(up, plan, wait);
    expect(waits.wait).toEqual(wait);

    const canary = shifted(intending(waits, plan, shift(plan), start), plan, plan.steps[0]!, 0, start + 1);
    expect(canary).toMatchObject({
      intent: null,
      weights: { blue: 90, green: 10 },
      weightsAt: start + 1,
      deployment: { phase: 'baking', step: 0 },
    });

    const whole = shifted(canary, plan, plan.steps[1]!, 1, start + 2);
    expect(whole).toMatchObject({ weights: { blue: 0, green: 100 }, deployment: { step: 1 } });

    const done = promoted(whole, plan, start + 3);
    expect(done).toMatchObject({
      owner: null,
      wait: null,
      intent: null,
      fence: 2,
      live: { name: 'web-g0002' },
      retained: [{ generation: { name: 'web-g0001' }, until: start + 3 + 3_600_000 }],
      deployment: { phase: 'ended', outcome: 'live', endedAt: start + 3 },
    });
  });

  it('back: the reason before the write, the weights, the end', () => {
    const { item, plan } = baking(1);
    const returning = restoring({ ...item, wait }, plan, item.weights!, because('red'), start + 5);
    expect(returning).toMatchObject({
      wait: null,
      intent: { kind: 'restore', before: { blue: 90, green: 10 }, after: { blue: 100, green: 0 } },
      deployment: { phase: 'restoring', reason: 'red' },
    });
    const settled = restoredWeights(returning, plan, start + 120_005, start + 6);
    expect(settled).toMatchObject({
      intent: null,
      weights: { blue: 100 },
      weightsAt: start + 6,
      deployment: { quietAt: start + 120_005 },
    });
    const done = restored(settled, plan, start + 130_000);
    expect(done).toMatchObject({
      owner: null,
      live: { name: 'web-g0001' },
      retained: [],
      deployment: { outcome: 'restored', phase: 'ended' },
    });
  });

  it('is without a live generation after the first one failed', () => {
    const { item, plan } = admitted(
      liveItem({ live: null, lastPush: null, admitted: [] }),
      offerOf(pushOf(1)),
    );
    expect(restored(item, plan, start)).toMatchObject({
      live: null,
      owner: null,
      deployment: { outcome: 'removed' },
    });
  });

  it('never goes back a step when one is repeated', () => {
    const { item, plan } = baking(2);
    expect(shifted(item, plan, plan.steps[0]!, 0, start).deployment?.step).toBe(1);
  });
});

describe('retiring', () => {
  const retained = [retainedOf(generationOf(0, green), start)];

  it('takes a service that nobody has, with a fence of its own, and gives it back', () => {
    const held = retiring(liveItem({ retained }), execution('retire'), start);
    expect(held).toMatchObject({
      fence: 2,
      owner: { execution: execution('retire') },
      mutatingUntil: start + 90_000,
    });
    expect(retiring(held, execution('retire'), start + 1)).toBe(held);
    expect(retired(held, execution('retire'), [retained[0]!.generation.name])).toMatchObject({
      owner: null,
      retained: [],
      fence: 2,
    });
    expect(retired(held, execution('retire'), [])).toMatchObject({ owner: null, retained });
  });

  it('waits while another execution has the service', () => {
    expect(() => retiring(baking(1).item, execution('retire'), start)).toThrow(
      expect.objectContaining({ name: 'Cutover.Busy' }),
    );
  });

  it("may change nothing once the service is another's", () => {
    expect(() => retired(baking(1).item, execution('retire'), [])).toThrow(fencedOut);
  });
});
