/** The comparison's error rates, on fewer canaries than the bench: enough to notice a judge that is broken. */
import { describe, expect, it } from 'vitest';
import { type Difference, drawCanary, type Setting } from '../../bench/canaries.ts';
import { MannWhitneyJudge } from '../../bench/mann-whitney.ts';
import { rate } from '../../bench/measure.ts';
import { poisson } from '../../bench/poisson.ts';
import { decideCanary, judgeCanaries, verdictAfter } from '../../bench/trials.ts';
import { isEnough, mostEvidence, type Pair } from '../../functions/core/gates/sequential-test.ts';
import { seededRandom } from '../../local/simulated/seeded-random.ts';

const setting: Setting = {
  requestsPerMinute: 1_000,
  weightPercent: 10,
  failedPercent: 1,
  minutes: 40,
  dependence: 'none',
};
const none: Difference = { name: 'none', failedPoints: 0, slowPoints: 0 };
const failsMore: Difference = { ...none, name: '1 % more fail', failedPoints: 1 };
const isSlower: Difference = { ...none, name: '5 % more slow', slowPoints: 5 };

describe('the comparison, read each minute', () => {
  it('takes back fewer than 1 of 100 equal generations, at any rates', () => {
    for (const failedPercent of [0.1, 1, 10]) {
      const { worse, count } = judgeCanaries({ ...setting, failedPercent }, none, { count: 1_000, seed: 1 });
      expect(rate(worse, count).to).toBeLessThan(1.5);
      expect(worse / count).toBeLessThan(0.01);
    }
  });

  it('gives as much evidence as alarms falsely at most as often as it is set to, also where that is often', () => {
    const random = seededRandom(2);
    const count = 4_000;
    let [often, halves] = [0, 0];
    for (let trial = 0; trial < count; trial++) {
      const { before, old, fresh } = drawCanary({ ...setting, failedPercent: 5 }, none, random);
      const of = ({ requests, bad }: { requests: number; bad: number }) => ({ requests, bad });
      const pairs: Pair[] = fresh.map((minute, index) => ({ fresh: of(minute), old: of(old[index]!) }));
      const evidence = mostEvidence(pairs, of(before[0]!), 0.01);
      if (isEnough(evidence, 0.1)) often += 1;
      if (isEnough(evidence, 0.5)) halves += 1;
    }
    expect([often / count <= 0.1, halves / count <= 0.5]).toEqual([true, true]);
  });

  it.each([
    ['fails', { ...setting, failedPercent: 0.1 }, failsMore],
    ['fails', setting, failsMore],
    ['is slow', setting, isSlower],
    ['is slow, with half of the traffic', { ...setting, weightPercent: 50 }, isSlower],
  ])('finds nine of ten that are worse within the requests that are needed: one that %s', (_, of, worse) => {
    const { worseByNeeded, count } = judgeCanaries(of, worse, { count: 500, seed: 3 });
    const share = rate(worseByNeeded, count);
    expect(share.to).toBeGreaterThan(90);
    // Nor are far more asked for than it takes.
    expect(share.from).toBeLessThan(97);
  });

  it('comes to the same by halves as one minute after the other', () => {
    const random = seededRandom(4);
    for (let trial = 0; trial < 40; trial++) {
      const seen = drawCanary({ ...setting, minutes: 20 }, failsMore, random);
      const minutes = Array.from({ length: 20 }, (_, index) => index + 1);
      const first = minutes.find((each) => verdictAfter(seen, each) === 'worse');
      const decided = decideCanary(seen);
      expect(decided.verdict === 'worse' ? decided.minutes : undefined).toBe(first);
    }
  });
});

describe("Kayenta's judge", () => {
  const judge = (fresh: readonly number[], old: readonly number[]): boolean => {
    const both = new MannWhitneyJudge(Math.max(fresh.length, old.length));
    for (const value of fresh) both.addFresh(value);
    for (const value of old) both.addOld(value);
    return both.isHigh();
  };
  const upTo = (count: number, from = 0): number[] =>
    Array.from({ length: count }, (_, index) => from + index);

  it.each<[string, readonly number[], readonly number[], boolean]>([
    ['all above, five minutes', upTo(5, 10), upTo(5), true],
    ['all above, four minutes: no such interval exists', upTo(4, 10), upTo(4), false],
    ['the same', upTo(20), upTo(20), false],
    ['all below', upTo(20), upTo(20, 40), false],
    ['shifted by less than the interval is wide', upTo(20, 4), upTo(20), false],
    ['shifted by more', upTo(20, 8), upTo(20), true],
    ['two constants', Array.from({ length: 20 }, () => 2), Array.from({ length: 20 }, () => 1), true],
    ['nothing of the new one', [], upTo(20), false],
  ])('%s', (_, fresh, old, isHigh) => {
    expect(judge(fresh, old)).toBe(isHigh);
  });
});

it.each([0.3, 4, 25, 900])('a Poisson variate has its mean %d as mean and variance', (mean) => {
  const random = seededRandom(5);
  const drawn = Array.from({ length: 20_000 }, () => poisson(mean, random));
  const average = drawn.reduce((sum, each) => sum + each, 0) / drawn.length;
  const variance = drawn.reduce((sum, each) => sum + (each - average) ** 2, 0) / drawn.length;
  expect(Math.abs(average / mean - 1)).toBeLessThan(0.03);
  expect(Math.abs(variance / mean - 1)).toBeLessThan(0.05);
});

it("a rate has Wilson's interval, also when nothing was counted", () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 and 0 of 20.
  expect(rate(81, 263)).toMatchObject({ from: expect.closeTo(25.53, 1), to: expect.closeTo(36.62, 1) });
  expect(rate(0, 20)).toMatchObject({ from: 0, to: expect.closeTo(16.11, 1) });
});
