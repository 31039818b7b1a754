/** Instances that are drained before they end: who begins when, by what is declared now, and what is told. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beginning,
  begunIn,
  drained,
  drainedGenerations,
  draining,
  handedOn,
  isForgotten,
  mostDrains,
} from '../../functions/core/fleet/drain.ts';
import { isOpen } from '../../functions/core/ledger/ownership.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { isSpoken } from '../../functions/core/messages/chapter.ts';
import { messageOf } from '../../functions/core/messages/message.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { nameGeneration } from '../../functions/core/names.ts';
import { latch } from '../../functions/core/signals/latch.ts';
import { readSignal } from '../../functions/core/signals/signal.ts';
import { baking, generationOf, liveItem, retainedOf, settingsOf, start, web } from './examples.ts';

const generation = nameGeneration(web, 1);
const drain = { function: 'arn:aws:lambda:eu-west-1:1:function:drain', deadlineSeconds: 300, atOnce: 2 };
const asg = {
  kind: 'asg',
  unit: 'instance',
  launchTemplate: 'lt-0',
  launchTemplateVersion: '1',
  subnets: ['subnet-1'],
};
const of = (number: number) => ({ generation, instance: `i-${String(number).padStart(17, '0')}` });

/** A service that declares this; null: nothing. */
function declaring(atOnce: number | null, item: ServiceItem = baking(1).item): ServiceItem {
  const fleet = { ...asg, drain: atOnce === null ? null : { ...drain, atOnce } };
  const { deployment } = item;
  const plan = { ...deployment!.plan, settings: settingsOf({ fleet }) };
  return { ...item, deployment: { ...deployment!, plan } };
}

/** Instances 1, 2, 3 … are heard of, a second apart. */
const hearing = (item: ServiceItem, count: number): ServiceItem =>
  Array.from({ length: count }, (_, index) => index + 1).reduce(
    (next, number) => draining(next, of(number), start + number * 1_000).item,
    item,
  );

const atWork = ({ drains }: ServiceItem) =>
  drains.flatMap(({ instance, startedAt }) => (startedAt === null ? [] : [Number(instance.slice(2))]));

describe('of instances that are to end', () => {
  it.each<[string, number | null, number, number[]]>([
    ['as many drain as may together, the others wait', 2, 6, [1, 2]],
    ['all drain where they are few', 4, 3, [1, 2, 3]],
    ['one drains where one may', 1, 3, [1]],
    ['all are let go where nothing is declared', null, 3, [1, 2, 3]],
  ])('%s', (_, atOnce, count, expected) => {
    expect(atWork(hearing(declaring(atOnce), count))).toEqual(expected);
  });

  it('the one that waits longest begins when another is drained', () => {
    const six = hearing(declaring(2), 6);
    const mixed = { ...six, drains: six.drains.toReversed() };
    const next = drained(mixed, [of(1)], start + 60_000);
    expect(new Set(atWork(next))).toEqual(new Set([2, 3]));
    expect(new Set(atWork(drained(next, [of(2), of(3)], start + 60_000)))).toEqual(new Set([4, 5]));
  });

  it.each<[string, number, number | null, number[]]>([
    ['more may drain than before', 1, 3, [1, 2, 3]],
    ['fewer may', 2, 1, [1, 2]],
    ['none is drained any more', 1, null, [1, 2, 3, 4]],
  ])('what is declared now counts: %s', (_, before, now, expected) => {
    const item = declaring(now, hearing(declaring(before), 4));
    expect(atWork(beginning(item, start + 60_000))).toEqual(expected);
  });

  it('none begins above the lock, however they are heard of and drained', () => {
    const step = fc.record({ number: fc.integer({ min: 1, max: 9 }), ends: fc.boolean() });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), (atOnce, steps) => {
        let item = declaring(atOnce);
        for (const [at, { number, ends }] of steps.entries()) {
          item = ends ? drained(item, [of(number)], start + at) : draining(item, of(number), start + at).item;
          expect(atWork(item)).toHaveLength(Math.min(atOnce, item.drains.length));
        }
      }),
    );
  });

  it('one that is heard of twice, or ended twice, is the same', () => {
    const item = hearing(declaring(1), 2);
    expect(draining(item, of(2), start + 90_000)).toEqual({ item, remark: 'known before' });
    expect(draining(item, of(2), start + 90_000).item).toBe(item);
    expect(drained(item, [of(7)], start)).toBe(item);
    expect(beginning(item, start)).toBe(item);
  });

  it('none is noted of a service that the ledger does not know', () => {
    const item = { ...liveItem(), version: 0 };
    expect(draining(item, of(1), start).item).toBe(item);
  });

  it('so many are noted as the item holds, and no more', () => {
    const item = hearing(declaring(1), mostDrains + 5);
    expect(item.drains).toHaveLength(mostDrains);
    expect(JSON.stringify(item).length).toBeLessThan(256_000);
    expect(draining(item, of(mostDrains + 1), start).remark).toContain(
      '1000 instances drain or wait already',
    );
  });
});

it('a service of which an instance drains, or waits for that, is open', () => {
  expect(isOpen(liveItem())).toBe(false);
  expect(isOpen({ ...liveItem(), drains: hearing(declaring(1), 1).drains })).toBe(true);
});

