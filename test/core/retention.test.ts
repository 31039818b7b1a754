import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterPromotion,
  due,
  dueForVisit,
  fullAgain,
  nextVisit,
  putOff,
  type Retained,
  small,
  stillEnding,
} from '../../functions/core/deployment/retention.ts';
import {
  admitted,
  generationOf,
  goingBack,
  green,
  liveItem,
  offerOf,
  pushOf,
  retainedOf,
  settingsOf,
  start,
} from './examples.ts';

const retained = (number: number, until: number): Retained => retainedOf(generationOf(number, green), until);

describe('a replaced generation', () => {
  it('is kept for the retention', () => {
    const { plan } = admitted();
    expect(afterPromotion([], plan, start)).toEqual([retainedOf(generationOf(1), start + 3_600_000)]);
  });

  it('leaves nothing behind when there was none', () => {
    const { plan } = admitted(liveItem({ live: null, admitted: [] }), offerOf(pushOf(2)));
    expect(afterPromotion([], plan, start)).toEqual([]);
  });

  it('never comes to more than slots less two that are kept, and the newest are', () => {
    const slots = ['blue', 'green', 'red', 'amber', 'white'];
    const anyOld = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 4 });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), anyOld, (count, numbers) => {
        const { plan } = admitted(
          liveItem({ live: generationOf(99), lastGeneration: 99 }),
          offerOf(pushOf(2), { settings: settingsOf({}, slots.slice(0, count)) }),
        );
        const old = numbers.toSorted((a, b) => a - b).map((number) => retained(number, start + 50_000));
        const after = afterPromotion(old, plan, start);
        const kept = after.filter(({ until }) => until > start).map(({ generation }) => generation.number);
        expect(after.map(({ generation }) => generation.number)).toEqual([
          ...numbers.toSorted((a, b) => a - b),
          99,
        ]);
        expect(kept).toEqual(
          [...numbers.toSorted((a, b) => a - b), 99].slice(after.length - Math.min(after.length, count - 2)),
        );
      }),
    );
  });

  it('is never kept longer than was said before', () => {
    const { plan } = admitted(
      liveItem(),
      offerOf(pushOf(2), { settings: settingsOf({}, ['blue', 'green']) }),
    );
    expect(afterPromotion([retained(0, start - 10)], plan, start).map(({ until }) => until)).toEqual([
      start - 10,
      start,
    ]);
  });
});

describe('after a rollback', () => {
  const slots = ['blue', 'green', 'red', 'amber'];
  const kept = (number: number) => retainedOf(generationOf(number), start + 50_000);

  it('what is live again is kept no more, and what it left is', () => {
    const { plan } = goingBack();
    expect(afterPromotion([kept(1)], plan, start).map(({ generation }) => generation.name)).toEqual([
      'web-g0002',
    ]);
  });

  it('what was live last is kept longest, not what has the highest number', () => {
    // Generation 3 was left for 1, which generation 4 replaces now.
    const { plan } = admitted(
      liveItem({ lastGeneration: 3 }),
      offerOf(pushOf(4), { settings: settingsOf({}, slots) }),
    );
    const after = afterPromotion([kept(2), kept(3)], plan, start);
    const due = after.filter(({ until }) => until <= start).map(({ generation }) => generation.number);
    expect(after.map(({ generation }) => generation.number)).toEqual([2, 3, 1]);
    expect(due).toEqual([2]);
  });
});

describe('what a service wants small', () => {
  const settings = settingsOf({ retentionFloor: 1, retentionSeconds: 3_600 });
  const { plan } = admitted(liveItem(), offerOf(pushOf(2), { settings }));

  it('may be made small as soon as it is replaced, and is ended later', () => {
    const after = afterPromotion([], plan, start);
    expect(after).toEqual([retainedOf(generationOf(1), start + 3_600_000, { fullUntil: start })]);
    expect([dueForVisit(after, start), due(after, start)]).toEqual([after, []]);
    expect(nextVisit(after)).toBe(start);
    const smaller = after.map(small);
    expect(dueForVisit(smaller, start)).toEqual([]);
    expect(nextVisit(smaller)).toBe(start + 3_600_000);
  });

  it('grows for a rollback, and is small again only when that failed', () => {
    const smaller = [
      retainedOf(generationOf(0), start + 50_000),
      retainedOf(generationOf(1), start + 60_000),
    ];
    const back = { ...plan, to: generationOf(1) };
    expect(fullAgain(smaller, back, start).map(({ fullUntil }) => fullUntil)).toEqual([null, start]);
    const withoutFloor = { ...back, settings: settingsOf() };
    expect(fullAgain(smaller, withoutFloor, start)).toEqual(smaller);
  });
});

describe('what requests still reach', () => {
  it('is put off, ever longer, since it was first seen', () => {
    let each = retainedOf(generationOf(1), start, { fullUntil: start - 5 });
    each = putOff(each, start);
    expect(each).toMatchObject({ until: start + 60_000, fullUntil: start + 60_000, reachedSince: start });
    const day = start + 86_400_000;
    expect(each.remark).toBeNull();
    expect(putOff(each, day)).toMatchObject({
      until: day + 1_728_000,
      reachedSince: start,
      remark: expect.stringContaining('requests have reached it in blue since 2026-01-01T12:00:00.000Z'),
    });
  });

  it('is never ended earlier for it, and never made small that need not be', () => {
    const each = retainedOf(generationOf(1), start + 3_600_000);
    expect(putOff(each, start)).toMatchObject({ until: start + 3_600_000, fullUntil: null });
  });
});

describe('what is told to end', () => {
  it('stays due until its last instance is gone, and people are told after half an hour', () => {
    const each = retained(1, start);
    const minutes = 60_000;
    const soon = stillEnding(each, 'instance', start + 20 * minutes);
    expect([soon.until, soon.reachedSince, soon.remark]).toEqual([start, start, null]);
    const late = stillEnding(soon, 'instance', start + 31 * minutes);
    expect(late.until).toBe(start);
    expect(late.remark).toMatch(
      /^web-g0001 has no weight and was told to end, but not all of its instances are gone since .*it keeps its slot green; it ends by itself then$/,
    );
  });
});

describe('what is due', () => {
  it('is what has reached its time', () => {
    const all = [retained(1, start - 1), retained(2, start), retained(3, start + 1)];
    expect(due(all, start).map(({ generation }) => generation.number)).toEqual([1, 2]);
  });
});
