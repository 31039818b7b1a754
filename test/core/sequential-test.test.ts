/** What may be said exactly of the evidence; its rates over whole canaries are measured in test/bench/comparison.test.ts. */
import { describe, expect, it } from 'vitest';
import { type Counts, mostEvidence, noCounts } from '../../functions/core/gates/sequential-test.ts';

/** The probability of each number of bad ones among so many requests. */
function binomial(requests: number, rate: number): readonly number[] {
  const odds = rate / (1 - rate);
  const probabilities = [(1 - rate) ** requests];
  for (let bad = 1; bad <= requests; bad++)
    probabilities.push((probabilities[bad - 1]! * odds * (requests - bad + 1)) / bad);
  return probabilities;
}

describe('the evidence of a minute', () => {
  const known: readonly [string, Counts][] = [
    ['nothing', noCounts],
    ['less than happens', { requests: 1_000, bad: 1 }],
    ['more than happens', { requests: 1_000, bad: 400 }],
  ];
  const rates = [0.005, 0.02, 0.1, 0.3, 0.5];
  const sizes = [
    [90, 10],
    [30, 30],
    [5, 60],
  ] as const;
  it.each(known)('is expected to be 1 at most, whatever rate both share, with %s known', (_, before) => {
    for (const shared of rates) {
      for (const [old, fresh] of sizes) {
        const [ofOld, ofFresh] = [binomial(old, shared), binomial(fresh, shared)];
        const outcomes = ofOld.flatMap((chanceOld, oldBad) =>
          ofFresh.map((chanceFresh, freshBad) => {
            const pair = { old: { requests: old, bad: oldBad }, fresh: { requests: fresh, bad: freshBad } };
            return { evidence: mostEvidence([pair], before, 0.05), chance: chanceOld * chanceFresh };
          }),
        );
        // Evidence below 1 is not told apart; what is left out could only add to the sum.
        const told = outcomes.filter(({ evidence }) => evidence > 0);
        const expected = told.reduce((sum, { evidence, chance }) => sum + Math.exp(evidence) * chance, 0);
        expect(expected).toBeLessThanOrEqual(1 + 1e-9);
      }
    }
  });
});
