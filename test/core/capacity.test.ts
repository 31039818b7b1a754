import { describe, expect, it } from 'vitest';
import { capacityFor, foreignCounts } from '../../functions/core/fleet/capacity.ts';
import { admitted, goingBack, liveItem, offerOf, pushOf } from './examples.ts';

describe('the capacity of a new generation', () => {
  it.each([
    [4, { desired: 4, healthy: 4 }, 'enough'],
    [4, { desired: 9, healthy: 4 }, 'enough'],
    [0, { desired: 2, healthy: 2 }, 'enough'],
    [4, { desired: 3, healthy: 3 }, 'tooSmall'],
    [4, { desired: 4, healthy: 3 }, 'growing'],
    [4, { desired: 9, healthy: 3 }, 'growing'],
  ])('beside an old one of %i, with %o, is %s', (needed, size, capacity) => {
    expect(capacityFor(needed, size)).toEqual({ capacity });
  });
});

describe('the counts of the old generation', () => {
  const forward = admitted().plan;
  const first = admitted(liveItem({ live: null, admitted: [] }), offerOf(pushOf(2))).plan;
  const back = goingBack().plan;

  it.each([
    ['are as they were', forward, 4, 4, false],
    ['are fewer', forward, 4, 1, false],
    ['are none', forward, 4, 0, true],
    ['are gone', forward, 4, undefined, true],
    ['were none before', forward, 0, 0, false],
    ['were not noted by an older version', forward, null, 0, false],
    ['do not matter on the way back from it', back, 4, 0, false],
    ['do not matter to a first deployment', first, null, undefined, false],
  ])('%s', (_, plan, desiredBefore, wanted, foreign) => {
    expect(foreignCounts(plan, { desiredBefore }, wanted) !== undefined).toBe(foreign);
  });
});
