/** What may be said exactly of the evidence; its rates over whole canaries are measured in test/bench/comparison.test.ts. */
import { describe, expect, it } from 'vitest';
import { type Counts, mostEvidence, noCounts, requestsNeeded } from '../../functions/core/sequential-test.ts';

/** The probability of each number of bad ones among so many requests. */
function binomial(requests: number, rate: number): readonly number[] {
  const odds = rate / (1 - rate);
  const probabilities = [(1 - rate) ** requests];
  for (let bad = 1; bad <= requests; bad++)
    probabilities.push((probabilities[bad - 1]! * odds * (requests - bad + 1)) / bad);
  return probabilities;
}

describe('the evidence of a minute', () => {
  const known: readonly [string, readonly Counts[]][] = [
    ['nothing', [noCounts]],
    ['less than happens', [{ requests: 1_000, bad: 1 }]],
    ['more than happens', [{ requests: 1_000, bad: 400 }]],
    ['minutes that vary', [0, 40, 10, 90].map((bad) => ({ requests: 1_000, bad }))],
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

describe('where the old generation varied from minute to minute', () => {
  const minutes = (bads: readonly number[]): readonly Counts[] =>
    bads.map((bad) => ({ requests: 1_000, bad }));
  const pair = { old: { requests: 900, bad: 9 }, fresh: { requests: 100, bad: 12 } };
  const needed = (bads: readonly number[]): number =>
    requestsNeeded(minutes(bads), { effect: 0.01, falseAlarm: 0.01, oldPerFresh: 9 });
  const even = [10, 10, 10, 10, 10, 10];
  const uneven = [0, 20, 0, 20, 0, 20];

  it('more than independent requests do, the same minute is less evidence and more requests are needed', () => {
    const evidence = mostEvidence([pair], minutes(even), 0.01);
    // Each step is 20²/20 times the variance of independent requests.
    expect(evidence / mostEvidence([pair], minutes(uneven), 0.01)).toBeGreaterThan(20);
    expect(needed(uneven) / needed(even)).toBeCloseTo(20, 0);
  });

  it('less than that, or when it was not seen yet, nothing changes', () => {
    expect(mostEvidence([pair], minutes([10, 11, 10, 9]), 0.01)).toBe(
      mostEvidence([pair], [{ requests: 4_000, bad: 40 }], 0.01),
    );
  });
});
