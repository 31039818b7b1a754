import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterPromotion, due, nextDue, type Retained } from '../../functions/core/retention.ts';
import {
  admitted,
  generationOf,
  goingBack,
  green,
  liveItem,
  offerOf,
  pushOf,
  settingsOf,
  start,
} from './examples.ts';

const retained = (number: number, until: number): Retained => ({
  generation: generationOf(number, green),
  until,
});

describe('a replaced generation', () => {
  it('is kept for the retention', () => {
    const { plan } = admitted();
    expect(afterPromotion([], plan, start)).toEqual([
      { generation: generationOf(1), until: start + 3_600_000 },
    ]);
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
  const kept = (number: number) => ({ generation: generationOf(number), until: start + 50_000 });

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

describe('what is due', () => {
  it('is what has reached its time', () => {
    const all = [retained(1, start - 1), retained(2, start), retained(3, start + 1)];
    expect(due(all, start).map(({ generation }) => generation.number)).toEqual([1, 2]);
    expect(nextDue(all)).toBe(start - 1);
    expect(nextDue([])).toBeNull();
  });
});