describe('what EC2 Auto Scaling says of an instance that is about to end', () => {
  /** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html#terminate-lifecycle-action */
  const event = (detail: object = {}) => ({
    version: '0',
    id: '12345678-1234-1234-1234-123456789012',
    'detail-type': 'EC2 Instance-terminate Lifecycle Action',
    source: 'aws.autoscaling',
    account: '123456789012',
    time: '2026-01-05T12:00:00Z',
    region: 'us-west-2',
    resources: ['auto-scaling-group-arn'],
    detail: {
      LifecycleActionToken: '87654321-4321-4321-4321-210987654321',
      AutoScalingGroupName: 'web-g0001',
      LifecycleHookName: 'cutover-drain',
      EC2InstanceId: 'i-1234567890abcdef0',
      LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
      Origin: 'AutoScalingGroup',
      Destination: 'EC2',
      ...detail,
    },
  });

  it('is that it waits to be drained', () => {
    const signal = { kind: 'drain', service: web, generation, instance: 'i-1234567890abcdef0' };
    expect(readSignal(event())).toEqual({ kind: 'signal', signal });
  });

  it.each([
    [
      'for another hook',
      { LifecycleHookName: 'upload-logs' },
      'i-1234567890abcdef0 of web-g0001 waits for the hook upload-logs, which is not cutover-drain',
    ],
    ['of a group that is no generation', { AutoScalingGroupName: 'batch' }, 'batch is not a generation'],
  ])('is nothing %s', (_, detail, reason) => {
    expect(readSignal(event(detail))).toEqual({ kind: 'ignored', reason });
  });
});

it('a signal notes it, whether or not a deployment runs, and ends no wait', () => {
  const item = declaring(1);
  const ended = { ...item, owner: null, deployment: { ...item.deployment!, outcome: 'live' as const } };
  const heard = latch(ended, { kind: 'drain', service: web, ...of(1) }, start);
  expect(heard).toMatchObject({ end: undefined, remark: `${of(1).instance} drains` });
  expect(atWork(heard.item)).toEqual([1]);
});

it('the function is called for those that begin, and for those that are handed on', () => {
  const before = hearing(declaring(1), 2);
  const numbers = (after: ServiceItem, was: ServiceItem | null = before) =>
    begunIn(was, after).map(({ instance }) => Number(instance.slice(2)));
  expect(numbers(before, null)).toEqual([1]);
  expect(numbers({ ...before, version: 99 })).toEqual([]);
  expect(numbers(handedOn(before, of(1)))).toEqual([1]);
  expect(handedOn(before, of(3))).toBe(before);
  expect(numbers(drained(before, [of(1)], start))).toEqual([2]);
});

it.each<[string, number | null, number, boolean]>([
  ['within its time', 1, 299_000, false],
  ['while its caller may still end it', 1, 419_000, false],
  ['long after its time', 1, 420_000, true],
  ['where nothing is declared any more, soon', null, 120_000, true],
])('one that drains is forgotten or not: %s', (_, atOnce, ms, expected) => {
  const item = hearing(declaring(1), 1);
  const [first] = item.drains;
  expect(isForgotten(declaring(atOnce, item), first!, first!.startedAt! + ms)).toBe(expected);
});

it('one that waits is never forgotten', () => {
  const item = hearing(declaring(1), 2);
  expect(isForgotten(item, item.drains[1]!, start + 1e9)).toBe(false);
});

it('instances are looked for in all generations that were launched as groups, each once', () => {
  const elsewhere = { ...generationOf(7), fleet: { kind: 'ecs' } };
  const retained = [retainedOf(elsewhere, start), retainedOf(generationOf(3), start)];
  const item = { ...declaring(1), retained };
  // What is deployed in the examples remembers that it was launched on ECS.
  expect(item.deployment?.plan.to.fleet?.kind).toBe('ecs');
  expect(drainedGenerations(item)).toEqual(['web-g0001', 'web-g0003']);
  expect(drainedGenerations(liveItem())).toEqual([]);
  expect(drainedGenerations(baking(1).item)).toEqual([]);
});

describe('an instance that was not drained', () => {
  const fails = (item: ServiceItem, number: number, at: number) =>
    drained(item, [of(number)], at, { ...of(number), reason: 'it threw' });

  it('is told, and others of its generation only after an hour', () => {
    let item = hearing(declaring(1), 4);
    const told = [1, 2, 3].map((number, index) => {
      const before = item;
      item = fails(before, number, start + index * 1_800_000);
      return chaptersOf(before, item).map(({ kind, reason }) => `${kind} ${reason?.slice(-130)}`);
    });
    expect(told.map(({ length }) => length)).toEqual([1, 0, 1]);
    expect(told[0]![0]).toContain(`${of(1).instance}: it threw. That others of web-g0001`);
  });

  it('is told to people, in words that a repeat gives again', () => {
    const before = hearing(declaring(1), 1);
    const [chapter] = chaptersOf(before, fails(before, 1, start));
    expect(isSpoken(chapter!)).toBe(true);
    expect(chaptersOf(before, fails(before, 1, start))).toEqual([chapter]);
    expect(messageOf(chapter!).subject).toBe(
      'web: an instance of web-g0001 ended without having been drained',
    );
  });

  it('is nothing when it was ended before', () => {
    const item = declaring(1);
    expect(fails(item, 1, start)).toBe(item);
  });
});
