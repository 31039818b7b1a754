import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotName } from '../../functions/core/names.ts';
import {
  inWords,
  sameWeights,
  shareOf,
  soleSlot,
  splitBetween,
} from '../../functions/core/traffic/weights.ts';
import { blue, green, red, weightsOf } from './examples.ts';

const anySlots = fc
  .uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/), { minLength: 2, maxLength: 5 })
  .map((names) => names.map((name) => slotName.parse(name)));

describe('weights', () => {
  it('split between two slots sum to 100, and no third slot has any', () => {
    fc.assert(
      fc.property(anySlots, fc.integer({ min: 1, max: 100 }), (slots, percent) => {
        const [to, from] = [slots[0]!, slots[1]!];
        const weights = splitBetween(slots, to, from, percent);
        expect(Object.keys(weights).toSorted()).toEqual([...slots].toSorted());
        expect(Object.values(weights).reduce((sum, weight) => sum + weight, 0)).toBe(100);
        expect([weights[to], weights[from]]).toEqual([percent, 100 - percent]);
        expect(
          Object.entries(weights).every(([slot, weight]) => slot === to || slot === from || weight === 0),
        ).toBe(true);
      }),
    );
  });

  it('go whole to the slot when there is nothing to share with', () => {
    expect(splitBetween([blue, green], green, undefined, 10)).toEqual({ blue: 0, green: 100 });
  });

  it('are the same when only slots without weight are named', () => {
    expect(sameWeights({ [blue]: 100 }, weightsOf({ blue: 100 }))).toBe(true);
    expect(sameWeights({ [blue]: 100 }, { [green]: 100 })).toBe(false);
    expect(sameWeights({ [blue]: 1 }, { [blue]: 100 })).toBe(false);
    expect(sameWeights({}, weightsOf({}))).toBe(true);
  });

  it('have a sole slot only when one slot has everything', () => {
    expect(soleSlot(weightsOf({ green: 100 }))).toBe('green');
    expect(soleSlot(weightsOf({ green: 1 }))).toBe('green');
    expect(soleSlot(weightsOf({ blue: 90, green: 10 }))).toBeUndefined();
    expect(soleSlot(weightsOf({}))).toBeUndefined();
    expect(soleSlot({})).toBeUndefined();
  });

  it('give shares in percent, whatever they sum to', () => {
    expect(shareOf({ [blue]: 3, [green]: 1 }, green)).toBe(25);
    expect(shareOf({ [blue]: 3 }, red)).toBe(0);
    expect(shareOf({}, blue)).toBeUndefined();
  });

  it('are said in words', () => {
    expect(inWords(weightsOf({ blue: 90, green: 10 }))).toBe('blue 90, green 10');
    expect(inWords(weightsOf({}))).toBe('no slot has any weight');
  });
});
