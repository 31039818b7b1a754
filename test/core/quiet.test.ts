import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countedMinutes, judgedFrom, lingering, type Minute } from '../../functions/core/traffic/quiet.ts';
import { start } from './examples.ts';

const minute = 60_000;
const inMinute = (number: number, inSlot: number, elsewhere: number): Minute => ({
  at: start + number * minute,
  inSlot,
  elsewhere,
});

describe('when quiet can be judged', () => {
  it.each([
    ['weights written on the minute', start, start + 3 * minute],
    ['weights written just after', start + 1, start + 4 * minute],
    ['weights written just before', start - 1, start + 3 * minute],
  ])('%s', (_, since, from) => {
    expect(judgedFrom(since)).toBe(from);
  });

  it('is two minutes after the weights at the least and four at the most, and there is a whole minute to look at', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 * minute }), fc.nat(20 * minute), (after, later) => {
        const since = start + after;
        const from = judgedFrom(since);
        expect(from - since).toBeGreaterThanOrEqual(2 * minute);
        expect(from - since).toBeLessThanOrEqual(4 * minute);
        const minutes = countedMinutes(since, from + later);
        expect(minutes.from).toBeGreaterThanOrEqual(since);
        expect(minutes.to - minutes.from).toBeGreaterThanOrEqual(minute);
        expect(minutes.to - minutes.from).toBeLessThanOrEqual(5 * minute);
        expect(minutes.to).toBeLessThanOrEqual(from + later - 2 * minute);
        const before = countedMinutes(since, from - 1);
        expect(before.to).toBeLessThanOrEqual(before.from);
      }),
    );
  });
});

describe('requests that linger', () => {
  it.each<[string, readonly Minute[], number]>([
    ['none, seen while others had some', [inMinute(0, 0, 9)], 0],
    ['those of the newest minute', [inMinute(1, 3, 9), inMinute(0, 7, 9)], 3],
    ['none any more', [inMinute(0, 7, 9), inMinute(1, 0, 9)], 0],
    [
      'those of the newest minute that tells, when the counts of later ones are late',
      [inMinute(0, 7, 9), inMinute(1, 0, 0)],
      7,
    ],
    ['some, of a balancer that has no others', [inMinute(0, 1, 0)], 1],
    ['nobody can tell without any request', [inMinute(0, 0, 0)], 0],
    ['nobody can tell without any count', [], 0],
  ])('%s', (_, minutes, requests) => {
    expect(lingering(minutes)).toBe(requests);
  });
});
