/** What becomes of a service whose owner died. */
import { describe, expect, it } from 'vitest';
import {
  launched,
  promoted,
  restored,
  restoredWeights,
  restoring,
  retiring,
  shifted,
  waiting,
} from '../../functions/core/deployment/course.ts';
import {
  type ExecutionStatus,
  hasEnded,
  type Recovery,
  recover,
} from '../../functions/core/deployment/recovery.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { admitted, baking, because, ended, execution, goingBack, liveItem, start } from './examples.ts';

const dead = execution('event-2');
const later = start + 900_000;

function recovering(changes: Partial<Recovery> = {}): Recovery {
  return {
    execution: { arn: execution('recover'), redrives: 0 },
    status: 'ABORTED',
    owner: dead,
    now: later,
    ...changes,
  };
}

describe('an owner', () => {
  it.each<[ExecutionStatus, boolean]>([
    ['RUNNING', false],
    ['PENDING_REDRIVE', false],
    ['SUCCEEDED', true],
    ['FAILED', true],
    ['TIMED_OUT', true],
    ['ABORTED', true],
    ['unknown', true],
  ])('that is %s has ended: %s', (status, expected) => {
    expect(hasEnded(status, start, later)).toBe(expected);
  });

  it('that cannot be found has not ended while it may only have begun', () => {
    expect(hasEnded('unknown', start, start + 599_999)).toBe(false);
    expect(hasEnded('unknown', start, start + 600_000)).toBe(true);
  });
});

describe('a deployment whose owner died', () => {
  const canary = baking(1);
  const token = { token: 'token', for: 'bake' as const, deadline: start, entered: start };
  const back = restoring(canary.item, canary.plan, canary.item.weights!, because('the alarm is red'), start);

  it.each<[string, ServiceItem, string]>([
    ['launching', admitted().item, 'while it was launching'],
    ['proving', baking(0).item, 'while it was proving'],
    ['baking', canary.item, 'while it was baking'],
    ['waiting', waiting(canary.item, canary.plan, token), 'while it was baking'],
    ['at all the traffic', baking(2).item, 'while it was baking'],
    ['going back', back, 'the alarm is red'],
    ['settling', restoredWeights(back, canary.plan, start, start), 'the alarm is red'],
    ['a rollback', goingBack().item, 'while it was launching'],
  ])('is taken over to go back, never forward, when it died %s', (_, item, words) => {
    const owner = item.owner!.execution;
    const taken = recover(item, recovering({ owner }));
    expect(taken.admission).toMatchObject({
      admission: 'recover',
      plan: { ...item.deployment!.plan, fence: item.fence + 1 },
      reason: expect.stringContaining(words) as string,
    });
    expect(taken.item).toEqual({
      ...item,
      fence: item.fence + 1,
      owner: { execution: execution('recover'), redrives: 0, since: later },
      wait: null,
      deployment: {
        ...item.deployment,
        plan: taken.admission.plan,
        reason: taken.admission.reason,
        turned: item.deployment!.turned ?? { error: 'Cutover.Died', at: later },
      },
    });
  });

  it('is told what happened: by which execution, how it ended, and when', () => {
    const { item, admission } = recover(canary.item, recovering({ status: 'TIMED_OUT' }));
    expect(admission.reason).toBe(
      `the execution ${dead} ended (TIMED_OUT) in the middle of web-g0002-d2, while it was baking`,
    );
    expect(chaptersOf(canary.item, item)).toMatchObject([
      { kind: 'goingBack', reason: admission.reason, at: later },
    ]);
  });

  it('waits until nothing of the dead owner can be writing any more', () => {
    const item = { ...canary.item, mutatingUntil: later + 45_000 };
    const iso = (time: number) => new Date(time).toISOString();
    expect(recover(item, recovering()).admission.notBefore).toBe(iso(later + 45_000));
    const past = { ...canary.item, mutatingUntil: start };
    expect(recover(past, recovering()).admission.notBefore).toBe(iso(later));
  });

  it('is taken over once: a repeat in the same execution says the same and changes nothing', () => {
    const first = recover(canary.item, recovering());
    const again = recover(first.item, recovering({ status: 'RUNNING', owner: execution('recover') }));
    expect(again.item).toBe(first.item);
    expect(again.admission).toEqual(first.admission);
  });

  it('may change nothing more when it is redriven', () => {
    const { item } = recover(canary.item, recovering());
    const { plan } = canary;
    const fencedOut = expect.objectContaining({ name: 'Cutover.FencedOut' });
    expect(() => launched(item, plan, 2)).toThrow(fencedOut);
    expect(() => shifted(item, plan, plan.steps[1]!, 1, later)).toThrow(fencedOut);
    expect(() => promoted(item, plan, later)).toThrow(fencedOut);
    expect(() => restoring(item, plan, item.weights!, because('why'), later)).toThrow(fencedOut);
  });

  it('is taken over again when the recovery died too, with its first reason', () => {
    const first = recover(canary.item, recovering());
    const second = recover(
      first.item,
      recovering({
        execution: { arn: execution('recover-2'), redrives: 0 },
        owner: execution('recover'),
        now: later + 600_000,
      }),
    );
    expect(second.admission).toMatchObject({
      admission: 'recover',
      plan: { fence: 4, deployment: 'web-g0002-d2' },
      reason: first.admission.reason,
    });
    expect(chaptersOf(first.item, second.item)).toEqual([]);
    expect(restored(second.item, second.admission.plan!, later)).toMatchObject({
      owner: null,
      fence: 4,
      deployment: { outcome: 'restored' },
    });
  });
});

describe('nothing is recovered', () => {
  it.each<[string, ServiceItem, Partial<Recovery>, string]>([
    ['when nobody has the service', liveItem(), { owner: undefined }, 'nobody holds web'],
    ['when its owner lives', baking(1).item, { status: 'RUNNING' }, `${dead} holds web and has not ended`],
    [
      'when another took it since',
      baking(1).item,
      { owner: execution('event-1') },
      `${dead} holds web and has not ended`,
    ],
    [
      'when its owner began just now and cannot be found yet',
      baking(1).item,
      { status: 'unknown', now: baking(1).item.owner!.since + 1_000 },
      `${dead} holds web and has not ended`,
    ],
  ])('%s', (_, item, changes, reason) => {
    const decided = recover(item, recovering(changes));
    expect(decided.item).toBe(item);
    expect(decided.admission).toMatchObject({
      admission: 'nothing',
      plan: null,
      reason: expect.stringContaining(reason) as string,
    });
  });
});

describe('a retirement whose owner died', () => {
  const held = retiring(ended().item, execution('retire'), start);
  const retirement = (now: number) => recovering({ owner: execution('retire'), now });

  it('sets the service free, with what it retains', () => {
    const { item, admission } = recover(held, retirement(held.mutatingUntil));
    expect(item).toEqual({ ...held, owner: null, intent: null, wait: null });
    expect(admission).toMatchObject({ admission: 'nothing', plan: null });
    expect(admission.reason).toContain('has ended (ABORTED); web is free again');
  });

  it('holds it for as long as a function of it may still be ending what a rollback would make live', () => {
    const { item, admission } = recover(held, retirement(held.mutatingUntil - 1));
    expect(item).toBe(held);
    expect(admission.reason).toContain('may still be writing until 2026-01-01T12:01:30.000Z');
  });
});
